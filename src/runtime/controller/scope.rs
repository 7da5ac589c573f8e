//! The scopes of the process: their watches, and whether their resources may be reconciled.

use std::{collections::HashMap, sync::Arc};

use tokio::{sync::watch, task::JoinSet};

use crate::{
    ops::{
        health::{Health, HealthCheck},
        sync_state::SyncState,
    },
    runtime::{
        context::{ProcessContext, ScopeContext},
        watch as watches,
    },
};

/// A namespace that is watched, or the cluster.
pub(super) struct Scope {
    pub(super) context: Arc<ScopeContext>,
    sync_state: watch::Receiver<SyncState>,
}

/// The scopes, by namespace.
pub(super) type Scopes = HashMap<Arc<str>, Scope>;

/// The key of the only scope if that is the cluster.
const CLUSTER: &str = "";

/// Starts the watches of these namespaces, or of the cluster (`None`).
pub(super) fn watch_scopes(
    shared: &Arc<ProcessContext>,
    health: &Health,
    namespaces: Vec<Option<String>>,
    watch_tasks: &mut JoinSet<()>,
) -> Scopes {
    let scopes = namespaces.into_iter().map(|namespace| {
        let scope = watch_scope(shared, health, namespace, watch_tasks);
        let name = scope.context.namespace.clone();
        (name.unwrap_or_else(|| Arc::from(CLUSTER)), scope)
    });
    scopes.collect()
}

/// Starts the watches of a scope.
fn watch_scope(
    shared: &Arc<ProcessContext>,
    health: &Health,
    namespace: Option<String>,
    watch_tasks: &mut JoinSet<()>,
) -> Scope {
    let context = ScopeContext::new(Arc::clone(shared), namespace.as_deref());
    let context = Arc::new(context);
    let name = namespace.as_deref().map_or_else(
        || "all namespaces".to_owned(),
        |name| format!("namespace {name}"),
    );
    let (sync_state, sync_receiver) = watch::channel(SyncState::Syncing);
    let resources_check = HealthCheck::new(format!("watch of StaticAwsCredentials in {name}"));
    let secrets_check = HealthCheck::new(format!("watch of Secrets in {name}"));
    shared.scopes.add(
        &context.store,
        &context.relisting,
        sync_receiver.clone(),
        &resources_check,
    );
    health.add(
        name,
        sync_receiver.clone(),
        [Arc::clone(&resources_check), Arc::clone(&secrets_check)],
    );
    watch_tasks.spawn(watches::resources(
        Arc::clone(&context),
        namespace.clone(),
        resources_check,
        sync_state.clone(),
    ));
    watch_tasks.spawn(watches::secrets(
        Arc::clone(&context),
        namespace,
        secrets_check,
        sync_state,
    ));
    Scope {
        context,
        sync_state: sync_receiver,
    }
}

impl Scope {
    /// Before both lists are complete, unseen objects would count as deleted. After a restore of etcd and before the
    /// relist is complete, a reconcile could act for a resource that does not exist.
    pub(super) fn may_run(&self) -> bool {
        *self.sync_state.borrow() == SyncState::Synced && !self.context.is_relisting()
    }
}

pub(super) fn scope_of<'a>(scopes: &'a Scopes, namespace: &str) -> Option<&'a Scope> {
    scopes.get(CLUSTER).or_else(|| scopes.get(namespace))
}
