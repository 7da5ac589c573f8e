//! Proof that these tests can fail: after the kill, an action behind the back of the new process
//! prevents its convergence or makes it do more than it may, and the code that checks all other runs
//! has to report it.

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
    attempt, calm,
    point::points_of,
    run::Fate,
    scenario::{self, Deed, Scenario},
};
use crate::{
    chaos::counts::all_survived,
    harness::actions::TARGET,
    harness::test_env::{ACCOUNT, ARN, SECOND, TestCluster, TestEnv, get_http},
};

pub const NAME: &str = "f1_a_convergence_that_is_broken_is_noticed";

/// Most of these runs wait for an end that never comes, so they have permits of their own.
static PLACES: Semaphore = Semaphore::const_new(4);

/// A scenario, and the action that breaks its convergence.
struct Betrayal {
    scenario: &'static Scenario,
    /// The point at which the first process is killed, as it is printed.
    at: &'static str,
    action: Deed,
    /// What the error of the check has to contain.
    told: &'static str,
}

const BEFORE_THE_TARGET: &str = "Arrived Update secrets orders-credentials #1";
const AFTER_ALL: &str = "Answered Patch staticawscredentials/status orders #1";
const OTHER_END: &str = "the outcome is";

static BETRAYALS: [Betrayal; 9] = [
    Betrayal {
        scenario: &scenario::ROTATE,
        at: BEFORE_THE_TARGET,
        action: |env| async { swallow_target(env, Verb::Update).await }.boxed_local(),
        told: OTHER_END,
    },
    Betrayal {
        scenario: &scenario::ROTATE,
        at: BEFORE_THE_TARGET,
        action: |env| async { swallow_status(env).await }.boxed_local(),
        told: OTHER_END,
    },
    Betrayal {
        scenario: &scenario::RETARGET,
        at: "Arrived Delete secrets orders-credentials #1",
        action: |env| async { swallow_target(env, Verb::Delete).await }.boxed_local(),
        told: OTHER_END,
    },
    Betrayal {
        scenario: &scenario::SPOIL,
        at: AFTER_ALL,
        action: |env| async { claim_success(env).await }.boxed_local(),
        told: OTHER_END,
    },
    Betrayal {
        scenario: &scenario::CREATE,
        at: AFTER_ALL,
        action: |env| {
            async {
                let more = json!({ "stringData": { "AWS_REGION": "elsewhere" } });
                env.edit_secret(TARGET, more).await.map(drop)
            }
            .boxed_local()
        },
        told: " instead of ",
    },
    Betrayal {
        scenario: &scenario::CREATE,
        at: AFTER_ALL,
        action: |env| async { env.delete_secret(TARGET).await }.boxed_local(),
        told: " went",
    },
    Betrayal {
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
        told: " held ",
    },
    Betrayal {
        scenario: &scenario::ROTATE,
        at: BEFORE_THE_TARGET,
        action: |env| {
            async {
                ask_again(env);
                Ok(())
            }
            .boxed_local()
        },
        told: " questions",
    },
    Betrayal {
        scenario: &scenario::ROTATE,
        at: AFTER_ALL,
        action: |env| async { chatter(env) }.boxed_local(),
        told: "did not go silent",
    },
];

pub async fn noticed(test_cluster: Arc<TestCluster>) -> Result<()> {
    let ends: Vec<Result<()>> = futures::stream::iter(&BETRAYALS)
        .map(|betrayal| is_noticed(Arc::clone(&test_cluster), betrayal))
        .buffer_unordered(BETRAYALS.len())
        .collect()
        .await;
    all_survived(NAME, &ends, "broken convergences, each noticed")
}

async fn is_noticed(test_cluster: Arc<TestCluster>, betrayal: &'static Betrayal) -> Result<()> {
    let Betrayal {
        scenario,
        at,
        action,
        told,
    } = betrayal;
    let calm = calm(&test_cluster, scenario).await?;
    let mut points = points_of(&calm.requests).into_iter();
    let point = points.find(|point| point.to_string() == *at);
    let point = point.with_context(|| format!("{} has no point {at}", scenario.name))?;
    let fate = Fate::Betrayed(&point, *action);
    let (_, judged) = attempt(test_cluster, scenario, fate, calm, &PLACES).await;
    let Err(judged) = judged else {
        bail!("in {}, at {at}, nobody said \"{told}\"", scenario.name);
    };
    let judged = format!("{judged:#}");
    ensure!(judged.contains(told), "not \"{told}\" but: {judged}");
    Ok(())
}

/// From now on, matching requests are answered as if they had been carried out, and are not forwarded.
fn swallow(
    env: &TestEnv,
    is_meant: impl Fn(&RequestHead) -> bool + Send + Sync + 'static,
    answer: &impl Serialize,
) -> Result<()> {
    let answer = Answer {
        status: 200,
        body: serde_json::to_vec(answer)?,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
    };
    env.proxy.set_fault(Box::new(move |head| {
        if is_meant(head) && !head.is_rehearsal() {
            Fault::Answer(answer.clone())
        } else {
            Fault::Pass
        }
    }));
    Ok(())
}

async fn swallow_target(env: &TestEnv, verb: Verb) -> Result<()> {
    let is_meant = move |head: &RequestHead| {
        head.verb == verb && head.resource == "secrets" && head.name.as_deref() == Some(TARGET)
    };
    swallow(env, is_meant, &env.secrets.get(TARGET).await?)
}

async fn swallow_status(env: &TestEnv) -> Result<()> {
    let is_meant = |head: &RequestHead| head.verb == Verb::Patch && head.subresource.is_some();
    swallow(env, is_meant, &env.resources.get("orders").await?)
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
