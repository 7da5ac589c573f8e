//! The dispatch loop of a scope: starts reconciles for the resources that the watches enqueue.

use std::{future::Future, panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use futures::{FutureExt, StreamExt};
use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
    time::{Instant, sleep_until},
};
use tracing::Instrument;

use crate::{
    api::StaticAwsCredentials,
    domain::{
        index::NamespacedName,
        lock::lock,
        resource::{ValidatedCredentials, copied},
    },
    error::Error,
    ops::{
        health::{Health, HealthCheck},
        sync_state::SyncState,
        telemetry,
    },
    runtime::{
        context::{ProcessContext, ScopeContext},
        queue::{Action, WorkItem},
        reconcile::{Slot, reconcile},
        standby, watch as watches,
    },
    sts::fair::{PendingPermit, Permit},
};

mod failures;

use failures::Unusable;

/// Interval of the health heartbeat and of the check for lost leadership.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(5);

const PANIC_BACKOFF: Duration = Duration::from_secs(30);

/// A reconcile that has ended.
struct Finished {
    key: NamespacedName,
    action: Action,
}

/// A watch task ended, which happens only by a panic. Without the watch, the index becomes stale.
#[derive(Debug, thiserror::Error)]
#[error("a watch ended, which is a bug")]
pub struct WatchEnded;

/// Runs one scope, a namespace or the cluster, until `stop` completes. Reconciles in progress are finished.
///
/// # Errors
/// A watch ended before `stop` completed.
pub async fn run(
    shared: Arc<ProcessContext>,
    health: Arc<Health>,
    namespace: Option<String>,
    stop: impl Future<Output = ()> + Send,
) -> Result<(), WatchEnded> {
    let context = Arc::new(ScopeContext::new(shared));
    let scope = namespace.as_deref().map_or_else(
        || "all namespaces".to_owned(),
        |name| format!("namespace {name}"),
    );
    let (sync_state, sync_receiver) = watch::channel(SyncState::Syncing);
    let resources_check = HealthCheck::new(format!("watch of StaticAwsCredentials in {scope}"));
    let secrets_check = HealthCheck::new(format!("watch of Secrets in {scope}"));
    let scopes = &context.shared.scopes;
    scopes.add(
        &context.store,
        &context.relisting,
        sync_receiver.clone(),
        &resources_check,
    );
    health.add(
        scope,
        sync_receiver.clone(),
        [Arc::clone(&resources_check), Arc::clone(&secrets_check)],
    );
    let mut watch_tasks = JoinSet::new();
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
    let mut runs = JoinSet::new();
    let result = tokio::select! {
        () = dispatch_loop(&context, &health, sync_receiver, &mut runs) => Ok(()),
        () = stop => Ok(()),
        _ = watch_tasks.join_next() => Err(WatchEnded),
    };
    while let Some(run) = runs.join_next().await {
        on_finished(&context, run);
    }
    result
}

/// Starts reconciles of enqueued resources, forever.
async fn dispatch_loop(
    context: &Arc<ScopeContext>,
    health: &Health,
    mut sync_state: watch::Receiver<SyncState>,
    runs: &mut JoinSet<Finished>,
) {
    let mut acquisitions = pin!(context.shared.leader.acquisitions());
    let mut policies = context.shared.guards.changes();
    let mut heartbeat_timer = tokio::time::interval(HEARTBEAT_INTERVAL);
    let mut pending = PendingPermit::new(&context.shared.gate, "");
    // Whether requests to STS may be pending: a reconcile may end after the leader term in which it began.
    let mut may_ask = false;
    loop {
        // Before both lists are complete, unseen objects would count as deleted. After a restore of etcd
        // and before the relist is complete, a reconcile could act for a resource that does not exist.
        let may_run = *sync_state.borrow_and_update() == SyncState::Synced
            && !context.is_relisting()
            && context.shared.guards.may_run(context.shared.leader.leads());
        let (waiting, timer) = poll_queue(context);
        let can_start = may_run && waiting;
        if !can_start {
            pending.cancel();
        }
        tokio::select! {
            biased;
            _ = heartbeat_timer.tick() => {
                health.heartbeat();
                let leads = context.shared.leader.leads();
                if !leads && may_ask {
                    context.cancel_questions();
                }
                may_ask = leads || !runs.is_empty();
            }
            Some(()) = acquisitions.next() => context.on_started_leading(),
            Some(run) = runs.join_next() => on_finished(context, run),
            permit = pending.acquire(), if can_start => spawn_reconcile(context, permit, runs),
            Ok(()) = policies.changed() => context.on_policies_checked(),
            () = context.queue_changed.notified() => {}
            () = sleep_until(timer.unwrap_or_else(Instant::now)), if timer.is_some() => {}
            Ok(()) = sync_state.changed() => {}
        }
    }
}

/// Whether an eligible resource is queued, and the time at which this may change without an event.
fn poll_queue(context: &ScopeContext) -> (bool, Option<Instant>) {
    let now = Instant::now();
    let blocked_until = context.shared.gate.burst_blocked_until(now);
    let mut queue = lock(&context.queue);
    for _ in 0..queue.enqueue_due(now) {
        context.shared.metrics.queue.added();
    }
    let timers = [queue.next_deadline(), blocked_until];
    let timer = timers.into_iter().flatten().min();
    (queue.has_eligible(blocked_until.is_none()), timer)
}

fn spawn_reconcile(context: &Arc<ScopeContext>, permit: Permit, runs: &mut JoinSet<Finished>) {
    let now = Instant::now();
    let bursts = context.shared.gate.burst_blocked_until(now).is_none();
    let Some(item) = lock(&context.queue).get(now, bursts) else {
        return;
    };
    let WorkItem { key, waited, load } = item;
    let permit = permit.with_load(load, &key.namespace, now);
    let slot = (permit, context.shared.metrics.queue.started(waited));
    let context = Arc::clone(context);
    runs.spawn(async move {
        // Without this, a panic would leave the resource marked as being processed forever.
        let run = AssertUnwindSafe(reconcile_once(&context, &key, slot)).catch_unwind();
        let action = run.await.unwrap_or_else(|_| {
            tracing::error!(resource = %key, "the reconcile panicked, which is a bug");
            Action::Backoff(PANIC_BACKOFF)
        });
        Finished { key, action }
    });
}

fn on_finished(context: &ScopeContext, run: Result<Finished, JoinError>) {
    // `Err` does not occur: the tasks catch panics and are not aborted before the process ends.
    if let Ok(Finished { key, action }) = run {
        let again = lock(&context.queue).done(&key, action, Instant::now());
        if again {
            context.shared.metrics.queue.added();
        }
    }
}

/// One reconcile, with a slot of the gate that serves the namespaces in turn.
async fn reconcile_once(context: &Arc<ScopeContext>, key: &NamespacedName, slot: Slot) -> Action {
    let leads = context.shared.leader.leads();
    let (object, resource) = match decoded(context, key, leads).await {
        Ok(decoded) => decoded,
        Err(action) => {
            lock(&context.store).cancel_question(key);
            return action;
        }
    };
    if !leads {
        lock(&context.store).cancel_question(key);
        standby::prefetch_source_metadata(context, &resource).await;
        return Action::AwaitChange;
    }
    let run_metrics = context.shared.metrics.runs.begin();
    // Boxed: the memory of the future is freed before its task ends, and the compiler proves `Send` once instead
    // of once for each wrapper, which took 100 s.
    let run = reconcile(context, &object, &resource, slot).boxed();
    let run = run.instrument(telemetry::run(key));
    let result = AssertUnwindSafe(run).catch_unwind().await;
    let result = result.unwrap_or(Err(Error::Panic));
    run_metrics.end(result.as_ref().copied());
    match result {
        Ok(None) => Action::AwaitChange,
        Ok(Some(pause)) => Action::Requeue(pause),
        Err(error) => failures::error_policy(context, &resource, &error),
    }
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
    match ValidatedCredentials::parse(&object) {
        Ok(resource) => {
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
