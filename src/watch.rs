//! The two watches of a scope: resources, pruned, and Secrets, as metadata. Both feed the index;
//! of a Secret nothing else is kept.

mod follow;
mod guarded;
mod heard;
pub mod lines;
mod pause;
mod recovery;
pub mod resources;
mod told;

use std::sync::Arc;

use futures::{StreamExt, future};
use kube::{Api, Client, Resource, ResourceExt, runtime::watcher::Event};
use tokio::sync::watch;

use crate::{context::Context, glimpse::Glimpse, health::Dependency, index::Seen, lock::lock};
pub use follow::SILENCE;
use follow::follow;
pub use guarded::Guarded;
pub use heard::Heard;

/// Where the two lists stand: resources come first, so that the names that matter are known when
/// the Secrets pass by; runs begin after both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nothing is complete.
    Starting,
    /// Every resource is known.
    ResourcesListed,
    /// Every Secret that matters is known too.
    SecretsListed,
}

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

/// Watches resources, and has those run that changed.
pub async fn resources(
    context: Arc<Context>,
    namespace: Option<String>,
    watching: Arc<Dependency>,
    stage: watch::Sender<Stage>,
) {
    let api: Api<Guarded> = api(&context.shared.client, namespace.as_deref());
    let mut heard = Heard::default();
    let watches = &context.shared.metrics.watches;
    let ear = watches.open(crate::api::KIND, namespace.as_deref());
    let events = follow(api, Arc::clone(&context) as _, watching, ear);
    events
        .for_each(|event| {
            if heard.is_news(&event)
                && let Ok(event) = event
            {
                note_resource(&context, event, &stage);
            }
            future::ready(())
        })
        .await;
}

fn note_resource(context: &Context, event: Event<Guarded>, stage: &watch::Sender<Stage>) {
    let consequences = {
        let (mut index, mut store) = (lock(&context.index), lock(&context.store));
        resources::note(&mut index, &mut store, event)
    };
    for key in &consequences.gone {
        lock(&context.queue).forget(key);
    }
    if consequences.listed {
        context.relisted();
        stage.send_if_modified(|stage| {
            let first = *stage == Stage::Starting;
            *stage = (*stage).max(Stage::ResourcesListed);
            first
        });
    }
    context.wake(&consequences.woken);
}

/// Watches Secrets once the resources are listed, and says which resources a change concerns.
pub async fn secrets(
    context: Arc<Context>,
    namespace: Option<String>,
    watching: Arc<Dependency>,
    stage: watch::Sender<Stage>,
) {
    let listed = |stage: &Stage| *stage >= Stage::ResourcesListed;
    // The sender is held here, so the stage cannot be closed.
    let _ = stage.subscribe().wait_for(listed).await;
    let api: Api<Glimpse> = api(&context.shared.client, namespace.as_deref());
    let watches = &context.shared.metrics.watches;
    let ear = watches.open("Secret", namespace.as_deref());
    let events = follow(api, Arc::clone(&context) as _, watching, ear);
    events
        .for_each(|event| {
            if let Ok(event) = event {
                note_secret(&context, event, &stage);
            }
            future::ready(())
        })
        .await;
}

fn note_secret(context: &Context, event: Event<Glimpse>, stage: &watch::Sender<Stage>) {
    let mut index = lock(&context.index);
    let place = |secret: &Glimpse| (secret.namespace().unwrap_or_default(), secret.name_any());
    let concerned = match event {
        Event::Init => {
            index.begin_secrets();
            Vec::new()
        }
        Event::InitApply(secret) => {
            let (namespace, name) = place(&secret);
            if let Some(seen) = Seen::of(secret.meta()) {
                index.list_secret(&namespace, &name, seen);
            }
            Vec::new()
        }
        Event::InitDone => {
            let concerned = index.end_secrets();
            let first = is_first_list(index.tracked_secrets(), stage);
            // The first list wakes nobody: the list of resources does.
            if first { Vec::new() } else { concerned }
        }
        Event::Apply(secret) => {
            let (namespace, name) = place(&secret);
            Seen::of(secret.meta())
                .map(|seen| index.apply_secret(&namespace, &name, seen))
                .unwrap_or_default()
        }
        Event::Delete(secret) => {
            let (namespace, name) = place(&secret);
            let version = Seen::of(secret.meta()).map_or(u64::MAX, |seen| seen.version);
            index.delete_secret(&namespace, &name, version)
        }
    };
    drop(index);
    context.wake(&concerned);
}

fn is_first_list(secrets: usize, stage: &watch::Sender<Stage>) -> bool {
    let first = stage.send_replace(Stage::SecretsListed) != Stage::SecretsListed;
    if first {
        tracing::info!(secrets, "everything is listed; work begins");
    }
    first
}
