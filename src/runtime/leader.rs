//! Leader election: of several replicas, only the holder of the lease may have effects. The others keep
//! a warm index and wait.
//!
//! The lease cannot fence writes: the API server compares no write with the lease. A request that was delayed, or a
//! process that was suspended, may still write after another replica has acquired the lease; the monotonic clock may
//! stand still during a suspension, so that the process does not notice the expiry. The preconditions of every write
//! guard the objects in these cases; the lease only keeps 2 replicas from doing the same work.
//!
//! The crate `kube-lease-manager` (0.12, for kube 4) cannot fence writes either, and is weaker in 2 points: it
//! compares `renewTime` with the clock of its own machine, and it clears an expired lease by a patch without a
//! `resourceVersion`, which may undo a renewal.

pub mod lease;

use std::{sync::Arc, time::Duration};

use futures::Stream;
use k8s_openapi::{api::coordination::v1::Lease, jiff::Timestamp};
use kube::{Api, Client, api::PostParams};
use tokio::{sync::watch, time::Instant};

use crate::{
    error::chain,
    ops::{health::HealthCheck, metrics::Metrics},
};
use lease::{Observed, RENEW_DEADLINE, RETRY_PERIOD, Step};

/// The timeout of one attempt, so that another attempt fits in before the renew deadline.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(4);

/// A handle on the leadership of this replica.
#[derive(Clone, Debug)]
pub struct Leader {
    leadership: watch::Receiver<Leadership>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Leadership {
    until: Option<Instant>,
    term: u64,
}

/// This replica in the leader election.
pub struct Candidate {
    leases: Api<Lease>,
    name: String,
    identity: String,
    observed: Option<Observed>,
    leadership: watch::Sender<Leadership>,
    health: Arc<HealthCheck>,
}

impl Leadership {
    fn leads(self) -> bool {
        self.until.is_some_and(|until| Instant::now() < until)
    }
}

impl Leader {
    /// For a single replica without election: it always leads.
    #[must_use]
    pub fn alone() -> Self {
        let always = Instant::now() + Duration::from_hours(24 * 365 * 30);
        let until = Some(always);
        let (_, leadership) = watch::channel(Leadership { until, term: 1 });
        Self { leadership }
    }

    /// Whether this replica leads now.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.leadership.borrow().leads()
    }

    /// Yields an item each time that this replica begins to lead.
    pub fn acquisitions(&self) -> impl Stream<Item = ()> + Send + use<> {
        let mut leadership = self.leadership.clone();
        let term = leadership.borrow_and_update().term;
        futures::stream::unfold((leadership, term), async |(mut leadership, term)| {
            let began = leadership
                .wait_for(|leadership| leadership.term != term)
                .await;
            let term = began.map(|leadership| leadership.term).ok();
            if term.is_none() {
                // The candidate is gone: no further item will come, but the stream must not end.
                futures::future::pending::<()>().await;
            }
            Some(((), (leadership, term?)))
        })
    }
}

impl Candidate {
    /// A candidate of the election, and the handle that reports whether it leads.
    #[must_use]
    pub fn new(client: Client, namespace: &str, name: String, identity: String) -> (Self, Leader) {
        let (sender, leadership) = watch::channel(Leadership::default());
        let health = HealthCheck::new(format!("lease {namespace}/{name}"));
        let candidate = Self {
            leases: Api::namespaced(client, namespace),
            name,
            identity,
            observed: None,
            leadership: sender,
            health,
        };
        (candidate, Leader { leadership })
    }

    /// The health check of the lease, for `/readyz`.
    #[must_use]
    pub fn health(&self) -> Arc<HealthCheck> {
        Arc::clone(&self.health)
    }

    /// Takes part in the election until `stop` resolves, then releases the lease.
    pub async fn run(mut self, metrics: &Metrics, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let turn = tokio::time::timeout(REQUEST_TIMEOUT, self.tick());
            match turn.await {
                Ok(Ok(())) => drop(self.health.record_ok()),
                Ok(Err(error)) => self.health.record_error(chain(&error)),
                Err(_) => self
                    .health
                    .record_error("the API server does not answer".to_owned()),
            }
            self.report(metrics);
            tokio::select! {
                () = tokio::time::sleep(RETRY_PERIOD) => {}
                () = &mut stop => break,
            }
        }
        metrics.leads(&self.name, false);
        self.release().await;
    }

    /// Acquires the lease if it is free, or renews it if this replica holds it. After a conflict there is
    /// 1 further attempt.
    async fn tick(&mut self) -> Result<(), kube::Error> {
        if !self.try_acquire_or_renew().await? {
            self.try_acquire_or_renew().await?;
        }
        Ok(())
    }

    /// Returns false on a conflict: the lease was created, changed or deleted meanwhile.
    async fn try_acquire_or_renew(&mut self) -> Result<bool, kube::Error> {
        // The holder knows the version that it wrote; if that is outdated, the write conflicts.
        if !self.is_holder() {
            self.refresh().await?;
        }
        let (requested_at, wall) = (Instant::now(), Timestamp::now());
        let next = self
            .observed
            .as_ref()
            .map(|observed| observed.next(&self.identity, requested_at, wall));
        let parameters = PostParams::default();
        let written = match next {
            Some(Step::Wait) => return Ok(true),
            Some(Step::Write(lease)) => self.leases.replace(&self.name, &parameters, &lease).await,
            None => {
                let lease = lease::first(&self.name, &self.identity, wall);
                self.leases.create(&parameters, &lease).await
            }
        };
        match written {
            Ok(lease) => {
                self.observe(Some(lease), requested_at);
                self.extend(requested_at + RENEW_DEADLINE);
                Ok(true)
            }
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => {
                self.observed = None;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    async fn refresh(&mut self) -> Result<(), kube::Error> {
        let lease = self.leases.get_opt(&self.name).await?;
        self.observe(lease, Instant::now());
        if !self.is_holder() {
            self.step_down("another replica leads");
        }
        Ok(())
    }

    fn observe(&mut self, lease: Option<Lease>, now: Instant) {
        let before = self.observed.take();
        self.observed = lease.map(|lease| Observed::after(before, lease, now));
    }

    fn is_holder(&self) -> bool {
        self.observed
            .as_ref()
            .is_some_and(|observed| observed.is_held_by(&self.identity))
    }

    fn extend(&self, until: Instant) {
        self.leadership.send_modify(|leadership| {
            if !leadership.leads() {
                leadership.term += 1;
                tracing::info!(
                    lease = self.name,
                    identity = self.identity,
                    "this replica is the leader"
                );
            }
            leadership.until = Some(until);
        });
    }

    fn step_down(&self, why: &str) {
        self.leadership.send_if_modified(|leadership| {
            let was_leading = leadership.until.take().is_some();
            if was_leading {
                tracing::warn!(
                    lease = self.name,
                    identity = self.identity,
                    why,
                    "this replica is no longer the leader"
                );
            }
            was_leading
        });
    }

    fn report(&self, metrics: &Metrics) {
        let leads = self.leadership.borrow().leads();
        if !leads {
            self.step_down("the lease could not be renewed in time");
        }
        metrics.leads(&self.name, leads);
    }

    /// Releases the lease, so that the other replicas need not wait for its expiry.
    async fn release(self) {
        self.step_down("it stops");
        let held = self
            .observed
            .filter(|observed| observed.is_held_by(&self.identity));
        let Some(lease) = held.map(|held| held.released(Timestamp::now())) else {
            return;
        };
        let parameters = PostParams::default();
        let released = self.leases.replace(&self.name, &parameters, &lease);
        match tokio::time::timeout(REQUEST_TIMEOUT, released).await {
            Ok(Ok(_)) => tracing::info!(lease = self.name, "the lease is released"),
            Ok(Err(error)) => tracing::warn!(
                lease = self.name,
                error = chain(&error),
                "the lease could not be released; it expires"
            ),
            Err(_) => tracing::warn!(
                lease = self.name,
                "the lease could not be released in time; it expires"
            ),
        }
    }
}
