//! The operator's view of the cluster is late, reordered, incomplete, repeated or older than before.
//! It may act late, but not wrongly.

use std::{future::Future, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use cluster::proxy::{Fault, Verb};
use futures::{FutureExt, StreamExt};
use kube::api::ListParams;

use crate::{
    chaos::counts::all_survived,
    chaos::crash_points::{
        PLACES, calm,
        run::{Finished, Running, over, prepare},
        scenario::{self, Scenario},
    },
    chaos::watch_fault_proxy::{Manner, Order, WatchFaultProxy},
    harness::test_env::{Test, TestCluster, TestEnv},
    report,
};

const RESOURCES: &str = "staticawscredentials";
const SECRETS: &str = "secrets";
/// Long enough for a reconcile that has received only the events of one of the two resources.
const MEANWHILE: Duration = Duration::from_millis(300);

/// The defect of the view.
#[derive(Clone, Copy, Debug)]
enum Flaw {
    /// Events come in turns: those of the first resource, and later those of the second.
    InTurns(&'static str, &'static str, Order),
    /// After each event, all events so far are delivered again.
    Repeated,
    /// A process starts after the scenario, and lists and watches as of the time before it.
    OlderList,
    /// The same, and the process before it was killed before it had reconciled the scenario.
    OlderListOfUnfinished,
}

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        ("stale_every_event_comes_late", |test_cluster| {
            let flaw = Flaw::InTurns(RESOURCES, SECRETS, Order::AsItCame);
            survive(test_cluster, "stale_every_event_comes_late", flaw).boxed_local()
        }),
        ("stale_secrets_are_seen_before_resources", |test_cluster| {
            let flaw = Flaw::InTurns(SECRETS, RESOURCES, Order::AsItCame);
            survive(
                test_cluster,
                "stale_secrets_are_seen_before_resources",
                flaw,
            )
            .boxed_local()
        }),
        ("stale_states_in_between_are_never_seen", |test_cluster| {
            let flaw = Flaw::InTurns(SECRETS, RESOURCES, Order::LastEvents);
            survive(test_cluster, "stale_states_in_between_are_never_seen", flaw).boxed_local()
        }),
        ("f15_events_overtake_each_other", |test_cluster| {
            let flaw = Flaw::InTurns(SECRETS, RESOURCES, Order::LastObjectFirst);
            survive(test_cluster, "f15_events_overtake_each_other", flaw).boxed_local()
        }),
        ("f15_events_come_again_and_again", |test_cluster| {
            survive(
                test_cluster,
                "f15_events_come_again_and_again",
                Flaw::Repeated,
            )
            .boxed_local()
        }),
        (
            "stale_a_process_starts_from_an_older_list",
            |test_cluster| {
                let name = "stale_a_process_starts_from_an_older_list";
                survive(test_cluster, name, Flaw::OlderList).boxed_local()
            },
        ),
        (
            "stale_a_process_starts_from_an_older_list_into_work",
            |test_cluster| {
                let name = "stale_a_process_starts_from_an_older_list_into_work";
                survive(test_cluster, name, Flaw::OlderListOfUnfinished).boxed_local()
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

async fn survive(test_cluster: Arc<TestCluster>, name: &str, flaw: Flaw) -> Result<()> {
    let scenarios = scenarios();
    let ends: Vec<Result<()>> = futures::stream::iter(&scenarios)
        .map(|scenario| attempt(Arc::clone(&test_cluster), scenario, flaw))
        .buffer_unordered(scenarios.len())
        .collect()
        .await;
    all_survived(name, &ends, "scenarios")
}

async fn attempt(
    test_cluster: Arc<TestCluster>,
    scenario: &'static Scenario,
    flaw: Flaw,
) -> Result<()> {
    let told = || format!("as in {}", scenario.name);
    let calm = calm(&test_cluster, scenario).await.with_context(told)?;
    let _place = PLACES.acquire().await?;
    let finished = run(test_cluster, scenario, flaw, calm)
        .await
        .with_context(told)?;
    finished.compare(calm, scenario).with_context(told)
}

async fn run(
    test_cluster: Arc<TestCluster>,
    scenario: &'static Scenario,
    flaw: Flaw,
    calm: &Finished,
) -> Result<Finished> {
    let mut watch_fault_proxy = None;
    let manner = match flaw {
        Flaw::Repeated => Manner::Repeat,
        _ => Manner::Pass,
    };
    let arrange = |proxy: &_| {
        watch_fault_proxy = Some(WatchFaultProxy::start(proxy, manner, |_| Fault::Pass));
    };
    let mut env = prepare(test_cluster, scenario, arrange).await?;
    let watch_fault_proxy = watch_fault_proxy.context("no faults were arranged")?;
    let playing = Running::begin(&env).await?;
    let carried = watch_fault_proxy.carried();
    let expected = Some(&calm.outcome);
    let outcome = match flaw {
        Flaw::InTurns(first, second, order) => {
            watch_fault_proxy.set(Manner::Hold);
            (scenario.action)(&mut env).await?;
            let end = over(&env, scenario, expected);
            meanwhile(end, in_turns(&watch_fault_proxy, [first, second], order)).await?
        }
        Flaw::Repeated => {
            (scenario.action)(&mut env).await?;
            over(&env, scenario, expected).await?
        }
        Flaw::OlderList | Flaw::OlderListOfUnfinished => {
            let before = versions(&env).await?;
            (scenario.action)(&mut env).await?;
            if matches!(flaw, Flaw::OlderList) {
                over(&env, scenario, expected).await?;
            }
            start_in_the_past(&mut env, before).await?;
            over(&env, scenario, expected).await?
        }
    };
    let carried = watch_fault_proxy.carried() - carried;
    ensure!(
        carried > 0 || !matches!(flaw, Flaw::InTurns(..)),
        "no event came by"
    );
    playing.end(&env, outcome, false).await
}

/// Returns the result of `end`, while `endless` runs beside it.
async fn meanwhile<T>(end: impl Future<Output = T>, endless: impl Future<Output = ()>) -> T {
    tokio::select! {
        end = end => end,
        () = endless => std::future::pending().await,
    }
}

async fn in_turns(watch_fault_proxy: &WatchFaultProxy, resources: [&str; 2], order: Order) {
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
    let watch_fault_proxy = WatchFaultProxy::start(&env.proxy, Manner::Hold, move |head| {
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
    watch_fault_proxy.set(Manner::Pass);
    watch_fault_proxy.release(SECRETS, Order::AsItCame);
    tokio::time::sleep(MEANWHILE).await;
    watch_fault_proxy.release(RESOURCES, Order::AsItCame);
    Ok(())
}

fn as_of(version: &str) -> Fault {
    Fault::Query(format!(
        "limit=500&resourceVersion={version}&resourceVersionMatch=Exact"
    ))
}
