//! The HTTP/1 server of the proxy and the STS stand-in. It can also close a connection instead of answering, which
//! a web framework does not let its handlers do.

use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// A response body of any type; its error cuts the connection.
pub(crate) type Body = UnsyncBoxBody<Bytes, Cut>;

/// The connection is to be closed without a (complete) answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection cut on purpose")
    }
}

impl std::error::Error for Cut {}

/// A whole body.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never: Infallible| match never {})
        .boxed_unsync()
}

/// A listening server; its port and its connections close when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Listens on a free port of `ip`. `connect` makes one handler for each connection.
    pub(crate) async fn start<C, H, F>(
        ip: IpAddr,
        tls: Option<TlsAcceptor>,
        connect: C,
    ) -> anyhow::Result<Self>
    where
        C: Fn() -> H + Send + 'static,
        H: Fn(Request<Incoming>) -> F + Send + 'static,
        F: Future<Output = Result<Response<Body>, Cut>> + Send + 'static,
    {
        let listener = TcpListener::bind((ip, 0))
            .await
            .with_context(|| format!("listen on a free port of {ip}"))?;
        let address = listener.local_addr().context("ask for the port")?;
        let task = tokio::spawn(accept(listener, tls.map(Arc::new), connect));
        Ok(Self { address, task })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept<C, H, F>(listener: TcpListener, tls: Option<Arc<TlsAcceptor>>, connect: C)
where
    C: Fn() -> H,
    H: Fn(Request<Incoming>) -> F + Send + 'static,
    F: Future<Output = Result<Response<Body>, Cut>> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        // A failed accept (too many open files) must not turn into a busy loop.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        connections.spawn(connection(stream, tls.clone(), connect()));
    }
}

async fn connection<H, F>(stream: TcpStream, tls: Option<Arc<TlsAcceptor>>, handler: H)
where
    H: Fn(Request<Incoming>) -> F + Send + 'static,
    F: Future<Output = Result<Response<Body>, Cut>> + Send + 'static,
{
    let _ = stream.set_nodelay(true);
    match tls {
        None => speak(stream, handler).await,
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                speak(stream, handler).await;
            }
        }
    }
}

async fn speak<S, H, F>(stream: S, handler: H)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    H: Fn(Request<Incoming>) -> F + Send,
    F: Future<Output = Result<Response<Body>, Cut>> + Send,
{
    // An error here is a disconnected peer or a cut, which only the peer has to handle.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service_fn(handler))
        .await;
}
