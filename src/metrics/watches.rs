//! How long ago the API server was last heard on a watch. A watch that stalls is silent and looks like
//! one on which nothing happens; but one on which nothing happens has a bookmark each minute.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, Weak},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
};
use tokio::time::Instant;

use crate::lock::lock;

/// The watches that are open.
#[derive(Clone, Debug, Default)]
pub struct Watches(Arc<Mutex<Vec<Watch>>>);

/// A kind, and when it was last heard of.
type Watch = (&'static str, Weak<Heard>);

/// When the API server was last heard on one watch.
#[derive(Debug)]
pub struct Heard(Mutex<Instant>);

impl Watches {
    /// A watch of a kind begins, and is measured for as long as the returned value lives.
    #[must_use]
    pub fn open(&self, kind: &'static str) -> Arc<Heard> {
        let heard = Arc::new(Heard(Mutex::new(Instant::now())));
        let mut open = lock(&self.0);
        open.retain(|(_, heard)| heard.strong_count() > 0);
        open.push((kind, Arc::downgrade(&heard)));
        heard
    }

    /// The age of the oldest watch of each kind.
    fn ages(&self) -> BTreeMap<&'static str, f64> {
        let mut ages = BTreeMap::new();
        for (kind, heard) in lock(&self.0).iter() {
            if let Some(heard) = heard.upgrade() {
                let oldest: &mut f64 = ages.entry(*kind).or_default();
                *oldest = oldest.max(heard.age());
            }
        }
        ages
    }
}

impl Heard {
    /// The API server is heard: a page of a list, the head of a watch, an event, a bookmark.
    pub fn now(&self) {
        *lock(&self.0) = Instant::now();
    }

    fn age(&self) -> f64 {
        lock(&self.0).elapsed().as_secs_f64()
    }
}

impl Collector for Watches {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let name = "staticawscredentials_watch_age_seconds";
        let help = "How long ago the API server was last heard on the watch of a kind; of several namespaces the longest.";
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (kind, age) in self.ages() {
            ConstGauge::new(age).encode(family.encode_family(&[("kind", kind)])?)?;
        }
        Ok(())
    }
}
