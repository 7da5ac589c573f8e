//! The two watches of a scope: resources, pruned, and Secrets, as metadata. Both feed the index;
//! of a Secret nothing else is kept.

mod follow;
mod heard;
mod pause;

use std::sync::Arc;

use futures::{Stream, StreamExt, future};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client, Resource, ResourceExt,
    core::{DeserializeGuard, PartialObjectMeta},
    runtime::watcher::{self, Event},
};
use tokio::sync::{mpsc, watch};

use crate::{
    api::StaticAwsCredentials,
    context::Context,
    health::Dependency,
    index::{ResourceKey, Seen},
    lock::lock,
    resource,
};
pub use follow::SILENCE;
use follow::follow;
use heard::Heard;

/// A resource as it is watched: one that cannot be decoded does not stop the others.
pub type Guarded = DeserializeGuard<StaticAwsCredentials>;

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

/// Watches resources. The end of the first list is passed on only once the Secrets are listed too:
/// a run before that would take "not seen yet" for "gone".
pub fn resources(
    context: &Arc<Context>,
    namespace: Option<&str>,
    watching: Arc<Dependency>,
    stage: watch::Sender<Stage>,
    woken: mpsc::UnboundedSender<ResourceKey>,
) -> impl Stream<Item = watcher::Result<Event<Guarded>>> + Send + 'static {
    let api: Api<Guarded> = api(&context.shared.client, namespace);
    let context = Arc::clone(context);
    let mut heard = Heard::default();
    let ear = context.shared.metrics.watches.open(crate::api::KIND);
    let events = follow(api, Arc::clone(&context), ear);
    let news = events.filter(move |event| future::ready(heard.is_news(event)));
    news.then(move |event| {
        watching.saw(event.as_ref().err());
        let event = event.map(|event| note_resource(&context, event, &woken));
        let stage = stage.clone();
        async move {
            if matches!(event, Ok(Event::InitDone)) {
                stage.send_if_modified(|stage| {
                    let first = *stage == Stage::Starting;
                    *stage = (*stage).max(Stage::ResourcesListed);
                    first
                });
                // The sender is held here, so the stage cannot be closed.
                let _ = stage
                    .subscribe()
                    .wait_for(|stage| *stage == Stage::SecretsListed)
                    .await;
            }
            event
        }
    })
}

fn note_resource(
    context: &Context,
    event: Event<Guarded>,
    woken: &mpsc::UnboundedSender<ResourceKey>,
) -> Event<Guarded> {
    let mut index = lock(&context.index);
    let mut freed = Vec::new();
    let event = match event {
        Event::Init => {
            index.begin_resources();
            Event::Init
        }
        Event::InitDone => {
            for (key, uid) in index.end_resources() {
                context.forget(&uid);
                context.summaries.gone(&key);
            }
            context.relisted();
            Event::InitDone
        }
        Event::Delete(object) => {
            freed = index.delete_resource(&key(&object));
            context.summaries.gone(&key(&object));
            context.forget(&object.uid().unwrap_or_default());
            Event::Delete(prune(object))
        }
        Event::Apply(object) => {
            freed = note(context, &mut index, &object);
            Event::Apply(prune(object))
        }
        Event::InitApply(object) => {
            // A list wakes everybody.
            note(context, &mut index, &object);
            Event::InitApply(prune(object))
        }
    };
    for key in freed {
        // The receiver goes only when the controller does.
        let _ = woken.send(key);
    }
    event
}

/// One that cannot be decoded keeps what it mentioned before.
fn note(context: &Context, index: &mut crate::index::Index, object: &Guarded) -> Vec<ResourceKey> {
    if let Ok(object) = &object.0 {
        let status = object.status.as_ref();
        context.summaries.saw(&resource::key_of(object), status);
        let mentions = resource::mentions(object, object.status.as_ref());
        return index.apply_resource(&resource::key_of(object), mentions);
    }
    index.keep_resource(&key(object));
    Vec::new()
}

/// Namespace and name of a watched resource.
#[must_use]
pub fn key(object: &Guarded) -> ResourceKey {
    ResourceKey {
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
    }
}

/// Most of a stored object is who owns which field, and how it was last applied.
fn prune(mut object: Guarded) -> Guarded {
    let metadata = object.meta_mut();
    metadata.managed_fields = None;
    metadata.annotations = None;
    metadata.labels = None;
    object
}

/// Watches Secrets once the resources are listed, and says which resources a change concerns.
pub async fn secrets(
    context: Arc<Context>,
    namespace: Option<String>,
    watching: Arc<Dependency>,
    stage: watch::Sender<Stage>,
    woken: mpsc::UnboundedSender<ResourceKey>,
) {
    let listed = |stage: &Stage| *stage >= Stage::ResourcesListed;
    // The sender is held here, so the stage cannot be closed.
    let _ = stage.subscribe().wait_for(listed).await;
    let api: Api<PartialObjectMeta<Secret>> = api(&context.shared.client, namespace.as_deref());
    let ear = context.shared.metrics.watches.open("Secret");
    let events = follow(api, Arc::clone(&context), ear);
    events
        .for_each(|event| {
            watching.saw(event.as_ref().err());
            if let Ok(event) = event {
                note_secret(&context, event, &stage, &woken);
            }
            future::ready(())
        })
        .await;
}

fn note_secret(
    context: &Context,
    event: Event<PartialObjectMeta<Secret>>,
    stage: &watch::Sender<Stage>,
    woken: &mpsc::UnboundedSender<ResourceKey>,
) {
    let mut index = lock(&context.index);
    let place = |secret: &PartialObjectMeta<Secret>| {
        (
            secret.metadata.namespace.clone().unwrap_or_default(),
            secret.metadata.name.clone().unwrap_or_default(),
        )
    };
    let concerned = match event {
        Event::Init => {
            index.begin_secrets();
            Vec::new()
        }
        Event::InitApply(secret) => {
            let (namespace, name) = place(&secret);
            if let Some(seen) = Seen::of(&secret) {
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
            Seen::of(&secret)
                .map(|seen| index.apply_secret(&namespace, &name, seen))
                .unwrap_or_default()
        }
        Event::Delete(secret) => {
            let (namespace, name) = place(&secret);
            let version = Seen::of(&secret).map_or(u64::MAX, |seen| seen.version);
            index.delete_secret(&namespace, &name, version)
        }
    };
    for key in concerned {
        // The receiver goes only when the controller does.
        let _ = woken.send(key);
    }
}

fn is_first_list(context: &Context, secrets: usize, stage: &watch::Sender<Stage>) -> bool {
    context.shared.metrics.tracked(secrets);
    let first = stage.send_replace(Stage::SecretsListed) != Stage::SecretsListed;
    if first {
        tracing::info!(secrets, "everything is listed; work begins");
    }
    first
}
