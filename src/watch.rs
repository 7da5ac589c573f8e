//! The two watches of a scope: resources, pruned, and Secrets, as metadata. Both feed the index;
//! of a Secret nothing else is kept.

mod follow;
mod guarded;
mod heard;
pub mod lines;
mod pause;
mod told;

use std::sync::Arc;

use futures::{StreamExt, future};
use kube::{Api, Client, Resource, ResourceExt, runtime::watcher::Event};
use tokio::sync::watch;

use crate::{
    context::Context,
    glimpse::Glimpse,
    health::Dependency,
    index::{ResourceKey, Seen},
    lock::lock,
    resource,
};
pub use follow::SILENCE;
use follow::follow;
pub use guarded::Guarded;
use heard::Heard;

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
    let ear = context.shared.metrics.watches.open(crate::api::KIND);
    let events = follow(api, Arc::clone(&context), ear);
    events
        .for_each(|event| {
            if watching.saw(event.as_ref().err()) {
                context.wake_failed();
            }
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
    let woken = match event {
        Event::Init => {
            lock(&context.index).begin_resources();
            return;
        }
        Event::InitDone => {
            for key in lock(&context.index).end_resources() {
                context.forget(&key);
            }
            context.relisted();
            stage.send_if_modified(|stage| {
                let first = *stage == Stage::Starting;
                *stage = (*stage).max(Stage::ResourcesListed);
                first
            });
            return;
        }
        Event::Delete(object) => {
            let key = key(&object);
            let freed = lock(&context.index).delete_resource(&key);
            context.forget(&key);
            freed
        }
        Event::Apply(object) | Event::InitApply(object) => note(context, &object),
    };
    context.wake(&woken);
}

/// Keeps a resource, and returns it together with whoever wanted the same target. One that cannot be
/// decoded mentions what it mentioned before.
fn note(context: &Context, object: &Guarded) -> Vec<ResourceKey> {
    let mut index = lock(&context.index);
    let mut key = key(object);
    let uid = object.uid().unwrap_or_default().into();
    let mut woken = if let Ok(object) = &object.0 {
        let mentions = resource::mentions(object, object.status.as_ref());
        index.apply_resource(&key, mentions)
    } else {
        index.keep_resource(&key);
        Vec::new()
    };
    key = index.known(&key).unwrap_or(key);
    let object = object.0.as_ref().map_err(Clone::clone);
    lock(&context.store).keep(&key, uid, object);
    woken.push(key);
    woken
}

/// Namespace and name of a watched resource.
fn key(object: &Guarded) -> ResourceKey {
    ResourceKey::new(&object.namespace().unwrap_or_default(), &object.name_any())
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
    let ear = context.shared.metrics.watches.open("Secret");
    let events = follow(api, Arc::clone(&context), ear);
    events
        .for_each(|event| {
            if watching.saw(event.as_ref().err()) {
                context.wake_failed();
            }
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
            let first = is_first_list(context, index.tracked_secrets(), stage);
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

fn is_first_list(context: &Context, secrets: usize, stage: &watch::Sender<Stage>) -> bool {
    context.shared.metrics.tracked(secrets);
    let first = stage.send_replace(Stage::SecretsListed) != Stage::SecretsListed;
    if first {
        tracing::info!(secrets, "everything is listed; work begins");
    }
    first
}
