//! Proof that these tests can fail: after the kill, sabotage prevents the convergence of the new process or causes
//! requests that it may not send, and the checks of all other runs have to report that.

use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use cluster::{
    proxy::{Answer, Fault, RequestHead, Verb},
    sts,
};
use futures::{FutureExt, StreamExt};
use serde::Serialize;
use serde_json::json;
use tokio::sync::Semaphore;

use super::{
    attempt, baseline,
    point::points_of,
    run::Disruption,
    scenario::{self, Action, Scenario},
};
use crate::{
    chaos::counts::all_survived,
    harness::{
        actions::TARGET,
        test_env::{ACCOUNT, ARN, SECOND, TestCluster, TestEnv, get_http},
    },
};

pub const NAME: &str = "f1_a_convergence_that_is_broken_is_noticed";

/// Most of these runs wait until a timeout, so they have separate permits.
static PERMITS: Semaphore = Semaphore::const_new(4);

/// A scenario, and the action that breaks its convergence.
struct Sabotage {
    scenario: &'static Scenario,
    /// The point at which the first process is killed, as it is printed.
    at: &'static str,
    action: Action,
    /// What the error of the check has to contain.
    error: &'static str,
}

const BEFORE_THE_TARGET: &str = "Arrived Update secrets orders-credentials #1";
const AFTER_ALL: &str = "Answered Patch staticawscredentials/status orders #1";
const OTHER_END: &str = "the outcome is";

static SABOTAGES: [Sabotage; 9] = [
    Sabotage {
        scenario: &scenario::ROTATE,
        at: BEFORE_THE_TARGET,
        action: |env| async { swallow_target(env, Verb::Update).await }.boxed_local(),
        error: OTHER_END,
    },
    Sabotage {
        scenario: &scenario::ROTATE,
        at: BEFORE_THE_TARGET,
        action: |env| async { swallow_status(env).await }.boxed_local(),
        error: OTHER_END,
    },
    Sabotage {
        scenario: &scenario::RETARGET,
        at: "Arrived Delete secrets orders-credentials #1",
        action: |env| async { swallow_target(env, Verb::Delete).await }.boxed_local(),
        error: OTHER_END,
    },
    Sabotage {
        scenario: &scenario::SPOIL,
        at: AFTER_ALL,
        action: |env| async { claim_success(env).await }.boxed_local(),
        error: OTHER_END,
    },
    Sabotage {
        scenario: &scenario::CREATE,
        at: AFTER_ALL,
        action: |env| {
            async {
                let more = json!({ "stringData": { "AWS_REGION": "elsewhere" } });
                env.edit_secret(TARGET, more).await.map(drop)
            }
            .boxed_local()
        },
        error: " instead of ",
    },
    Sabotage {
        scenario: &scenario::CREATE,
        at: AFTER_ALL,
        action: |env| async { env.delete_secret(TARGET).await }.boxed_local(),
        error: " went",
    },
    Sabotage {
        scenario: &scenario::ROTATE,
        at: AFTER_ALL,
        action: |env| {
            async {
                let unproven =
                    json!({ "stringData": { "AWS_ACCESS_KEY_ID": "AKIARZPUZDIKQUAIL2C5" } });
                env.edit_secret(TARGET, unproven).await.map(drop)
            }
            .boxed_local()
        },
        error: " held ",
    },
    Sabotage {
        scenario: &scenario::ROTATE,
        at: BEFORE_THE_TARGET,
        action: |env| {
            async {
                ask_again(env);
                Ok(())
            }
            .boxed_local()
        },
        error: " questions",
    },
    Sabotage {
        scenario: &scenario::ROTATE,
        at: AFTER_ALL,
        action: |env| async { chatter(env) }.boxed_local(),
        error: "did not go silent",
    },
];

pub async fn noticed(test_cluster: Arc<TestCluster>) -> Result<()> {
    let ends: Vec<Result<()>> = futures::stream::iter(&SABOTAGES)
        .map(|sabotage| is_noticed(Arc::clone(&test_cluster), sabotage))
        .buffer_unordered(SABOTAGES.len())
        .collect()
        .await;
    all_survived(NAME, &ends, "broken convergences, each noticed")
}

async fn is_noticed(test_cluster: Arc<TestCluster>, sabotage: &'static Sabotage) -> Result<()> {
    let Sabotage {
        scenario,
        at,
        action,
        error,
    } = sabotage;
    let baseline = baseline(&test_cluster, scenario).await?;
    let mut points = points_of(&baseline.requests).into_iter();
    let point = points.find(|point| point.to_string() == *at);
    let point = point.with_context(|| format!("{} has no point {at}", scenario.name))?;
    let disruption = Disruption::KillAndSabotage(&point, *action);
    let (_, result) = attempt(test_cluster, scenario, disruption, baseline, &PERMITS).await;
    let Err(result) = result else {
        bail!("in {}, at {at}, no error had \"{error}\"", scenario.name);
    };
    let result = format!("{result:#}");
    ensure!(result.contains(error), "not \"{error}\" but: {result}");
    Ok(())
}

/// From now on, matching requests are answered as if they had been carried out, and are not forwarded.
fn swallow(
    env: &TestEnv,
    matches: impl Fn(&RequestHead) -> bool + Send + Sync + 'static,
    answer: &impl Serialize,
) -> Result<()> {
    let answer = Answer {
        status: 200,
        body: serde_json::to_vec(answer)?,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
    };
    env.proxy.set_fault(Box::new(move |head| {
        if matches(head) && !head.is_rehearsal() {
            Fault::Answer(answer.clone())
        } else {
            Fault::Pass
        }
    }));
    Ok(())
}

async fn swallow_target(env: &TestEnv, verb: Verb) -> Result<()> {
    let matches = move |head: &RequestHead| {
        head.verb == verb && head.resource == "secrets" && head.name.as_deref() == Some(TARGET)
    };
    swallow(env, matches, &env.secrets.get(TARGET).await?)
}

async fn swallow_status(env: &TestEnv) -> Result<()> {
    let matches = |head: &RequestHead| head.verb == Verb::Patch && head.subresource.is_some();
    swallow(env, matches, &env.resources.get("orders").await?)
}

/// AWS accepts the rejected pair before the second process starts.
async fn claim_success(env: &TestEnv) -> Result<()> {
    env.sts.accept(SECOND.0, ACCOUNT, ARN, "AIDAQUAIL");
    env.edit_secret("pair", json!({ "stringData": { "more": "data" } }))
        .await?;
    Ok(())
}

fn ask_again(env: &TestEnv) {
    let slow = sts::Answer::error(503, "ServiceUnavailable", "not now");
    let known = sts::Answer::Verify {
        secret: SECOND.1.to_owned(),
        identity: sts::Identity {
            account: ACCOUNT.to_owned(),
            arn: ARN.to_owned(),
            user_id: "AIDAQUAIL".to_owned(),
        },
    };
    env.sts.answers(SECOND.0, [slow.clone(), slow, known]);
}

/// Needless requests through the same proxy, until the proxy is gone.
fn chatter(env: &TestEnv) -> Result<()> {
    let address = env.proxy.url();
    let address = address
        .strip_prefix("http://")
        .context("no address")?
        .to_owned();
    tokio::spawn(async move {
        while get_http(&address, "/api/v1/namespaces").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
    });
    Ok(())
}
