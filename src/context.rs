//! What every run of one scope shares.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use kube::Client;
use tokio::sync::{mpsc, watch};

use crate::{
    events::Announcement,
    fair::FairGate,
    fingerprint::FingerprintKey,
    index::Index,
    leader::Leader,
    lock::lock,
    metrics::{Known, Metrics},
    remembered::{Refusals, Remembered},
    sts::Sts,
};

/// What every scope of a process shares.
pub struct Shared {
    /// The API server.
    pub client: Client,
    /// Whether this replica may have effects.
    pub leader: Leader,
    /// AWS.
    pub sts: Arc<dyn Sts>,
    /// Whether one endpoint stands for all regions.
    pub endpoint_replaced: bool,
    /// By what pairs are recognized.
    pub key: FingerprintKey,
    /// How many runs go on at once.
    pub gate: FairGate,
    /// Published pairs that AWS began to refuse.
    pub refusals: Mutex<Refusals>,
    /// Where events go.
    pub events: mpsc::Sender<Announcement>,
    /// Counters.
    pub metrics: Metrics,
}

/// One scope: a namespace, or the cluster.
pub struct Context {
    /// What is shared with other scopes.
    pub shared: Arc<Shared>,
    /// Which resource cares about which Secret.
    pub index: Mutex<Index>,
    /// What is remembered, by UID.
    pub remembered: Mutex<HashMap<String, Box<Remembered>>>,
    /// How often the store of the API server was found restored from a backup.
    pub restored: watch::Sender<u64>,
    /// What metrics tell of each resource.
    pub summaries: Arc<Known>,
    relisting: AtomicBool,
}

impl Context {
    /// A scope that knows nothing yet.
    #[must_use]
    pub fn new(shared: Arc<Shared>) -> Self {
        let summaries = Arc::new(Known::default());
        let listing = Arc::downgrade(&summaries);
        shared.metrics.resources.ask(listing);
        Self {
            summaries,
            shared,
            index: Mutex::default(),
            remembered: Mutex::default(),
            restored: watch::Sender::default(),
            relisting: AtomicBool::new(false),
        }
    }

    /// The store of the API server was restored from a backup: what was seen and written since that
    /// was made never was, and its versions will be given out again.
    pub fn store_restored(&self) {
        self.relisting.store(true, Ordering::SeqCst);
        lock(&self.index).rewind();
        lock(&self.remembered).clear();
        self.restored.send_modify(|times| *times += 1);
    }

    /// The resources were listed again.
    pub fn relisted(&self) {
        self.relisting.store(false, Ordering::SeqCst);
    }

    /// Whether resources are known that may never have been.
    #[must_use]
    pub fn is_relisting(&self) -> bool {
        self.relisting.load(Ordering::SeqCst)
    }

    /// Looks at or changes what is remembered of a resource.
    pub fn remember<T>(&self, uid: &str, with: impl FnOnce(&mut Remembered) -> T) -> T {
        let mut remembered = lock(&self.remembered);
        if let Some(known) = remembered.get_mut(uid) {
            return with(known);
        }
        with(remembered.entry(uid.to_owned()).or_default())
    }

    /// Forgets a resource that is gone.
    pub fn forget(&self, uid: &str) {
        lock(&self.remembered).remove(uid);
    }
}
