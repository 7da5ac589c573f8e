//! Spans of runs, sent to a collector of OpenTelemetry by OTLP over HTTP.

use std::{
    fmt,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::http::{Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracer, SdkTracerProvider},
};
use tokio::runtime::Handle;

/// The collector has so long to take what it is sent.
const DEADLINE: Duration = Duration::from_secs(5);
/// It answers with a few bytes.
const LONGEST_ANSWER: usize = 64 << 10;

/// Where spans are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector(Uri);

/// What is no address of a collector.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "must be the address of a collector, as in http://collector.monitoring:4318; of https there is none, so \
     let a collector on the way encrypt what leaves the cluster"
)]
pub struct NoCollector;

impl FromStr for Collector {
    type Err = NoCollector;

    fn from_str(text: &str) -> Result<Self, NoCollector> {
        let uri: Uri = text.parse().map_err(|_| NoCollector)?;
        let plain = uri.scheme_str() == Some("http");
        let host = uri.host().is_some_and(|host| !host.is_empty());
        let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let address = uri.authority().is_some_and(|all| {
            let alone = all.as_str() == all.host();
            !all.as_str().contains('@') && (alone || all.port_u16().is_some())
        });
        if plain && host && bare && address {
            Ok(Self(uri))
        } else {
            Err(NoCollector)
        }
    }
}

impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_string().trim_end_matches('/'))
    }
}

/// Sends what is finished in the background. Ended, it sends what is left.
#[derive(Debug)]
pub struct Exporter(SdkTracerProvider);

impl Exporter {
    /// An exporter that nobody gives spans to yet.
    pub(super) fn new(collector: &Collector) -> Result<Self, ExporterBuildError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Sender::new())
            .with_endpoint(format!("{collector}/v1/traces"))
            .with_timeout(DEADLINE)
            .build()?;
        let resource = Resource::builder_empty()
            .with_service_name(env!("CARGO_PKG_NAME"))
            .with_attribute(opentelemetry::KeyValue::new(
                "service.version",
                env!("CARGO_PKG_VERSION"),
            ))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .build();
        Ok(Self(provider))
    }

    pub(super) fn tracer(&self) -> SdkTracer {
        self.0.tracer(env!("CARGO_PKG_NAME"))
    }

    /// Sends what is left, and no longer than the collector may take.
    pub async fn end(self) {
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(DEADLINE));
        // Spans that are lost at the end are missed by nobody.
        let _ = ended.await;
    }
}

/// Requests run on the operator's own threads, whoever sends them: the exporter's thread has no
/// reactor.
#[derive(Clone, Debug)]
struct Sender {
    client: Client<HttpConnector, Full<Bytes>>,
    runtime: Handle,
    fails: Arc<AtomicBool>,
}

impl Sender {
    fn new() -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            runtime: Handle::current(),
            fails: Arc::default(),
        }
    }

    /// The first failure is told, and the end of failures.
    fn note(&self, failure: Option<String>) {
        let failed = self.fails.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(error) if !failed => tracing::warn!(
                error,
                "spans cannot be sent, and are lost until the collector that --otlp-endpoint names takes them"
            ),
            None if failed => tracing::info!("spans are sent again"),
            _ => {}
        }
    }
}

#[async_trait::async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            let answer = async {
                let (head, body) = client.request(request.map(Full::new)).await?.into_parts();
                let body = Limited::new(body, LONGEST_ANSWER)
                    .collect()
                    .await?
                    .to_bytes();
                Ok::<_, HttpError>(Response::from_parts(head, body))
            };
            tokio::time::timeout(DEADLINE, answer).await
        });
        let answer = sent.await.map_err(HttpError::from);
        let answer = answer.and_then(|in_time| in_time.map_err(HttpError::from));
        let answer = answer.and_then(|answer| answer);
        self.note(match &answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("the collector answers {}", answer.status())),
            Err(error) => Some(error.to_string()),
        });
        answer
    }
}
