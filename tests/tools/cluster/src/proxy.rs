//! A proxy between the operator and the API server that counts requests and injects faults.
//!
//! It speaks plain HTTP/1.1 on loopback and TLS to the API server, passes the client's bearer token through and
//! streams every answer. A write reaches the API server even if its client ends meanwhile, as it would without a
//! proxy.

mod fault;
mod forward;
mod head;
mod record;
mod relay;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::Context as _;
use hyper::Uri;

pub use fault::{Answer, Callback, Fault, Hook, Moment, Rewrite};
pub use head::{RequestHead, Verb};
pub use record::{Counts, Record, Recorded};

use crate::{
    http_client::{HttpClient, http_client},
    http_server::Server,
};
use record::Log;

/// The running proxy; dropping it closes its port and all connections.
#[derive(Debug)]
pub struct Proxy {
    server: Server,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Listens on a free loopback port and forwards to `upstream_url`, trusting `ca_pem` alone.
    ///
    /// # Errors
    /// If the CA cannot be read or no port is free.
    pub async fn start(upstream_url: &str, ca_pem: &str) -> anyhow::Result<Self> {
        let upstream: Uri = upstream_url.parse().context("parse the upstream's URL")?;
        let shared = Arc::new(Shared {
            client: http_client(ca_pem)?,
            upstream,
            log: Log::new(),
            hook: RwLock::default(),
            generation: Arc::default(),
        });
        let connections = Arc::clone(&shared);
        let connect = move || {
            let shared = Arc::clone(&connections);
            let link = Link::new(&shared.generation);
            move |request| forward::pass(Arc::clone(&shared), link.clone(), request)
        };
        let server = Server::start(IpAddr::V4(Ipv4Addr::LOCALHOST), None, connect).await?;
        Ok(Self { server, shared })
    }

    /// The server URL for the operator.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Every request so far, in the order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.since(0)
    }

    /// The same, including later requests. The record outlives the proxy.
    #[must_use]
    pub fn record(&self) -> Record {
        Record(Arc::clone(&self.shared.log))
    }

    /// A position in the record, for `since`.
    #[must_use]
    pub fn mark(&self) -> usize {
        self.shared.log.len()
    }

    /// The requests that arrived after `mark`.
    #[must_use]
    pub fn since(&self, mark: usize) -> Vec<Recorded> {
        self.shared.log.since(mark)
    }

    /// Counts the requests after `mark`.
    #[must_use]
    pub fn counts(&self, mark: usize) -> Counts {
        Counts::of(&self.since(mark))
    }

    /// Returns once no request except watches has been in flight for `span`, counted from now. It may never
    /// return: give it a deadline.
    pub async fn quiet(&self, span: Duration) {
        self.shared.log.quiet(span, &[]).await;
    }

    /// The same, ignoring some resources, such as `leases`.
    pub async fn quiet_but_for(&self, ignored: &[&str], span: Duration) {
        self.shared.log.quiet(span, ignored).await;
    }

    /// From now on `hook` decides on each request.
    pub fn set_fault(&self, hook: Hook) {
        *self
            .shared
            .hook
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(hook));
    }

    /// From now on each watch that begins ends properly after this time.
    pub fn end_watches_after(&self, time: Duration) {
        self.set_fault(Box::new(move |head| match head.verb {
            Verb::Watch => Fault::EndAfter(time),
            _ => Fault::Pass,
        }));
    }

    /// Removes the hook: requests go through again.
    pub fn clear_fault(&self) {
        *self
            .shared
            .hook
            .write()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Swallows everything on the present connections from now on: no byte passes in either direction, and none of
    /// them is closed. New connections work.
    pub fn black_hole(&self) {
        self.shared.generation.fetch_add(1, Ordering::SeqCst);
    }
}

struct Shared {
    client: HttpClient,
    upstream: Uri,
    log: Arc<Log>,
    hook: RwLock<Option<Arc<Hook>>>,
    generation: Arc<AtomicUsize>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("upstream", &self.upstream)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn fault(&self, head: &RequestHead) -> Fault {
        // The lock is released first: a hook may remove itself.
        let hook = self
            .hook
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        hook.map_or(Fault::Pass, |hook| hook(head))
    }
}

/// A client's connection, dead once the proxy swallows its bytes.
#[derive(Clone, Debug)]
struct Link {
    now: Arc<AtomicUsize>,
    born: usize,
}

impl Link {
    fn new(now: &Arc<AtomicUsize>) -> Self {
        Self {
            now: Arc::clone(now),
            born: now.load(Ordering::SeqCst),
        }
    }

    fn is_dead(&self) -> bool {
        self.now.load(Ordering::SeqCst) != self.born
    }

    async fn alive(&self) {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }
}
