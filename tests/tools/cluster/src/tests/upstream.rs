//! The proxy's upstream in these tests: a small server that counts commits and sends events.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::proxy::Proxy;
use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::routing::get;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::sync::broadcast;
use tokio::time::timeout;

pub const LONG: Duration = Duration::from_secs(30);
pub const SECRETS: &str = "/api/v1/namespaces/a/secrets";

#[derive(Clone)]
pub struct Upstream {
    pub commits: Arc<AtomicUsize>,
    pub events: broadcast::Sender<&'static str>,
    pub queries: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    pub async fn start() -> Result<(Self, String)> {
        let this = Self {
            commits: Arc::default(),
            events: broadcast::Sender::new(16),
            queries: Arc::default(),
        };
        let app = Router::new()
            .route(SECRETS, get(watch).post(create))
            .fallback(|| async { "{}" })
            .with_state(this.clone());
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async { axum::serve(listener, app).await });
        Ok((this, url))
    }
}

async fn create(State(upstream): State<Upstream>) -> (StatusCode, &'static str) {
    upstream.commits.fetch_add(1, Ordering::SeqCst);
    (StatusCode::CREATED, "{}")
}

async fn watch(State(upstream): State<Upstream>, RawQuery(query): RawQuery) -> Body {
    if let Ok(mut queries) = upstream.queries.lock() {
        queries.push(query.unwrap_or_default());
    }
    let events = upstream.events.subscribe();
    let lines = futures::stream::unfold(events, |mut events| async {
        let line = events.recv().await.ok()?;
        Some((Ok::<_, Infallible>(line), events))
    });
    Body::from_stream(lines)
}

pub async fn pair() -> Result<(Upstream, Proxy)> {
    let (upstream, url) = Upstream::start().await?;
    Ok((upstream, Proxy::start(&url, "").await?))
}

pub async fn send(url: &str, method: &str, path: &str) -> Result<Response<Incoming>> {
    let request = Request::builder()
        .method(method)
        .uri(format!("{url}{path}"))
        .header("accept", "application/json")
        .body(Full::new(Bytes::from_static(b"body")))?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    timeout(LONG, client.request(request))
        .await
        .context("no answer in time")?
        .context("no answer")
}

pub async fn frame(response: &mut Response<Incoming>) -> Result<Option<Bytes>> {
    let frame = timeout(LONG, response.frame())
        .await
        .context("no frame in time")?;
    Ok(frame
        .transpose()?
        .map(|frame| frame.into_data().unwrap_or_default()))
}
