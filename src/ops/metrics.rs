//! The metrics of `/metrics`. Metrics that every controller has carry the names and labels of controller-runtime
//! and client-go, so that dashboards work. A few gauges name resources, and vanish with the resource; accounts,
//! Secrets and key material are never named.

mod calls;
mod counters;
mod indexes;
mod policies;
mod process;
mod queue;
mod reading;
mod rendering;
mod requests;
mod resources;
mod runs;
mod summary;
mod text;
mod watches;

use std::sync::Arc;

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode_registry},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::{
    api::{ConditionType, Reason, StaticAwsCredentialsStatus},
    domain::{
        conditions,
        verdict::{Answer, Control},
    },
    error::Error,
    sts::Sts,
};
pub use calls::{Awaited, Calls, Measured};
use counters::Counters;
pub use indexes::Indexes;
pub use policies::Policies;
pub use queue::{Queue, Work};
use reading::Reading;
pub use rendering::{Renderer, Rendering};
pub use requests::{Counted, Counting, Requests};
pub use resources::Resources;
pub use runs::{Run, Runs};
pub use summary::Summary;
pub use text::Format;
pub use watches::{WatchLiveness, Watches};

/// A single label whose values are constants of the code.
type Label = [(&'static str, &'static str); 1];

/// The name of the controller and of its queue.
const CONTROLLER: &str = "staticawscredentials";
const SECONDS: [f64; 15] = [
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0,
];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Lease {
    name: String,
}

/// Counters and gauges of the process.
pub struct Metrics {
    registry: Registry,
    /// Reconciles.
    pub runs: Runs,
    /// The work queue.
    pub queue: Queue,
    /// Calls to AWS STS.
    pub calls: Calls,
    /// Requests to the API server.
    pub requests: Requests,
    /// The watches.
    pub watches: Watches,
    /// Secrets of which metadata is kept.
    pub indexes: Indexes,
    /// Metrics of single resources.
    pub resources: Resources,
    counters: Counters,
    leads: Family<Lease, Gauge>,
    /// Admission policies.
    pub policies: Policies,
}

impl Default for Metrics {
    /// All metrics, with nothing counted yet.
    fn default() -> Self {
        let mut registry = Registry::default();
        let metrics = Self {
            runs: Runs::new(&mut registry),
            queue: Queue::new(&mut registry),
            calls: Calls::new(&mut registry),
            requests: Requests::new(&mut registry),
            watches: Watches::default(),
            indexes: Indexes::default(),
            resources: Resources::default(),
            counters: Counters::new(&mut registry),
            leads: Family::default(),
            policies: Policies::default(),
            registry: Registry::default(),
        };
        metrics.register(&mut registry);
        Self {
            registry,
            ..metrics
        }
    }
}

impl Metrics {
    fn register(&self, registry: &mut Registry) {
        let name = "leader_election_master_status";
        registry.register(
            name,
            "1 if this replica is the leader, otherwise 0",
            self.leads.clone(),
        );
        let indexes = self.indexes.clone();
        registry.register_collector(Box::new(Reading {
            name: "staticawscredentials_tracked_secrets",
            help: "Secrets whose metadata is kept.",
            value: Box::new(move || indexes.tracked_secrets()),
        }));
        self.policies.register(registry);
        let build = Family::<Label, Gauge>::default();
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        build.get_or_create(&version).set(1);
        let name = "staticawscredentials_build_info";
        registry.register(name, "1 for the version of the process", build);
        registry.register_collector(Box::new(self.watches.clone()));
        registry.register_collector(Box::new(process::Process::this()));
    }

    /// Registers the gauges for calls to AWS STS and stores that wait for the rate limit, or for an endpoint to answer again.
    pub fn asked(&mut self, sts: &Arc<impl Sts>) {
        let (limited, held) = (Arc::clone(sts), Arc::clone(sts));
        let waiting = Reading {
            name: "staticawscredentials_sts_waiting",
            help: "Calls to AWS STS and stores that wait for the rate limit.",
            value: Box::new(move || limited.waiting()),
        };
        let held = Reading {
            name: "staticawscredentials_sts_held",
            help: "Calls to AWS STS and stores that are held until their endpoint answers again.",
            value: Box::new(move || held.held()),
        };
        for reading in [waiting, held] {
            self.registry.register_collector(Box::new(reading));
        }
    }

    /// A reconcile failed.
    pub fn failed(&self, error: &Error) {
        let kind = [("kind", error.category())];
        self.counters.failures.get_or_create(&kind).inc();
    }

    /// A request to STS was answered, by AWS or from the cache.
    pub fn answered(&self, answer: &Answer) {
        let kind = [("kind", calls::word(answer))];
        self.counters.answers.get_or_create(&kind).inc();
    }

    /// A control request about other pairs was made before a rejection counts.
    pub fn controlled(&self, control: Control) {
        let result = [("result", control.into())];
        self.counters.controls.get_or_create(&result).inc();
    }

    /// A status was written. A verdict is counted if the source or the reason changed, or if the same reason rests on
    /// a later proof.
    pub fn reported(
        &self,
        before: &StaticAwsCredentialsStatus,
        after: &StaticAwsCredentialsStatus,
    ) {
        let verified = |status: &StaticAwsCredentialsStatus| {
            conditions::reason(&status.conditions, ConditionType::Verified)
        };
        let (old, new) = (verified(before), verified(after));
        let judged = old != new
            || before.source != after.source
            || before.last_verified_time != after.last_verified_time;
        if let Some(reason) = new.filter(|_| judged) {
            let reason = [("reason", reason.as_str())];
            self.counters.verdicts.get_or_create(&reason).inc();
        }
        if old != new && new == Some(Reason::MassRejection) {
            self.counters.mass_rejections.inc();
        }
        let revision = |status: &StaticAwsCredentialsStatus| {
            let published = status.published.as_ref();
            published.map_or(0, |published| published.revision)
        };
        if revision(after) > revision(before) {
            self.counters.publications.inc();
        }
    }

    /// Counts events that could not be published.
    #[must_use]
    pub fn lost_events(&self) -> Counter {
        self.counters.lost_events.clone()
    }

    /// A resource could not be decoded.
    pub fn undecodable(&self) {
        self.counters.undecodable.inc();
    }

    /// Whether this replica holds the lease.
    pub fn leads(&self, lease: &str, leads: bool) {
        let name = lease.to_owned();
        self.leads.get_or_create(&Lease { name }).set(leads.into());
    }

    /// All but the metrics of single resources, in `OpenMetrics` without the `# EOF` line.
    fn families(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode_registry(&mut text, &self.registry);
        text
    }

    /// All metrics, in pieces that are made one by one.
    pub fn pages(&self, format: Format) -> impl Iterator<Item = String> + Send + use<> {
        let resources = self.resources.pages();
        let pages = [format.of(self.families())].into_iter().chain(resources);
        let pages = pages.chain([format.end().to_owned()]);
        pages.filter(|page| !page.is_empty())
    }
}
