//! The scopes of a process, for checks that span the resources of all scopes.

use std::sync::{
    Arc, Mutex, Weak,
    atomic::{AtomicBool, Ordering},
};

use k8s_openapi::jiff::Timestamp;
use tokio::sync::watch;

use crate::{
    domain::{
        index::NamespacedName,
        lock::lock,
        rotation::{Key, Others},
    },
    ops::{health::HealthCheck, sync_state::SyncState},
    runtime::store::Store,
};

/// The scopes of a process.
pub struct Scopes {
    expected: usize,
    everywhere: bool,
    all: Mutex<Vec<Scope>>,
}

/// The parts of a scope that other scopes need. A reference to the whole shared context would make
/// the compiler check the bounds of each task for minutes.
#[derive(Clone)]
struct Scope {
    store: Weak<Mutex<Store>>,
    relisting: Arc<AtomicBool>,
    sync_state: watch::Receiver<SyncState>,
    resources: Arc<HealthCheck>,
}

impl Scopes {
    /// Expects the scopes of these namespaces, or of the cluster (`None`). None is added yet.
    #[must_use]
    pub fn of(namespaces: &[Option<String>]) -> Self {
        Self {
            expected: namespaces.len(),
            everywhere: namespaces.contains(&None),
            all: Mutex::default(),
        }
    }

    /// Adds a scope when it starts.
    pub fn add(
        &self,
        store: &Arc<Mutex<Store>>,
        relisting: &Arc<AtomicBool>,
        sync_state: watch::Receiver<SyncState>,
        resources: &Arc<HealthCheck>,
    ) {
        lock(&self.all).push(Scope {
            store: Arc::downgrade(store),
            relisting: Arc::clone(relisting),
            sync_state,
            resources: Arc::clone(resources),
        });
    }

    /// The stores of all scopes.
    #[must_use]
    pub fn stores(&self) -> Vec<Arc<Mutex<Store>>> {
        let scopes = lock(&self.all);
        scopes
            .iter()
            .filter_map(|scope| scope.store.upgrade())
            .collect()
    }

    /// The other resources that are related to these keys, in all scopes; makes no request.
    #[must_use]
    pub fn with_keys(&self, resource: &NamespacedName, keys: &[Key], now: Timestamp) -> Others {
        let mut others = Others::new(self.everywhere);
        let mut listed = 0;
        for scope in lock(&self.all).clone() {
            let Some(store) = scope.store.upgrade() else {
                continue;
            };
            let is_relisting = scope.relisting.load(Ordering::SeqCst);
            let is_listed =
                *scope.sync_state.borrow() >= SyncState::ResourcesSynced && !is_relisting;
            // A namespace without its Role is not served, so its list is not awaited.
            if is_listed || scope.resources.is_forbidden() {
                listed += 1;
            }
            lock(&store).with_keys(resource, keys, now, &mut others);
        }
        others.listed = listed >= self.expected;
        others
    }
}
