//! The operator's view of the cluster is late, reordered, incomplete, repeated or older than before.
//! It may act late, but not wrongly.

use std::{future::Future, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use cluster::proxy::{Fault, Verb};
use futures::{FutureExt, StreamExt};
use kube::api::ListParams;

use crate::{
    courier::{Courier, Manner, Order},
    points::{
        PLACES, calm,
        play::{Played, Playing, over, prepare},
        story::{self, Story},
    },
    report,
    scene::{Scene, Stage, Test},
    tally::all_survived,
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
    /// A process starts after the story, and lists and watches as of the time before it.
    OlderList,
    /// The same, and the process before it was killed before it had reconciled the story.
    OlderListOfUnfinished,
}

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        ("stale_every_event_comes_late", |stage| {
            let flaw = Flaw::InTurns(RESOURCES, SECRETS, Order::AsItCame);
            survive(stage, "stale_every_event_comes_late", flaw).boxed_local()
        }),
        ("stale_secrets_are_seen_before_resources", |stage| {
            let flaw = Flaw::InTurns(SECRETS, RESOURCES, Order::AsItCame);
            survive(stage, "stale_secrets_are_seen_before_resources", flaw).boxed_local()
        }),
        ("stale_states_in_between_are_never_seen", |stage| {
            let flaw = Flaw::InTurns(SECRETS, RESOURCES, Order::LastEvents);
            survive(stage, "stale_states_in_between_are_never_seen", flaw).boxed_local()
        }),
        ("f15_events_overtake_each_other", |stage| {
            let flaw = Flaw::InTurns(SECRETS, RESOURCES, Order::LastObjectFirst);
            survive(stage, "f15_events_overtake_each_other", flaw).boxed_local()
        }),
        ("f15_events_come_again_and_again", |stage| {
            survive(stage, "f15_events_come_again_and_again", Flaw::Repeated).boxed_local()
        }),
        ("stale_a_process_starts_from_an_older_list", |stage| {
            let name = "stale_a_process_starts_from_an_older_list";
            survive(stage, name, Flaw::OlderList).boxed_local()
        }),
        (
            "stale_a_process_starts_from_an_older_list_into_work",
            |stage| {
                let name = "stale_a_process_starts_from_an_older_list_into_work";
                survive(stage, name, Flaw::OlderListOfUnfinished).boxed_local()
            },
        ),
    ]
}

fn stories() -> Vec<&'static Story> {
    let few = [
        &story::CREATE,
        &story::ROTATE,
        &story::RETARGET,
        &story::WITHDRAW,
        &story::RECREATE,
        &story::MEND,
    ];
    let more = [
        &story::SPOIL,
        &story::RETAIN,
        &story::LAYOUTS,
        &story::DELETE,
        &story::DELETE_AND_RETAIN,
        &story::ADOPT,
        &story::RESTORE,
    ];
    let more = more.into_iter().filter(|_| report::thorough());
    few.into_iter().chain(more).collect()
}

async fn survive(stage: Arc<Stage>, name: &str, flaw: Flaw) -> Result<()> {
    let stories = stories();
    let ends: Vec<Result<()>> = futures::stream::iter(&stories)
        .map(|story| attempt(Arc::clone(&stage), story, flaw))
        .buffer_unordered(stories.len())
        .collect()
        .await;
    all_survived(name, &ends, "stories")
}

async fn attempt(stage: Arc<Stage>, story: &'static Story, flaw: Flaw) -> Result<()> {
    let told = || format!("as in {}", story.name);
    let calm = calm(&stage, story).await.with_context(told)?;
    let _place = PLACES.acquire().await?;
    let played = play(stage, story, flaw, calm).await.with_context(told)?;
    played.compare(calm, story).with_context(told)
}

async fn play(
    stage: Arc<Stage>,
    story: &'static Story,
    flaw: Flaw,
    calm: &Played,
) -> Result<Played> {
    let mut courier = None;
    let manner = match flaw {
        Flaw::Repeated => Manner::Repeat,
        _ => Manner::Pass,
    };
    let arrange = |proxy: &_| courier = Some(Courier::employ(proxy, manner, |_| Fault::Pass));
    let mut scene = prepare(stage, story, arrange).await?;
    let courier = courier.context("nobody was employed")?;
    let playing = Playing::begin(&scene).await?;
    let carried = courier.carried();
    let expected = Some(&calm.outcome);
    let outcome = match flaw {
        Flaw::InTurns(first, second, order) => {
            courier.set(Manner::Hold);
            (story.deed)(&mut scene).await?;
            let end = over(&scene, story, expected);
            meanwhile(end, in_turns(&courier, [first, second], order)).await?
        }
        Flaw::Repeated => {
            (story.deed)(&mut scene).await?;
            over(&scene, story, expected).await?
        }
        Flaw::OlderList | Flaw::OlderListOfUnfinished => {
            let before = versions(&scene).await?;
            (story.deed)(&mut scene).await?;
            if matches!(flaw, Flaw::OlderList) {
                over(&scene, story, expected).await?;
            }
            start_in_the_past(&mut scene, before).await?;
            over(&scene, story, expected).await?
        }
    };
    let carried = courier.carried() - carried;
    ensure!(
        carried > 0 || !matches!(flaw, Flaw::InTurns(..)),
        "no event came by"
    );
    playing.end(&scene, outcome, false).await
}

/// Returns the result of `end`, while `endless` runs beside it.
async fn meanwhile<T>(end: impl Future<Output = T>, endless: impl Future<Output = ()>) -> T {
    tokio::select! {
        end = end => end,
        () = endless => std::future::pending().await,
    }
}

async fn in_turns(courier: &Courier, resources: [&str; 2], order: Order) {
    for resource in resources.into_iter().cycle() {
        tokio::time::sleep(MEANWHILE).await;
        courier.release(resource, order);
    }
}

/// The present versions of both lists.
async fn versions(scene: &Scene) -> Result<[String; 2]> {
    let all = ListParams::default();
    let resources = scene.resources.list_metadata(&all).await?.metadata;
    let secrets = scene.secrets.list_metadata(&all).await?.metadata;
    let version = |version: Option<String>| version.context("a list without a version");
    Ok([
        version(resources.resource_version)?,
        version(secrets.resource_version)?,
    ])
}

/// Kills the operator and starts one whose API server lags behind: lists and watches are as of these
/// versions, and later events follow after a while.
async fn start_in_the_past(scene: &mut Scene, before: [String; 2]) -> Result<()> {
    scene.operator()?.kill();
    let courier = Courier::employ(&scene.proxy, Manner::Hold, move |head| {
        let [resources, secrets] = &before;
        match (head.verb, head.resource.as_str()) {
            (Verb::List, RESOURCES) => as_of(resources),
            (Verb::List, SECRETS) => as_of(secrets),
            _ => Fault::Pass,
        }
    });
    scene.start_operator().await?;
    let quiet = scene.proxy.quiet(2 * MEANWHILE);
    tokio::time::timeout(Duration::from_mins(1), quiet).await?;
    courier.set(Manner::Pass);
    courier.release(SECRETS, Order::AsItCame);
    tokio::time::sleep(MEANWHILE).await;
    courier.release(RESOURCES, Order::AsItCame);
    Ok(())
}

fn as_of(version: &str) -> Fault {
    Fault::Query(format!(
        "limit=500&resourceVersion={version}&resourceVersionMatch=Exact"
    ))
}
