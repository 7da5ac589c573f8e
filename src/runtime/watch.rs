//! The watch of the classes, and the two watches of a scope: resources (pruned), and Secrets (metadata only). Both feed the
//! index; nothing of a Secret is kept outside of it.

mod backoff;
mod classes;
mod credentials;
mod initial_list;
pub mod lines;
mod recovery;
pub mod resources;
mod stale_events;
mod state;
mod watcher;

use std::sync::Arc;

use futures::{StreamExt, future};
use kube::{Api, Client, Resource, ResourceExt, runtime::watcher::Event};
use tokio::sync::watch;

use crate::{
    domain::{index::SecretVersion, lock::lock},
    ops::{health::HealthCheck, sync_state::SyncState},
    runtime::{context::ScopeContext, partial_meta::PartialMeta},
};
pub use classes::classes;
pub use credentials::WatchedCredentials;
pub use lines::IDLE_TIMEOUT;
pub use stale_events::StaleEventFilter;
use watcher::watch_stream;

fn api<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<Scope = kube::core::NamespaceResourceScope>,
    K::DynamicType: Default,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// Watches resources, and enqueues the changed ones.
pub async fn resources(
    context: Arc<ScopeContext>,
    namespace: Option<String>,
    health: Arc<HealthCheck>,
    sync_state: watch::Sender<SyncState>,
) {
    let api: Api<WatchedCredentials> = api(&context.shared.client, namespace.as_deref());
    let mut filter = StaleEventFilter::default();
    let watches = &context.shared.metrics.watches;
    let liveness = watches.open(crate::api::KIND, namespace.as_deref());
    lock(&context.store).set_watch(Arc::clone(&liveness));
    let events = watch_stream(api, Arc::clone(&context) as _, health, liveness);
    events
        .for_each(|event| {
            if filter.accept(&event)
                && let Ok(event) = event
            {
                on_resource_event(&context, event, &sync_state);
            }
            future::ready(())
        })
        .await;
}

fn on_resource_event(
    context: &ScopeContext,
    event: Event<WatchedCredentials>,
    sync_state: &watch::Sender<SyncState>,
) {
    let consequences = {
        let (mut index, mut store) = (lock(&context.index), lock(&context.store));
        resources::on_event(&mut index, &mut store, event)
    };
    for key in &consequences.gone {
        context.shared.queue.remove(key);
    }
    if consequences.listed {
        context.on_relist_done();
        sync_state.send_if_modified(|sync_state| {
            let first = *sync_state == SyncState::Syncing;
            *sync_state = (*sync_state).max(SyncState::ResourcesSynced);
            first
        });
    }
    context.enqueue(&consequences.to_enqueue);
}

/// Watches Secrets after the resources are listed, and enqueues the resources that a change concerns.
pub async fn secrets(
    context: Arc<ScopeContext>,
    namespace: Option<String>,
    health: Arc<HealthCheck>,
    sync_state: watch::Sender<SyncState>,
) {
    let listed = |sync_state: &SyncState| *sync_state >= SyncState::ResourcesSynced;
    // This function holds a sender, so the channel cannot close.
    let _ = sync_state.subscribe().wait_for(listed).await;
    let api: Api<PartialMeta> = api(&context.shared.client, namespace.as_deref());
    let watches = &context.shared.metrics.watches;
    let liveness = watches.open("Secret", namespace.as_deref());
    let events = watch_stream(api, Arc::clone(&context) as _, health, liveness);
    events
        .for_each(|event| {
            if let Ok(event) = event {
                on_secret_event(&context, event, &sync_state);
            }
            future::ready(())
        })
        .await;
}

fn on_secret_event(
    context: &ScopeContext,
    event: Event<PartialMeta>,
    sync_state: &watch::Sender<SyncState>,
) {
    let mut index = lock(&context.index);
    let name_of =
        |secret: &PartialMeta| (secret.namespace().unwrap_or_default(), secret.name_any());
    let to_enqueue = match event {
        Event::Init => {
            index.start_relist();
            Vec::new()
        }
        Event::InitApply(secret) => {
            let (namespace, name) = name_of(&secret);
            if let Some(seen) = SecretVersion::of(secret.meta()) {
                index.list_secret(&namespace, &name, seen);
            }
            Vec::new()
        }
        Event::InitDone => {
            let to_enqueue = index.finish_relist();
            let first = is_first_list(index.tracked_secrets(), sync_state);
            // The first list of Secrets enqueues nothing: the list of resources did.
            if first { Vec::new() } else { to_enqueue }
        }
        Event::Apply(secret) => {
            let (namespace, name) = name_of(&secret);
            SecretVersion::of(secret.meta())
                .map(|seen| index.apply_secret(&namespace, &name, seen))
                .unwrap_or_default()
        }
        Event::Delete(secret) => {
            let (namespace, name) = name_of(&secret);
            let version = SecretVersion::of(secret.meta()).map_or(u64::MAX, |seen| seen.version);
            index.delete_secret(&namespace, &name, version)
        }
    };
    drop(index);
    context.enqueue(&to_enqueue);
}

fn is_first_list(secrets: usize, sync_state: &watch::Sender<SyncState>) -> bool {
    let first = sync_state.send_replace(SyncState::Synced) != SyncState::Synced;
    if first {
        tracing::info!(secrets, "everything is listed; reconciles begin");
    }
    first
}
