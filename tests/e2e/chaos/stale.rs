//! The operator's view of the cluster is late, reordered, incomplete, repeated or older than before.
//! The operator may act late, but not wrongly.

use std::{future::Future, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use cluster::proxy::{Fault, Verb};
use futures::{FutureExt, StreamExt};
use kube::api::ListParams;

use crate::{
    chaos::{
        counts::all_survived,
        crash_points::{
            PERMITS, baseline,
            run::{Finished, Running, prepare, until_end},
            scenario::{self, Scenario},
        },
        watch_fault_proxy::{DeliveryMode, ReleaseOrder, WatchFaultProxy},
    },
    harness::test_env::{Test, TestCluster, TestEnv},
    report,
};

const RESOURCES: &str = "staticawscredentials";
const SECRETS: &str = "secrets";
/// Long enough for a reconcile that has received only the events of one of the two resources.
const MEANWHILE: Duration = Duration::from_millis(300);

/// How the view of the operator is stale.
#[derive(Clone, Copy, Debug)]
enum StaleView {
    /// The events of the first resource are delivered, and later those of the second, in the given order.
    Alternating(&'static str, &'static str, ReleaseOrder),
    /// After each event, all events so far are delivered again.
    Redelivered,
    /// A process starts after the scenario, and lists and watches as of the time before the scenario.
    OlderList,
    /// The same, and the previous process was killed before it had reconciled the scenario.
    OlderListMidway,
}

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        ("stale_every_event_comes_late", |test_cluster| {
            let view = StaleView::Alternating(RESOURCES, SECRETS, ReleaseOrder::AsReceived);
            survive(test_cluster, "stale_every_event_comes_late", view).boxed_local()
        }),
        ("stale_secrets_are_seen_before_resources", |test_cluster| {
            let view = StaleView::Alternating(SECRETS, RESOURCES, ReleaseOrder::AsReceived);
            survive(
                test_cluster,
                "stale_secrets_are_seen_before_resources",
                view,
            )
            .boxed_local()
        }),
        ("stale_states_in_between_are_never_seen", |test_cluster| {
            let view = StaleView::Alternating(SECRETS, RESOURCES, ReleaseOrder::LatestEvents);
            survive(test_cluster, "stale_states_in_between_are_never_seen", view).boxed_local()
        }),
        ("f15_events_overtake_each_other", |test_cluster| {
            let view = StaleView::Alternating(SECRETS, RESOURCES, ReleaseOrder::LastObjectFirst);
            survive(test_cluster, "f15_events_overtake_each_other", view).boxed_local()
        }),
        ("f15_events_come_again_and_again", |test_cluster| {
            survive(
                test_cluster,
                "f15_events_come_again_and_again",
                StaleView::Redelivered,
            )
            .boxed_local()
        }),
        (
            "stale_a_process_starts_from_an_older_list",
            |test_cluster| {
                let name = "stale_a_process_starts_from_an_older_list";
                survive(test_cluster, name, StaleView::OlderList).boxed_local()
            },
        ),
        (
            "stale_a_process_starts_from_an_older_list_into_work",
            |test_cluster| {
                let name = "stale_a_process_starts_from_an_older_list_into_work";
                survive(test_cluster, name, StaleView::OlderListMidway).boxed_local()
            },
        ),
    ]
}

fn scenarios() -> Vec<&'static Scenario> {
    let few = [
        &scenario::CREATE,
        &scenario::ROTATE,
        &scenario::RETARGET,
        &scenario::WITHDRAW,
        &scenario::RECREATE,
        &scenario::MEND,
    ];
    let more = [
        &scenario::SPOIL,
        &scenario::RETAIN,
        &scenario::LAYOUTS,
        &scenario::DELETE,
        &scenario::DELETE_AND_RETAIN,
        &scenario::ADOPT,
        &scenario::RESTORE,
    ];
    let more = more.into_iter().filter(|_| report::thorough());
    few.into_iter().chain(more).collect()
}

async fn survive(test_cluster: Arc<TestCluster>, name: &str, view: StaleView) -> Result<()> {
    let scenarios = scenarios();
    let ends: Vec<Result<()>> = futures::stream::iter(&scenarios)
        .map(|scenario| attempt(Arc::clone(&test_cluster), scenario, view))
        .buffer_unordered(scenarios.len())
        .collect()
        .await;
    all_survived(name, &ends, "scenarios")
}

async fn attempt(
    test_cluster: Arc<TestCluster>,
    scenario: &'static Scenario,
    view: StaleView,
) -> Result<()> {
    let context = || format!("as in {}", scenario.name);
    let baseline = baseline(&test_cluster, scenario)
        .await
        .with_context(context)?;
    let _permit = PERMITS.acquire().await?;
    let finished = run(test_cluster, scenario, view, baseline)
        .await
        .with_context(context)?;
    finished.compare(baseline, scenario).with_context(context)
}

async fn run(
    test_cluster: Arc<TestCluster>,
    scenario: &'static Scenario,
    view: StaleView,
    baseline: &Finished,
) -> Result<Finished> {
    let mut watch_fault_proxy = None;
    let mode = match view {
        StaleView::Redelivered => DeliveryMode::Repeat,
        _ => DeliveryMode::Pass,
    };
    let arrange = |proxy: &_| {
        watch_fault_proxy = Some(WatchFaultProxy::start(proxy, mode, |_| Fault::Pass));
    };
    let mut env = prepare(test_cluster, scenario, arrange).await?;
    let watch_fault_proxy = watch_fault_proxy.context("no faults were arranged")?;
    let running = Running::begin(&env).await?;
    let event_count = watch_fault_proxy.event_count();
    let expected = Some(&baseline.outcome);
    let outcome = match view {
        StaleView::Alternating(first, second, order) => {
            watch_fault_proxy.set(DeliveryMode::Hold);
            (scenario.action)(&mut env).await?;
            let end = until_end(&env, scenario, expected);
            meanwhile(
                end,
                release_alternately(&watch_fault_proxy, [first, second], order),
            )
            .await?
        }
        StaleView::Redelivered => {
            (scenario.action)(&mut env).await?;
            until_end(&env, scenario, expected).await?
        }
        StaleView::OlderList | StaleView::OlderListMidway => {
            let before = versions(&env).await?;
            (scenario.action)(&mut env).await?;
            if matches!(view, StaleView::OlderList) {
                until_end(&env, scenario, expected).await?;
            }
            start_in_the_past(&mut env, before).await?;
            until_end(&env, scenario, expected).await?
        }
    };
    let event_count = watch_fault_proxy.event_count() - event_count;
    ensure!(
        event_count > 0 || !matches!(view, StaleView::Alternating(..)),
        "no event passed the proxy"
    );
    running.end(&env, outcome, false).await
}

/// Returns the result of `end`, while `endless` runs beside it.
async fn meanwhile<T>(end: impl Future<Output = T>, endless: impl Future<Output = ()>) -> T {
    tokio::select! {
        end = end => end,
        () = endless => std::future::pending().await,
    }
}

async fn release_alternately(
    watch_fault_proxy: &WatchFaultProxy,
    resources: [&str; 2],
    order: ReleaseOrder,
) {
    for resource in resources.into_iter().cycle() {
        tokio::time::sleep(MEANWHILE).await;
        watch_fault_proxy.release(resource, order);
    }
}

/// The present versions of both lists.
async fn versions(env: &TestEnv) -> Result<[String; 2]> {
    let all = ListParams::default();
    let resources = env.resources.list_metadata(&all).await?.metadata;
    let secrets = env.secrets.list_metadata(&all).await?.metadata;
    let version = |version: Option<String>| version.context("a list without a version");
    Ok([
        version(resources.resource_version)?,
        version(secrets.resource_version)?,
    ])
}

/// Kills the operator and starts one whose API server lags behind: lists and watches are as of these
/// versions, and later events follow after a while.
async fn start_in_the_past(env: &mut TestEnv, before: [String; 2]) -> Result<()> {
    env.operator()?.kill();
    let watch_fault_proxy = WatchFaultProxy::start(&env.proxy, DeliveryMode::Hold, move |head| {
        let [resources, secrets] = &before;
        match (head.verb, head.resource.as_str()) {
            (Verb::List, RESOURCES) => as_of(resources),
            (Verb::List, SECRETS) => as_of(secrets),
            _ => Fault::Pass,
        }
    });
    env.start_operator().await?;
    let quiet = env.proxy.quiet(2 * MEANWHILE);
    tokio::time::timeout(Duration::from_mins(1), quiet).await?;
    watch_fault_proxy.set(DeliveryMode::Pass);
    watch_fault_proxy.release(SECRETS, ReleaseOrder::AsReceived);
    tokio::time::sleep(MEANWHILE).await;
    watch_fault_proxy.release(RESOURCES, ReleaseOrder::AsReceived);
    Ok(())
}

fn as_of(version: &str) -> Fault {
    Fault::Query(format!(
        "limit=500&resourceVersion={version}&resourceVersionMatch=Exact"
    ))
}
