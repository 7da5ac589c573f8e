//! Reconciles, under the names and labels that dashboards for controller-runtime know.

use std::time::Duration;

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use tokio::time::Instant;

use super::{CONTROLLER, Label, SECONDS};
use crate::error::Error;

const RESULTS: [&str; 4] = ["success", "error", "requeue", "requeue_after"];

/// The number, results and durations of reconciles.
#[derive(Clone, Debug)]
pub struct Runs {
    total: Family<Label, Counter>,
    errors: Counter,
    terminal: Counter,
    panics: Counter,
    seconds: Histogram,
    at_most: Gauge,
    active: Gauge,
}

/// A reconcile in progress, until dropped.
#[derive(Debug)]
pub struct Run {
    runs: Runs,
    began: Instant,
}

impl Runs {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let runs = Self {
            total: Family::default(),
            errors: Counter::default(),
            terminal: Counter::default(),
            panics: Counter::default(),
            seconds: Histogram::new(SECONDS),
            at_most: Gauge::default(),
            active: Gauge::default(),
        };
        // `rate()` misses the first increment of a series that did not exist before.
        for result in RESULTS {
            drop(runs.total.get_or_create(&[("result", result)]));
        }
        let ours = ("controller".into(), CONTROLLER.into());
        let registry = registry.sub_registry_with_label(ours);
        let mut counter = |name, help, metric: &Counter| {
            registry.register(name, help, metric.clone());
        };
        let name = "controller_runtime_reconcile_errors";
        counter(name, "Failed reconciles", &runs.errors);
        let name = "controller_runtime_terminal_reconcile_errors";
        let help =
            "Reconciles of resources that cannot be reconciled as they are and are not tried again";
        counter(name, help, &runs.terminal);
        let name = "controller_runtime_reconcile_panics";
        counter(
            name,
            "Reconciles that panicked, which is a bug",
            &runs.panics,
        );
        let name = "controller_runtime_reconcile";
        let help = "Reconciles by result: success schedules no further reconcile, requeue_after does, requeue met a conflicting write";
        registry.register(name, help, runs.total.clone());
        let name = "controller_runtime_reconcile_time_seconds";
        registry.register(name, "Duration of reconciles", runs.seconds.clone());
        let name = "controller_runtime_max_concurrent_reconciles";
        let help = "Maximum number of concurrent reconciles";
        registry.register(name, help, runs.at_most.clone());
        let name = "controller_runtime_active_workers";
        registry.register(name, "Reconciles in progress", runs.active.clone());
        runs
    }

    /// Sets how many reconciles may run at once.
    pub fn at_most(&self, runs: usize) {
        self.at_most.set(i64::try_from(runs).unwrap_or(i64::MAX));
    }

    /// A resource cannot be reconciled as it is.
    pub fn terminal(&self) {
        self.terminal.inc();
    }

    /// A reconcile begins.
    #[must_use]
    pub fn begin(&self) -> Run {
        self.active.inc();
        Run {
            runs: self.clone(),
            began: Instant::now(),
        }
    }
}

impl Run {
    /// The reconcile ended; `result` holds the time until the next one that is planned. A reconcile that met a
    /// conflicting write is repeated, and has not failed.
    pub fn end(self, result: Result<Option<Duration>, &Error>) {
        let word = match result {
            Ok(None) => "success",
            Ok(Some(_)) => "requeue_after",
            Err(error) if error.is_conflict() => "requeue",
            Err(_) => "error",
        };
        let runs = &self.runs;
        runs.total.get_or_create(&[("result", word)]).inc();
        runs.seconds.observe(self.began.elapsed().as_secs_f64());
        if word == "error" {
            runs.errors.inc();
        }
        if matches!(result, Err(Error::Panic)) {
            runs.panics.inc();
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.runs.active.dec();
    }
}
