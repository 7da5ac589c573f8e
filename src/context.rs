//! What every run of one scope shares.

use std::{
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use kube::Client;
use tokio::{
    sync::{Notify, mpsc, watch},
    time::Instant,
};

use crate::{
    events::EventRequest,
    fair::FairSemaphore,
    fingerprint::FingerprintKey,
    guards::Guards,
    index::{Index, NamespacedName},
    leader::Leader,
    lock::lock,
    metrics::{Listing, Metrics},
    queue::Queue,
    resource::ValidatedCredentials,
    runtime_state::{PendingVerification, RuntimeState},
    scopes::Scopes,
    store::Store,
    sts::{Endpoint, Sts},
};

/// What every scope of a process shares.
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct ProcessContext {
    /// The API server.
    pub client: Client,
    /// Whether this replica may have effects.
    pub leader: Leader,
    /// AWS.
    pub sts: Arc<dyn Sts>,
    /// What is asked instead of the regions' own STS.
    pub endpoint: Option<Endpoint>,
    /// Whether STS is asked through a proxy.
    pub proxied: bool,
    /// Whether pods are listed to see who holds a superseded pair.
    pub lists_consumers: bool,
    /// Whether workloads are restarted after a rotation.
    pub restarts_consumers: bool,
    /// How long the kubelet takes to put a new content of a Secret into the pods of its node.
    pub kubelet_sync_period: Duration,
    /// For how many seconds SDKs keep what a `credential_process` told them.
    pub credential_process_ttl: u32,
    /// Keys of labels that targets get from their resources.
    pub copied_labels: Vec<String>,
    /// By what pairs are recognized.
    pub key: FingerprintKey,
    /// How many runs go on at once.
    pub gate: FairSemaphore,
    /// Every scope.
    pub scopes: Scopes,
    /// Where events go.
    pub events: mpsc::Sender<EventRequest>,
    /// Counters.
    pub metrics: Metrics,
    /// What was seen of the admission policies.
    pub guards: Arc<Guards>,
}

/// One scope: a namespace, or the cluster.
pub struct ScopeContext {
    /// What is shared with other scopes.
    pub shared: Arc<ProcessContext>,
    /// Which resource cares about which Secret.
    pub index: Arc<Mutex<Index>>,
    /// The resources, and what is remembered of each.
    pub store: Arc<Mutex<Store>>,
    /// Whose turn it is.
    pub queue: Mutex<Queue>,
    /// Told when the queue has changed.
    pub queue_changed: Notify,
    /// How often the store of the API server was found restored from a backup.
    pub restored: watch::Sender<u64>,
    /// Whether resources are known that may never have been.
    pub relisting: Arc<AtomicBool>,
}

impl ScopeContext {
    /// A scope that knows nothing yet.
    #[must_use]
    pub fn new(shared: Arc<ProcessContext>) -> Self {
        let store = Arc::new(Mutex::new(Store::with_labels(shared.copied_labels.clone())));
        let listing: Weak<dyn Listing> = Arc::downgrade(&store) as _;
        shared.metrics.resources.ask(listing);
        let index = Arc::<Mutex<Index>>::default();
        shared.metrics.indexes.add(&index);
        Self {
            shared,
            index,
            store,
            queue: Mutex::default(),
            queue_changed: Notify::new(),
            restored: watch::Sender::default(),
            relisting: Arc::default(),
        }
    }

    /// Something concerns these resources.
    pub fn enqueue<'a>(&self, keys: impl IntoIterator<Item = &'a NamespacedName>) {
        let now = Instant::now();
        let (store, mut queue) = (lock(&self.store), lock(&self.queue));
        for key in keys {
            // The key as the store has it shares its memory.
            if let Some(key) = store.intern(key)
                && queue.enqueue(&key, now)
            {
                self.shared.metrics.queue.added();
            }
        }
        self.queue_changed.notify_one();
    }

    /// What failed may succeed now.
    pub fn enqueue_failed(&self) {
        for _ in 0..lock(&self.queue).enqueue_failed(Instant::now()) {
            self.shared.metrics.queue.added();
        }
        self.queue_changed.notify_one();
    }

    /// The policies were looked at, and what could not be written before may be written now.
    pub fn on_policies_checked(&self) {
        let keys: Vec<NamespacedName> = lock(&self.store).keys().cloned().collect();
        self.enqueue(&keys);
    }

    /// This replica begins to lead. What it remembers is older than what the last leader did, so it
    /// begins as after a start, but with a warm index.
    pub fn on_started_leading(&self) {
        let keys: Vec<NamespacedName> = {
            let mut store = lock(&self.store);
            store.clear_states();
            store.keys().cloned().collect()
        };
        self.enqueue(&keys);
    }

    /// The store of the API server was restored from a backup: what was seen and written since that
    /// was made never was, and its versions will be given out again.
    pub fn on_etcd_restore(&self) {
        self.relisting.store(true, Ordering::SeqCst);
        lock(&self.index).invalidate();
        lock(&self.store).clear_states();
        self.restored.send_modify(|times| *times += 1);
    }

    /// The resources were listed again.
    pub fn on_relist_done(&self) {
        self.relisting.store(false, Ordering::SeqCst);
        self.queue_changed.notify_one();
    }

    /// Whether resources are known that may never have been.
    #[must_use]
    pub fn is_relisting(&self) -> bool {
        self.relisting.load(Ordering::SeqCst)
    }

    /// The answers to questions are for the runs of this process while it leads.
    pub fn cancel_questions(&self) {
        lock(&self.store).cancel_questions();
    }

    /// Looks at or changes the question that a resource waits for.
    pub fn question<T>(
        &self,
        resource: &ValidatedCredentials,
        with: impl FnOnce(&mut Option<Box<PendingVerification>>) -> T,
    ) -> T {
        let uid = resource.uid.as_str().into();
        lock(&self.store).question(&resource.key, &uid, with)
    }

    /// Looks at or changes what is remembered of a resource.
    pub fn with_state<T>(
        &self,
        resource: &ValidatedCredentials,
        with: impl FnOnce(&mut RuntimeState) -> T,
    ) -> T {
        let uid = resource.uid.as_str().into();
        lock(&self.store).with_state(&resource.key, &uid, with)
    }
}
