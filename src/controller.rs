//! Turns watches into runs: the only file that names `Controller`.

use std::{future::Future, sync::Arc, time::Duration};

use futures::{FutureExt, Stream, StreamExt};
use kube::{
    ResourceExt,
    core::error_boundary::InvalidObject,
    runtime::{
        Controller, WatchStreamExt,
        controller::Action,
        reflector::{self, ObjectRef},
    },
};
use tokio::sync::{mpsc, watch};
use tracing::Instrument;

use crate::{
    api::Reason,
    context::{Context, Shared},
    error::{Error, chain},
    events::{self, Announcement},
    health::{Dependency, Health},
    index::ResourceKey,
    lock::lock,
    reconcile::reconcile,
    resource::Resource,
    standby, telemetry,
    watch::{self as watches, Guarded, Stage},
};

const TURN: Duration = Duration::from_secs(5);

/// Runs one scope, a namespace or the cluster, until told to stop.
pub async fn run(
    shared: Arc<Shared>,
    health: Arc<Health>,
    namespace: Option<String>,
    stop: impl Future<Output = ()> + Send + Sync + 'static,
) {
    let context = Arc::new(Context::new(shared));
    let scope = namespace.as_deref().map_or_else(
        || "all namespaces".to_owned(),
        |name| format!("namespace {name}"),
    );
    let (stage, staged) = watch::channel(Stage::Starting);
    let of_resources = Dependency::new(format!("watch of StaticAwsCredentials in {scope}"));
    let of_secrets = Dependency::new(format!("watch of Secrets in {scope}"));
    health.add(
        scope,
        staged,
        [Arc::clone(&of_resources), Arc::clone(&of_secrets)],
    );
    let (woken, wake) = mpsc::unbounded_channel();
    let secrets = tokio::spawn(watches::secrets(
        Arc::clone(&context),
        namespace.clone(),
        of_secrets,
        stage.clone(),
        woken.clone(),
    ));
    let (reader, writer) = reflector::store();
    let resources = watches::resources(&context, namespace.as_deref(), of_resources, stage, woken)
        .reflect(writer)
        .touched_objects();
    let results = Controller::for_stream(resources, reader)
        .reconcile_on(references(wake))
        .reconcile_all_on(terms(Arc::clone(&context)))
        .graceful_shutdown_on(stop)
        .run(
            run_once,
            |object, error, context| error_policy(&object, error, &context),
            context,
        );
    tokio::pin!(results);
    let mut turn = tokio::time::interval(TURN);
    loop {
        tokio::select! {
            _ = turn.tick() => health.turned(),
            result = results.next() => if result.is_none() { break },
        }
    }
    secrets.abort();
}

/// Woken resources, as the controller knows them.
fn references(
    woken: mpsc::UnboundedReceiver<ResourceKey>,
) -> impl Stream<Item = ObjectRef<Guarded>> + Send {
    futures::stream::unfold(woken, async |mut woken| {
        let key = woken.recv().await?;
        Some((ObjectRef::new(&key.name).within(&key.namespace), woken))
    })
}

/// Each time that this replica begins to lead. What it remembers is older than what the last leader
/// did, so it begins as after a start, but with a warm index.
fn terms(context: Arc<Context>) -> impl Stream<Item = ()> + Send {
    let terms = context.shared.leader.terms();
    terms.inspect(move |()| lock(&context.remembered).clear())
}

/// One run, under the gate that serves namespaces in turn.
async fn run_once(object: Arc<Guarded>, context: Arc<Context>) -> Result<Action, Error> {
    if context.is_relisting() {
        // The end of the list wakes whoever is still there.
        return Ok(Action::await_change());
    }
    let leads = context.shared.leader.leads();
    let key = watches::key(&object);
    let object = match &object.0 {
        Ok(object) => object,
        Err(invalid) if leads => {
            undecodable(&context, invalid);
            return Ok(Action::await_change());
        }
        Err(_) => return Ok(Action::await_change()),
    };
    let resource = match Resource::parse(object) {
        Ok(resource) if leads => resource,
        Ok(resource) => {
            standby::look(&context, &resource).await;
            return Ok(Action::await_change());
        }
        Err(_) if !leads => return Ok(Action::await_change()),
        Err(finding) => {
            tracing::warn!(resource = %key, reason = finding.reason.as_str(), message = finding.message, "the spec is invalid");
            let event = events::event("False", finding.reason.as_str(), &finding.message);
            let _ = context
                .shared
                .events
                .try_send(Announcement::about(object, event));
            return Ok(Action::await_change());
        }
    };
    let begun = context.shared.metrics.runs.begin();
    let run = reconcile(&context, object, &resource).instrument(telemetry::run(&key));
    // A panic in here would end the whole controller.
    let run = std::panic::AssertUnwindSafe(run).catch_unwind();
    let result = run.await.unwrap_or(Err(Error::Panic));
    begun.end(result.as_ref().copied());
    result.map(|pause| pause.map_or_else(Action::await_change, Action::requeue))
}

fn error_policy(object: &Guarded, error: &Error, context: &Context) -> Action {
    let uid = object.uid().unwrap_or_default();
    let failures = context.remember(&uid, |remembered| {
        remembered.failures = remembered.failures.saturating_add(1);
        remembered.failures
    });
    context.shared.metrics.failed(error);
    context.shared.metrics.queue.retried();
    let pause = error.pause(failures);
    let resource = watches::key(object);
    if error.is_race() {
        tracing::debug!(%resource, "the resource changed during the run; it is run again");
        return Action::requeue(pause);
    }
    if matches!(error, Error::NotLeading) {
        tracing::debug!(%resource, "this replica does not lead any more; the next leader goes on");
        return Action::await_change();
    }
    if matches!(error, Error::StatusRefusedBefore) {
        tracing::debug!(%resource, "the status is not sent; it was refused for this generation");
        return Action::requeue(pause);
    }
    let error = chain(error);
    // While the API server is away each resource fails twice a minute.
    if failures.is_power_of_two() {
        tracing::warn!(%resource, error, failures, "the run failed; it is tried again in {pause:?}");
    } else {
        tracing::debug!(%resource, error, failures, "the run failed again");
    }
    Action::requeue(pause)
}

/// The others go on, and it still owns its target.
fn undecodable(context: &Context, invalid: &InvalidObject) {
    let namespace = invalid.metadata.namespace.clone();
    let name = invalid.metadata.name.clone();
    tracing::error!(
        ?namespace,
        ?name,
        error = invalid.error,
        "the resource cannot be decoded; the others go on"
    );
    context.shared.metrics.undecodable();
    let about = k8s_openapi::api::core::v1::ObjectReference {
        api_version: Some(crate::api::API_VERSION.to_owned()),
        kind: Some(crate::api::KIND.to_owned()),
        namespace,
        name,
        uid: invalid.metadata.uid.clone(),
        ..Default::default()
    };
    let message = format!("the resource cannot be decoded: {}", invalid.error);
    let event = events::event("False", Reason::Undecodable.as_str(), &message);
    let _ = context
        .shared
        .events
        .try_send(Announcement::about_reference(about, event));
}
