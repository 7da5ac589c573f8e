//! The dispatch loop of a scope: starts reconciles for the resources that the watches enqueue.

use std::{future::Future, panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt};
use tokio::{
    task::{JoinError, JoinSet},
    time::{Instant, sleep_until},
};
use tracing::Instrument;

use crate::{
    api::StaticAwsCredentials,
    domain::{
        index::NamespacedName,
        lock::lock,
        reconcile::Task,
        resource::{ValidatedCredentials, copied},
    },
    error::Error,
    ops::{health::Health, telemetry},
    runtime::{
        context::{ProcessContext, ScopeContext},
        queue::{Action, Due, Outcome, Slot, WorkItem},
        reconcile::{Results, reconcile},
        stack, standby, watch,
    },
};

mod failures;
mod scope;

use failures::Unusable;
use scope::{Scope, Scopes, scope_of, watch_scopes};

/// Interval of the health heartbeat and of the check for lost leadership.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(5);

const PANIC_BACKOFF: Duration = Duration::from_secs(30);

/// A reconcile that has ended.
struct Finished {
    key: NamespacedName,
    outcome: Outcome,
}

/// A watch task ended, which happens only by a panic. Without the watch, the index becomes stale.
#[derive(Debug, thiserror::Error)]
#[error("a watch ended, which is a bug")]
pub struct WatchEnded;

/// Runs the scopes, namespaces or the cluster (`None`), until `stop` completes. Reconciles in progress are finished.
///
/// # Errors
/// A watch ended before `stop` completed.
pub async fn run(
    shared: Arc<ProcessContext>,
    health: Arc<Health>,
    namespaces: Vec<Option<String>>,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), WatchEnded> {
    let mut watch_tasks = JoinSet::new();
    let scopes = watch_scopes(&shared, &health, namespaces, &mut watch_tasks);
    watch_tasks.spawn(watch::classes(Arc::clone(&shared)));
    let mut runs = JoinSet::new();
    let result = tokio::select! {
        () = dispatch_loop(&shared, &scopes, &health, &mut runs) => Ok(()),
        () = stop => Ok(()),
        _ = watch_tasks.join_next() => Err(WatchEnded),
    };
    while let Some(run) = runs.join_next().await {
        on_finished(&shared, run);
    }
    result
}

/// Starts reconciles of enqueued resources, forever.
async fn dispatch_loop(
    shared: &Arc<ProcessContext>,
    scopes: &Scopes,
    health: &Health,
    runs: &mut JoinSet<Finished>,
) {
    let mut acquisitions = pin!(shared.leader.acquisitions());
    let mut policies = shared.guards.changes();
    let mut heartbeat_timer = tokio::time::interval(HEARTBEAT_INTERVAL);
    let contexts = || scopes.values().map(|scope| &scope.context);
    // Whether requests to STS may be pending: a reconcile may end after the leader term in which it began.
    let mut may_ask = false;
    loop {
        start_reconciles(shared, scopes, runs);
        let timer = shared.queue.next_deadline();
        tokio::select! {
            biased;
            _ = heartbeat_timer.tick() => {
                health.heartbeat();
                let leads = shared.leader.leads();
                if !leads && may_ask {
                    contexts().for_each(|context| context.cancel_questions());
                }
                may_ask = leads || !runs.is_empty();
            }
            Some(()) = acquisitions.next() => contexts().for_each(|context| context.on_started_leading()),
            Some(run) = runs.join_next() => on_finished(shared, run),
            Ok(()) = policies.changed() => contexts().for_each(|context| context.on_policies_checked()),
            () = shared.queue.changed() => {}
            () = sleep_until(timer.unwrap_or_else(Instant::now)), if timer.is_some() => {}
        }
    }
}

/// Starts as many reconciles as may run now.
fn start_reconciles(shared: &Arc<ProcessContext>, scopes: &Scopes, runs: &mut JoinSet<Finished>) {
    shared.queue.enqueue_due();
    if !shared.guards.may_run(shared.leader.leads()) {
        return;
    }
    let may_run = |namespace: &str| scope_of(scopes, namespace).is_some_and(Scope::may_run);
    while let Some((item, slot)) = shared.queue.start(may_run) {
        if let Some(scope) = scope_of(scopes, &item.key.namespace) {
            spawn_reconcile(&scope.context, item, slot, runs);
        }
    }
}

fn spawn_reconcile(
    context: &Arc<ScopeContext>,
    item: WorkItem,
    slot: Slot,
    runs: &mut JoinSet<Finished>,
) {
    let WorkItem { key, due, .. } = item;
    let context = Arc::clone(context);
    runs.spawn(async move {
        // Without this, a panic would leave the resource marked as being processed forever.
        let run = AssertUnwindSafe(reconcile_once(&context, &key, due, slot)).catch_unwind();
        let outcome = run.await;
        stack::wipe();
        let outcome = outcome.unwrap_or_else(|_| {
            tracing::error!(resource = %key, "the reconcile panicked, which is a bug");
            each_due(due, Action::Backoff(PANIC_BACKOFF))
        });
        Finished { key, outcome }
    });
}

fn on_finished(shared: &ProcessContext, run: Result<Finished, JoinError>) {
    // `Err` does not occur: the tasks catch panics and are not aborted before the process ends.
    if let Ok(Finished { key, outcome }) = run {
        shared.queue.done(&key, outcome);
    }
}

/// The same action for each task that is due.
fn each_due(due: Due, action: Action) -> Outcome {
    Outcome {
        credentials: due.credentials.map(|_| action),
        consumers: due.consumers.map(|_| action),
    }
}

/// One reconcile, with its place.
async fn reconcile_once(
    context: &Arc<ScopeContext>,
    key: &NamespacedName,
    due: Due,
    slot: Slot,
) -> Outcome {
    let leads = context.shared.leader.leads();
    let (object, resource) = match decoded(context, key, leads).await {
        Ok(decoded) => decoded,
        Err(action) => {
            lock(&context.store).cancel_question(key);
            return each_due(due, action);
        }
    };
    if !leads {
        lock(&context.store).cancel_question(key);
        standby::prefetch_source_metadata(context, &resource).await;
        return each_due(due, Action::AwaitChange);
    }
    let run_metrics = context.shared.metrics.runs.begin();
    // Boxed: the memory of the future is freed before its task ends, and the compiler proves `Send` once instead
    // of once for each wrapper, which took 100 s.
    let run = reconcile(context, &object, &resource, due, slot).boxed();
    let cause = due.credentials.or(due.consumers);
    let run = run.instrument(telemetry::run(key, cause));
    let results = AssertUnwindSafe(run).catch_unwind().await;
    let results = results.unwrap_or_else(|_| Results {
        credentials: due.credentials.map(|_| Err(Error::Panic)),
        consumers: due.consumers.map(|_| Err(Error::Panic)),
    });
    run_metrics.end(summary(&results));
    let action = |task| {
        let result = results.get(task).as_ref();
        result.map(|result| match result {
            Ok(None) => Action::AwaitChange,
            Ok(Some((pause, cause))) => Action::Requeue(*pause, *cause),
            Err(error) => failures::error_policy(context, &resource, task, error),
        })
    };
    Outcome {
        credentials: action(Task::Credentials),
        consumers: action(Task::Consumers),
    }
}

/// The result of a reconcile for the metrics: the first error, or the shortest pause.
fn summary(results: &Results) -> Result<Option<Duration>, &Error> {
    let mut pauses = Vec::new();
    for task in Task::ALL {
        if let Some(result) = results.get(task) {
            pauses.extend(result.as_ref()?.map(|(pause, _)| pause));
        }
    }
    Ok(pauses.into_iter().min())
}

/// The decoded and validated resource, or the action that ends the reconcile if the resource is gone or unusable.
async fn decoded(
    context: &ScopeContext,
    key: &NamespacedName,
    leads: bool,
) -> Result<(StaticAwsCredentials, ValidatedCredentials), Action> {
    let Some(object) = lock(&context.store).object(key) else {
        return Err(Action::AwaitChange);
    };
    let object = match object {
        Ok(object) => object,
        Err(_) if !leads => return Err(Action::AwaitChange),
        Err(undecodable) => {
            context.shared.metrics.runs.terminal();
            let unusable = Unusable::undecodable(context, &undecodable);
            return Err(unusable.report(context, key).await);
        }
    };
    match context.shared.classes.validated(&object) {
        // The end of the first list of classes enqueues the resource.
        Ok(None) => Err(Action::AwaitChange),
        Ok(Some(resource)) => {
            let resource = ValidatedCredentials {
                credential_process_ttl: context.shared.credential_process_ttl,
                copied_labels: copied(&object, &context.shared.copied_labels),
                ..resource
            };
            Ok((object, resource))
        }
        Err(_) if !leads => Err(Action::AwaitChange),
        Err(finding) => {
            context.shared.metrics.runs.terminal();
            let unusable = Unusable::invalid(&object, finding);
            Err(unusable.report(context, key).await)
        }
    }
}
