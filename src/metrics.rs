//! What `/metrics` shows. Labels never hold names of resources, accounts or keys.

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::{error::Error, verdict::Answer};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    controller: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Lease {
    name: String,
}

/// Counters and gauges of the process.
pub struct Metrics {
    registry: Registry,
    runs: Family<Outcome, Counter>,
    seconds: Histogram,
    failures: Family<Kind, Counter>,
    answers: Family<Kind, Counter>,
    undecodable: Counter,
    mass_rejections: Counter,
    tracked: Gauge,
    leads: Family<Lease, Gauge>,
}

const CONTROLLER: &str = "staticawscredentials";

impl Metrics {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(unguarded: bool) -> Self {
        let mut registry = Registry::default();
        let buckets = [
            0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
        ];
        let metrics = Self {
            runs: Family::default(),
            seconds: Histogram::new(buckets),
            failures: Family::default(),
            answers: Family::default(),
            undecodable: Counter::default(),
            mass_rejections: Counter::default(),
            tracked: Gauge::default(),
            leads: Family::default(),
            registry: Registry::default(),
        };
        metrics.register(&mut registry);
        let guarded = Gauge::<i64>::default();
        guarded.set((!unguarded).into());
        let name = "staticawscredentials_guarded";
        let help = "1 if admission policies ask who may request what";
        registry.register(name, help, guarded);
        Self {
            registry,
            ..metrics
        }
    }

    fn register(&self, registry: &mut Registry) {
        let mut counter =
            |name, help, metric: &Counter| registry.register(name, help, metric.clone());
        counter(
            "staticawscredentials_mass_rejections",
            "Times that a published pair was refused together with those of other accounts",
            &self.mass_rejections,
        );
        counter(
            "staticawscredentials_undecodable",
            "Resources that could not be decoded",
            &self.undecodable,
        );
        let mut kinds = |name, help, metric: &Family<Kind, Counter>| {
            registry.register(name, help, metric.clone());
        };
        kinds(
            "staticawscredentials_failures",
            "Failed runs by kind of failure",
            &self.failures,
        );
        kinds(
            "staticawscredentials_sts_answers",
            "Answers of AWS STS by kind",
            &self.answers,
        );
        let name = "controller_runtime_reconcile";
        registry.register(name, "Runs by result", self.runs.clone());
        let name = "controller_runtime_reconcile_time_seconds";
        registry.register(name, "Length of a run", self.seconds.clone());
        let name = "leader_election_master_status";
        registry.register(name, "1 if this replica leads", self.leads.clone());
        let name = "staticawscredentials_tracked_secrets";
        registry.register(
            name,
            "Secrets of which metadata is kept",
            self.tracked.clone(),
        );
    }

    /// A run ended.
    pub fn ran(&self, result: Result<(), &Error>, seconds: f64) {
        let outcome = if result.is_ok() { "success" } else { "error" };
        self.runs
            .get_or_create(&Outcome {
                controller: CONTROLLER,
                result: outcome,
            })
            .inc();
        self.seconds.observe(seconds);
        if let Err(error) = result {
            self.failures
                .get_or_create(&Kind {
                    kind: error.category(),
                })
                .inc();
        }
    }

    /// AWS answered.
    pub fn answered(&self, answer: &Answer) {
        let kind = match answer {
            Answer::Identity(_) => "Identity",
            Answer::UnknownKey => "UnknownKey",
            Answer::SignatureMismatch => "SignatureMismatch",
            Answer::Expired => "Expired",
            Answer::Undetermined(reason) => reason.as_str(),
        };
        self.answers.get_or_create(&Kind { kind }).inc();
    }

    /// A resource could not be decoded.
    pub fn undecodable(&self) {
        self.undecodable.inc();
    }

    /// A published pair is refused together with those of other accounts.
    pub fn mass_rejection(&self) {
        self.mass_rejections.inc();
    }

    /// So many Secrets are tracked.
    pub fn tracked(&self, secrets: usize) {
        self.tracked.set(i64::try_from(secrets).unwrap_or(i64::MAX));
    }

    /// Whether this replica holds the lease.
    pub fn leads(&self, lease: &str, leads: bool) {
        let name = lease.to_owned();
        self.leads.get_or_create(&Lease { name }).set(leads.into());
    }

    /// All of it in the `OpenMetrics` text format.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
