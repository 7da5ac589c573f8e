//! `/livez`, `/readyz` and `/metrics`. Whoever reaches the port may try to hold it up: there is a limit to
//! the size of a request, to the time for one, and to the connections at once.

use std::{
    collections::VecDeque, convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use futures::stream;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::{context::Shared, health::Health, metrics::Format};

/// The kubelet and Prometheus use one or two.
const MOST_CONNECTIONS: usize = 64;
/// The least that hyper allows; a probe takes 200 bytes.
const LONGEST_HEAD: usize = 8 * 1024;
const HEAD_DEADLINE: Duration = Duration::from_secs(5);
const DEADLINE: Duration = Duration::from_secs(15);
/// The system is out of file descriptors, say; trying again at once would be a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

#[derive(Clone)]
struct Served {
    shared: Arc<Shared>,
    health: Arc<Health>,
}

/// Takes the address, so that one that is taken is known at once.
///
/// # Errors
/// The address is taken or not this host's.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves for as long as the process lives.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>, health: Arc<Health>) {
    let router = Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(Served { shared, health });
    let mut connections: VecDeque<JoinHandle<()>> = VecDeque::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        connections.retain(|connection| !connection.is_finished());
        // Not the newest: that may be a probe, which is answered before the next one comes.
        if connections.len() >= MOST_CONNECTIONS
            && let Some(oldest) = connections.pop_front()
        {
            oldest.abort();
        }
        connections.push_back(tokio::spawn(speak(stream, router.clone())));
    }
}

/// One request, one answer. How a connection fails is the business of its client.
async fn speak(stream: TcpStream, router: Router) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_buf_size(LONGEST_HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let _ = tokio::time::timeout(DEADLINE, connection).await;
}

async fn livez(State(served): State<Served>) -> impl IntoResponse {
    if served.health.is_alive() {
        (StatusCode::OK, "ok\n")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "the main loop or the election is stuck\n",
        )
    }
}

async fn readyz(State(served): State<Served>) -> impl IntoResponse {
    let problems = served.health.problems();
    if problems.is_empty() {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, problems)
    }
}

async fn metrics(State(served): State<Served>, headers: HeaderMap) -> impl IntoResponse {
    let accept = headers.get(header::ACCEPT);
    let format = Format::accepted(accept.and_then(|accept| accept.to_str().ok()));
    let pages = served.shared.metrics.pages(format);
    let body = Body::from_stream(stream::iter(pages.map(Ok::<_, Infallible>)));
    ([(header::CONTENT_TYPE, format.content_type())], body)
}
