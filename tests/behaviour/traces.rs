//! Spans of reconciles, as a collector gets them.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, Result};
use axum::{Router, body::Bytes, http::StatusCode, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value as Attribute},
    trace::v1::Span,
};
use prost::Message;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::AbortHandle};

use crate::{
    actions::tests,
    scene::{PAIR, SECOND, Scene, Stage},
};

tests![
    a_collector_gets_a_span_of_each_run_and_of_its_parts,
    a_collector_that_is_away_holds_nobody_up,
    without_a_collector_nothing_is_said_of_traces,
];

/// A collector that accepts spans, or answers 503.
struct Collector {
    url: String,
    shared: Arc<Shared>,
    server: AbortHandle,
}

#[derive(Default)]
struct Shared {
    refuses: AtomicBool,
    spans: Mutex<Vec<Span>>,
    bytes: Mutex<Vec<u8>>,
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Collector {
    async fn start() -> Result<Self> {
        let listener = TcpListener::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared::default());
        let taking = Arc::clone(&shared);
        let take = post(move |body: Bytes| async move { taking.take(&body) });
        let app = Router::new().route("/v1/traces", take);
        let server = tokio::spawn(async { axum::serve(listener, app).await }).abort_handle();
        Ok(Self {
            url,
            shared,
            server,
        })
    }

    fn spans(&self, name: &str) -> Vec<Span> {
        let spans = held(&self.shared.spans);
        let named = spans.iter().filter(|span| span.name == name);
        named.cloned().collect()
    }
}

impl Shared {
    fn take(&self, body: &[u8]) -> StatusCode {
        if self.refuses.load(Ordering::Relaxed) {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        let Ok(request) = ExportTraceServiceRequest::decode(body) else {
            return StatusCode::BAD_REQUEST;
        };
        held(&self.bytes).extend_from_slice(body);
        let resources = request.resource_spans.into_iter();
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        let spans = scopes.flat_map(|scope| scope.spans);
        held(&self.spans).extend(spans);
        StatusCode::OK
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Attribute::StringValue(text) => Some(text.clone()),
        other => Some(format!("{other:?}")),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

async fn a_collector_gets_a_span_of_each_run_and_of_its_parts(stage: Arc<Stage>) -> Result<()> {
    let collector = Collector::start().await?;
    let mut scene = Scene::before_start(stage).await?;
    scene.flag("--otlp-endpoint", &collector.url);
    scene.flag("--log-format", "json");
    scene.start_operator().await?;
    scene.source("pair", PAIR).await?;
    scene.resource("orders", "pair", json!({})).await?;
    scene.until_agreed("orders").await?;
    scene.source("pair", SECOND).await?;
    scene.until_agreed("orders").await?;

    let log = scene.log()?;
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let published = lines.filter(|line: &Value| line["reason"] == "Published");
    let told: Vec<Value> = published.map(|line| line["spans"][0].clone()).collect();
    assert_eq!(told.len(), 2, "{log}");
    for told in told {
        let run = scene
            .until("the span of the run was sent", async || {
                let runs = collector.spans("run");
                Ok(runs
                    .into_iter()
                    .find(|run| told["trace_id"] == hex(&run.trace_id)))
            })
            .await?;
        for name in ["id", "resource"] {
            let sent = attribute(&run.attributes, name);
            assert_eq!(sent.as_deref(), told[name].as_str(), "{told}");
        }
        for part in ["observe", "decide", "act"] {
            let parts = collector.spans(part);
            let of_run = |span: &&Span| span.parent_span_id == run.span_id;
            let part = parts.iter().find(of_run).context(part)?;
            assert_eq!(part.trace_id, run.trace_id);
            assert!(part.start_time_unix_nano >= run.start_time_unix_nano);
            assert!(part.end_time_unix_nano <= run.end_time_unix_nano);
        }
    }
    let sent = String::from_utf8_lossy(&held(&collector.shared.bytes)).into_owned();
    for (id, secret) in [PAIR, SECOND] {
        assert!(!sent.contains(id) && !sent.contains(secret), "{sent}");
    }
    Ok(())
}

async fn a_collector_that_is_away_holds_nobody_up(stage: Arc<Stage>) -> Result<()> {
    let collector = Collector::start().await?;
    collector.shared.refuses.store(true, Ordering::Relaxed);
    let mut scene = Scene::before_start(stage).await?;
    scene.flag("--otlp-endpoint", &collector.url);
    scene.start_operator().await?;
    scene.source("pair", PAIR).await?;
    scene.resource("orders", "pair", json!({})).await?;
    scene.until_agreed("orders").await?;
    scene
        .until("that is told", async || {
            let told = scene.log()?.contains("spans cannot be sent");
            Ok(told.then_some(()))
        })
        .await?;
    assert!(scene.log()?.contains("503"));
    collector.shared.refuses.store(false, Ordering::Relaxed);
    scene.source("pair", SECOND).await?;
    scene.until_agreed("orders").await?;
    scene
        .until("so is its end", async || {
            let told = scene.log()?.contains("spans are sent again");
            Ok(told.then_some(()))
        })
        .await?;
    assert_eq!(scene.log()?.matches("spans cannot be sent").count(), 1);
    assert!(!collector.spans("run").is_empty());
    Ok(())
}

async fn without_a_collector_nothing_is_said_of_traces(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::before_start(stage).await?;
    scene.flag("--log-format", "json");
    scene.start_operator().await?;
    scene.source("pair", PAIR).await?;
    scene.resource("orders", "pair", json!({})).await?;
    scene.until_agreed("orders").await?;
    let log = scene.log()?;
    assert!(log.contains("\"id\"") && !log.contains("trace_id"), "{log}");
    Ok(())
}
