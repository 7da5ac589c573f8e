//! The work queue, under the names and labels that dashboards for client-go know.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{
        MetricType,
        counter::Counter,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
    },
    registry::Registry,
};
use tokio::time::Instant;

use super::{CONTROLLER, SECONDS};
use crate::domain::lock::lock;

/// Items that wait, and items that are worked on.
#[derive(Clone, Debug)]
pub struct Queue {
    depth: Gauge,
    adds: Counter,
    retries: Counter,
    waited: Histogram,
    worked: Histogram,
    under_way: UnderWay,
}

/// An item that is worked on, until dropped.
#[derive(Debug)]
pub struct Work {
    queue: Queue,
    number: u64,
    began: Instant,
}

#[derive(Clone, Debug, Default)]
struct UnderWay(Arc<Mutex<Begun>>);

#[derive(Debug, Default)]
struct Begun {
    next: u64,
    since: BTreeMap<u64, Instant>,
}

impl Queue {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let queue = Self {
            depth: Gauge::default(),
            adds: Counter::default(),
            retries: Counter::default(),
            waited: Histogram::new(SECONDS),
            worked: Histogram::new(SECONDS),
            under_way: UnderWay::default(),
        };
        let ours = ["name", "controller"].map(|label| (label.into(), CONTROLLER.into()));
        let registry = registry.sub_registry_with_labels(ours.into_iter());
        let name = "workqueue_depth";
        registry.register(
            name,
            "Resources that wait for a reconcile",
            queue.depth.clone(),
        );
        let name = "workqueue_adds";
        registry.register(
            name,
            "Resources that were added to the queue",
            queue.adds.clone(),
        );
        let name = "workqueue_retries";
        let help = "Resources that were added to the queue again after a failed reconcile";
        registry.register(name, help, queue.retries.clone());
        let name = "workqueue_queue_duration_seconds";
        registry.register(
            name,
            "Time that resources waited in the queue",
            queue.waited.clone(),
        );
        let name = "workqueue_work_duration_seconds";
        let help = "Time that resources were processed";
        registry.register(name, help, queue.worked.clone());
        registry.register_collector(Box::new(queue.under_way.clone()));
        queue
    }

    /// An item was added that did not wait before.
    pub fn added(&self) {
        self.adds.inc();
        self.depth.inc();
    }

    /// An item left the queue without being worked on: its resource is gone.
    pub fn removed(&self) {
        self.depth.dec();
    }

    /// An item left the queue after this time, and is worked on.
    #[must_use]
    pub fn started(&self, waited: Duration) -> Work {
        self.depth.dec();
        self.waited.observe(waited.as_secs_f64());
        let began = Instant::now();
        Work {
            queue: self.clone(),
            number: self.under_way.begin(began),
            began,
        }
    }

    /// An item waits again since a reconcile failed.
    pub fn retried(&self) {
        self.retries.inc();
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let worked = &self.queue.worked;
        worked.observe(self.began.elapsed().as_secs_f64());
        lock(&self.queue.under_way.0).since.remove(&self.number);
    }
}

impl UnderWay {
    fn begin(&self, now: Instant) -> u64 {
        let mut begun = lock(&self.0);
        let number = begun.next;
        begun.next += 1;
        begun.since.insert(number, now);
        number
    }

    /// How long all work in progress has taken so far in total, and the longest of it.
    fn ages(&self) -> (f64, f64) {
        let begun = lock(&self.0);
        let ages = begun
            .since
            .values()
            .map(|since| since.elapsed().as_secs_f64());
        ages.fold((0.0, 0.0), |(sum, longest), age| {
            (sum + age, age.max(longest))
        })
    }
}

impl Collector for UnderWay {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (sum, longest) = self.ages();
        let figures = [
            (
                "workqueue_unfinished_work_seconds",
                "Time that all reconciles in progress have taken so far.",
                sum,
            ),
            (
                "workqueue_longest_running_processor_seconds",
                "Time that the longest running reconcile has taken so far.",
                longest,
            ),
        ];
        for (name, help, value) in figures {
            let gauge = ConstGauge::new(value);
            let kind = MetricType::Gauge;
            gauge.encode(encoder.encode_descriptor(name, help, None, kind)?)?;
        }
        Ok(())
    }
}
