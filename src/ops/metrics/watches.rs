//! The age of the last message on each watch, and the resource version up to which its events were processed.
//! A stalled watch looks like an idle one, since both are silent; but an idle watch gets a bookmark each minute.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
};
use tokio::time::Instant;

use crate::domain::lock::lock;

/// The watches that are open.
#[derive(Clone, Debug, Default)]
pub struct Watches(Arc<Mutex<Vec<Watch>>>);

/// The watch of a kind in one namespace, or in all namespaces.
#[derive(Debug)]
struct Watch {
    kind: &'static str,
    scope: String,
    heard: Weak<WatchLiveness>,
}

/// When the API server last sent something on one watch, and the version up to which its events were processed.
#[derive(Debug)]
pub struct WatchLiveness {
    last: Mutex<Instant>,
    version: AtomicU64,
}

impl Watches {
    /// Registers a watch of a kind in one namespace, or in all. The watch is measured for as long as the returned
    /// value lives.
    #[must_use]
    pub fn open(&self, kind: &'static str, namespace: Option<&str>) -> Arc<WatchLiveness> {
        let heard = Arc::new(WatchLiveness {
            last: Mutex::new(Instant::now()),
            version: AtomicU64::new(0),
        });
        let mut open = lock(&self.0);
        open.retain(|watch| watch.heard.strong_count() > 0);
        open.push(Watch {
            kind,
            scope: namespace.unwrap_or_default().to_owned(),
            heard: Arc::downgrade(&heard),
        });
        heard
    }

    /// The greatest age of the watches of each kind and scope.
    fn ages(&self) -> BTreeMap<(&'static str, String), f64> {
        let mut ages = BTreeMap::new();
        for watch in lock(&self.0).iter() {
            if let Some(heard) = watch.heard.upgrade() {
                let oldest: &mut f64 = ages.entry((watch.kind, watch.scope.clone())).or_default();
                *oldest = oldest.max(heard.silence().as_secs_f64());
            }
        }
        ages
    }
}

impl WatchLiveness {
    /// The API server sent something: a page of a list, the head of a watch, an event, a bookmark.
    pub fn now(&self) {
        *lock(&self.last) = Instant::now();
    }

    /// All events up to this version were processed.
    pub fn processed(&self, version: &str) {
        // Kubernetes compares resource versions as numbers.
        if let Ok(version) = version.parse() {
            self.version.store(version, Ordering::Relaxed);
        }
    }

    /// The time since the API server last sent something.
    #[must_use]
    pub fn silence(&self) -> Duration {
        lock(&self.last).elapsed()
    }
}

impl Collector for Watches {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let name = "staticawscredentials_watch_age_seconds";
        let help = "Time since the API server last sent data on the watch of a kind; the scope is a namespace, or empty if one watch serves all namespaces.";
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for ((kind, scope), age) in self.ages() {
            let labels = [("kind", kind), ("scope", scope.as_str())];
            ConstGauge::new(age).encode(family.encode_family(&labels)?)?;
        }
        let name = "staticawscredentials_watch_resource_version";
        let help = "Resource version up to which the events of a watch were processed; the scope is a namespace, or empty if one watch serves all namespaces.";
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for watch in lock(&self.0).iter() {
            let Some(heard) = watch.heard.upgrade() else {
                continue;
            };
            let labels = [("kind", watch.kind), ("scope", &watch.scope)];
            let version = heard.version.load(Ordering::Relaxed);
            ConstGauge::new(version).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
