//! The connections of one port, 64 at most.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::Router;
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep_until},
};
use tokio_rustls::TlsAcceptor;

/// The kubelet and Prometheus use one or two.
const MOST: usize = 64;
/// The smallest that hyper allows; a probe takes 200 bytes.
const LONGEST_HEAD: usize = 8 * 1024;
const HEAD_DEADLINE: Duration = Duration::from_secs(5);
const DEADLINE: Duration = Duration::from_secs(15);
/// At the limit, a connection whose request has not arrived within this time is cut off.
const GRACE: Duration = Duration::from_millis(500);

/// Open connections, the oldest first.
#[derive(Default)]
pub struct Connections {
    open: VecDeque<Connection>,
    tasks: JoinSet<()>,
}

struct Connection {
    task: AbortHandle,
    began: Instant,
    asked: Arc<AtomicBool>,
}

impl Connections {
    /// Waits until there is room for one more. A connection whose request was read is never cut off to make room.
    pub async fn make_room(&mut self) {
        loop {
            while self.tasks.try_join_next().is_some() {}
            self.open
                .retain(|connection| !connection.task.is_finished());
            if self.open.len() < MOST {
                return;
            }
            let silent = self.open.iter().find(|connection| !connection.has_asked());
            let until = silent.map(|silent| silent.began + GRACE);
            tokio::select! {
                _ = self.tasks.join_next() => continue,
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => {}
            }
            if let Some(silent) = silent.filter(|silent| !silent.has_asked()) {
                silent.task.abort();
                let _ = self.tasks.join_next().await;
            }
        }
    }

    /// Serves one more client.
    pub fn add(&mut self, stream: TcpStream, tls: Option<TlsAcceptor>, router: Router) {
        let asked = Arc::<AtomicBool>::default();
        self.open.push_back(Connection {
            task: self
                .tasks
                .spawn(greet(stream, tls, router, Arc::clone(&asked))),
            began: Instant::now(),
            asked,
        });
    }
}

impl Connection {
    fn has_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

/// Errors of a connection concern its client alone, and are ignored.
async fn greet(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    router: Router,
    asked: Arc<AtomicBool>,
) {
    let Some(tls) = tls else {
        return speak(stream, router, asked).await;
    };
    if let Ok(Ok(stream)) = tokio::time::timeout(HEAD_DEADLINE, tls.accept(stream)).await {
        speak(stream, router, asked).await;
    }
}

/// One request, one answer.
async fn speak(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    asked: Arc<AtomicBool>,
) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request: Request<Incoming>| {
        asked.store(true, Ordering::Relaxed);
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_buf_size(LONGEST_HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    let _ = tokio::time::timeout(DEADLINE, connection).await;
}
