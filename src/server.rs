//! `/livez`, `/readyz` and `/metrics`.

use std::{io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use tokio::net::TcpListener;

use crate::{context::Shared, health::Health};

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
///
/// # Errors
/// The listener fails.
pub async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    health: Arc<Health>,
) -> io::Result<()> {
    let router = Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(Served { shared, health });
    axum::serve(listener, router).await
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

async fn metrics(State(served): State<Served>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], served.shared.metrics.text())
}
