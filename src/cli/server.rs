//! `/livez`, `/readyz` and `/metrics`. Limits protect the ports from clients that would block them: on the size and
//! the duration of a request, on connections at once, and on answers with metrics at once.

mod access;
mod connections;
mod tls;

use std::{
    convert::Infallible,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    thread,
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use futures::{StreamExt, stream};
use rustix::io::Errno;
use tokio::{net::TcpListener, sync::Semaphore};

use crate::{
    ops::{
        health::Health,
        metrics::{Format, Renderer},
    },
    runtime::context::ProcessContext,
};
use connections::Connections;

pub use access::Access;
pub use tls::{Certificate, TlsError};

/// Prometheus and a person with `curl` use 1 each.
const MOST_SCRAPES: usize = 8;
/// Accepting fails when file descriptors run out, say; an immediate retry would be a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

struct Scraped {
    shared: Arc<ProcessContext>,
    access: Option<Access>,
    renderer: Renderer,
    places: Arc<Semaphore>,
}

/// Binds the address early, so that an address in use is reported at once.
///
/// # Errors
/// The address is taken or not this host's.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = listen(address)?;
    TcpListener::from_std(listener)
}

/// Answers probes on a thread of its own for as long as the process lives, however busy or stuck the main
/// thread is. Returns the address.
///
/// # Errors
/// The address is taken or not this host's, or no thread can be started.
pub fn serve_probes(address: SocketAddr, health: Arc<Health>) -> io::Result<SocketAddr> {
    let listener = listen(address)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    thread::Builder::new()
        .name("probes".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                match TcpListener::from_std(listener) {
                    Ok(listener) => serve(listener, probes(health), None).await,
                    // The kubelet restarts a pod that does not answer probes.
                    Err(error) => tracing::error!(%error, "probes cannot be served"),
                }
            });
        })?;
    Ok(address)
}

/// Listens at an address. `[::]` takes IPv4 too; on a machine without IPv6 `0.0.0.0` is used instead.
fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let every = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    let listener = std::net::TcpListener::bind(address).or_else(|error| {
        let lacks_ipv6 = matches!(
            Errno::from_io_error(&error),
            Some(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL)
        );
        if address.ip() == every && lacks_ipv6 {
            std::net::TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port()))
        } else {
            Err(error)
        }
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// `/livez` and `/readyz`.
pub fn probes(health: Arc<Health>) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .with_state(health)
}

/// `/metrics`, and the probes too, for people who look there.
pub fn all(shared: Arc<ProcessContext>, health: Arc<Health>, access: Option<Access>) -> Router {
    let scraped = Arc::new(Scraped {
        shared,
        access,
        renderer: Renderer::default(),
        places: Arc::new(Semaphore::new(MOST_SCRAPES)),
    });
    let metrics = Router::new().route("/metrics", get(metrics));
    metrics.with_state(scraped).merge(probes(health))
}

/// Serves for as long as the process lives, over TLS if there is a certificate.
pub async fn serve(listener: TcpListener, router: Router, certificate: Option<Certificate>) {
    let mut connections = Connections::default();
    loop {
        connections.make_room().await;
        match listener.accept().await {
            Ok((stream, _)) => {
                let tls = certificate.as_ref().map(Certificate::acceptor);
                connections.add(stream, tls, router.clone());
            }
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn livez(State(health): State<Arc<Health>>) -> impl IntoResponse {
    if health.is_alive() {
        (StatusCode::OK, "ok\n")
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "the main loop or the leader election is stuck\n",
        )
    }
}

async fn readyz(State(health): State<Arc<Health>>) -> impl IntoResponse {
    let problems = health.problems();
    if problems.is_empty() {
        (StatusCode::OK, format!("ok\n{}", health.notes()))
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, problems)
    }
}

async fn metrics(State(scraped): State<Arc<Scraped>>, headers: HeaderMap) -> Response {
    let Ok(place) = Arc::clone(&scraped.places).try_acquire_owned() else {
        let later = [(header::RETRY_AFTER, "1")];
        let words = "too many requests at once\n";
        return (StatusCode::SERVICE_UNAVAILABLE, later, words).into_response();
    };
    if let Some(access) = &scraped.access
        && let Err(refused) = access.check(&headers).await
    {
        return refused.into_response();
    }
    let accept = headers.get(header::ACCEPT);
    let format = Format::accepted(accept.and_then(|accept| accept.to_str().ok()));
    let rendering = scraped.renderer.render(&scraped.shared.metrics).await;
    let pages = stream::iter(rendering.pages(format)).map(move |page| {
        // The place is released after the answer is sent.
        let _ = &place;
        Ok::<_, Infallible>(page)
    });
    let kind = [(header::CONTENT_TYPE, format.content_type())];
    (kind, Body::from_stream(pages)).into_response()
}
