//! What all reconciles of one scope share.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use kube::Client;
use tokio::sync::watch;

use crate::{
    domain::{
        decide::Cause,
        fingerprint::FingerprintKey,
        index::{Index, NamespacedName},
        lock::lock,
        reconcile::RuntimeState,
        resource::ValidatedCredentials,
    },
    ops::metrics::Metrics,
    runtime::{
        classes::Classes, events::EventQueue, guards::Guards, leader::Leader,
        pending_verification::PendingVerification, queue::WorkQueue, scopes::Scopes, store::Store,
    },
    sts::{Endpoint, Sts},
};

/// What every scope of a process shares.
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct ProcessContext {
    /// Client of the API server.
    pub client: Client,
    /// Whether this replica leads, and so may have effects.
    pub leader: Leader,
    /// AWS STS, and the stores of classes.
    pub sts: Arc<dyn Sts>,
    /// The endpoint that replaces the regional endpoints of STS, if set.
    pub endpoint: Option<Endpoint>,
    /// Whether STS is reached through a proxy.
    pub proxied: bool,
    /// Whether pods are listed to find the consumers of a previous key pair.
    pub lists_consumers: bool,
    /// Whether workloads are restarted after a rotation.
    pub restarts_consumers: bool,
    /// How long the kubelet takes to update a changed Secret in the pods of its node.
    pub kubelet_sync_period: Duration,
    /// For how many seconds SDKs cache the output of a `credential_process`.
    pub credential_process_ttl: u32,
    /// Keys of the labels that are copied from resources to targets.
    pub copied_labels: Vec<String>,
    /// Key of the fingerprints that identify pairs.
    pub key: FingerprintKey,
    /// Which resource is reconciled next.
    pub queue: Arc<WorkQueue>,
    /// Every scope.
    pub scopes: Scopes,
    /// The classes of the cluster.
    pub classes: Arc<Classes>,
    /// Queue of Kubernetes events to write.
    pub events: EventQueue,
    /// Counters.
    pub metrics: Metrics,
    /// What was observed of the admission policies.
    pub guards: Arc<Guards>,
}

/// One scope: a namespace, or the cluster.
pub struct ScopeContext {
    /// What is shared with other scopes.
    pub shared: Arc<ProcessContext>,
    /// Which resource references which Secret.
    pub index: Arc<Mutex<Index>>,
    /// The resources, and the runtime state of each.
    pub store: Arc<Mutex<Store>>,
    /// The namespace; `None` for the cluster.
    pub namespace: Option<Arc<str>>,
    /// How often the store of the API server was found restored from a backup.
    pub restored: watch::Sender<u64>,
    /// Whether the store was restored and the resources are not yet listed again: known ones may not exist.
    pub relisting: Arc<AtomicBool>,
}

impl ScopeContext {
    /// An empty scope.
    #[must_use]
    pub fn new(shared: Arc<ProcessContext>, namespace: Option<&str>) -> Self {
        let store = Arc::new(Mutex::new(Store::with_labels(shared.copied_labels.clone())));
        let listed = Arc::downgrade(&store);
        shared.metrics.resources.add(move |last, most| {
            let store = listed.upgrade();
            let page = store.map(|store| lock(&store).page(last, most));
            page.unwrap_or_default()
        });
        let index = Arc::<Mutex<Index>>::default();
        shared.metrics.indexes.add(&index);
        Self {
            shared,
            index,
            store,
            namespace: namespace.map(Arc::from),
            restored: watch::Sender::default(),
            relisting: Arc::default(),
        }
    }

    /// Enqueues those of these resources that the store holds, since something changed.
    pub fn enqueue<'a>(&self, keys: impl IntoIterator<Item = &'a NamespacedName>) {
        self.enqueue_for(Cause::Change, keys);
    }

    /// Enqueues those of these resources that the store holds.
    pub fn enqueue_for<'a>(
        &self,
        cause: Cause,
        keys: impl IntoIterator<Item = &'a NamespacedName>,
    ) {
        let store = lock(&self.store);
        // A clone of the store's key shares its memory.
        let known = keys.into_iter().filter_map(|key| store.intern(key));
        self.shared.queue.enqueue(known, cause);
    }

    /// Enqueues the resources whose reconcile failed: it may succeed now.
    pub fn enqueue_failed(&self) {
        let own = self.namespace.as_deref();
        let is_meant = |namespace: &str| own.is_none_or(|own| own == namespace);
        self.shared.queue.enqueue_failed(is_meant);
    }

    /// The admission policies were checked: writes that were withheld before may be possible now.
    pub fn on_policies_checked(&self) {
        let keys: Vec<NamespacedName> = lock(&self.store).keys().cloned().collect();
        self.enqueue(&keys);
    }

    /// This replica begins to lead. Its runtime states are older than the last leader's writes, so
    /// it begins as after a start, but with a warm index.
    pub fn on_started_leading(&self) {
        let keys: Vec<NamespacedName> = {
            let mut store = lock(&self.store);
            store.clear_states();
            store.keys().cloned().collect()
        };
        self.enqueue(&keys);
    }

    /// The store of the API server was restored from a backup: everything seen or written after
    /// that backup is void, and its resource versions will be assigned again.
    pub fn on_etcd_restore(&self) {
        self.relisting.store(true, Ordering::SeqCst);
        lock(&self.index).invalidate();
        lock(&self.store).clear_states();
        self.restored.send_modify(|count| *count += 1);
    }

    /// A list of the resources is complete.
    pub fn on_relist_done(&self) {
        self.relisting.store(false, Ordering::SeqCst);
        self.shared.queue.wake();
    }

    /// Whether the store was restored and the resources are not yet listed again: known ones may not exist.
    #[must_use]
    pub fn is_relisting(&self) -> bool {
        self.relisting.load(Ordering::SeqCst)
    }

    /// Cancels all requests to STS: only reconciles of the leader use the answers.
    pub fn cancel_questions(&self) {
        lock(&self.store).cancel_questions();
    }

    /// Reads or changes the pending request to STS of a resource.
    pub fn question<T>(
        &self,
        resource: &ValidatedCredentials,
        with: impl FnOnce(&mut Option<Box<PendingVerification>>) -> T,
    ) -> T {
        let uid = resource.uid.as_str().into();
        lock(&self.store).question(&resource.key, &uid, with)
    }

    /// Reads or changes the runtime state of a resource.
    pub fn with_state<T>(
        &self,
        resource: &ValidatedCredentials,
        with: impl FnOnce(&mut RuntimeState) -> T,
    ) -> T {
        let uid = resource.uid.as_str().into();
        lock(&self.store).with_state(&resource.key, &uid, with)
    }
}
