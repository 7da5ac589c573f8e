//! After any sequence of user actions, once the source is good again and nothing is in the way, the outcome is the same
//! as if only the last spec and the last source had been applied, to an empty namespace.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use futures::{FutureExt, StreamExt};
use kube::{Resource, ResourceExt, api::ListParams};
use serde_json::{Value, json};

use crate::{
    chaos::{
        counts::all_survived, crash_points::PERMITS, outcome::Outcome,
        target_history::TargetHistory,
    },
    harness::{
        actions::TARGET,
        test_env::{PAIR, SECOND, Test, TestCluster, TestEnv},
    },
    report,
};

const NAME: &str = "sequences_of_user_actions_end_as_the_last_spec_and_source_alone_would";
const MOVED: &str = "moved";
const SILENCE: Duration = Duration::from_millis(900);

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![(NAME, |test_cluster| differ(test_cluster).boxed_local())]
}

/// The final spec of a sequence: the fields that keep the value that they were last set to.
#[derive(Clone, Debug)]
struct Spec(Value);

/// A pseudorandom generator: the same seed gives the same numbers.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}

async fn differ(test_cluster: Arc<TestCluster>) -> Result<()> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let chosen = std::env::var("SEED").ok().map(|seed| seed.parse());
    let seed = chosen.transpose()?.unwrap_or(now.as_secs());
    let sequences: u64 = if report::thorough() { 500 } else { 40 };
    eprintln!("SEED={seed}");
    let mut expected: BTreeMap<String, Outcome> = BTreeMap::new();
    for number in 0..8 {
        let spec = final_spec(number);
        let outcome = alone(Arc::clone(&test_cluster), &spec).await?;
        expected.insert(spec.0.to_string(), outcome);
    }
    let ends: Vec<Result<()>> = futures::stream::iter(0..sequences)
        .map(|number| attempt(Arc::clone(&test_cluster), seed, number, &expected))
        .buffer_unordered(8)
        .collect()
        .await;
    all_survived(NAME, &ends, &format!("sequences, SEED={seed}"))
}

fn final_spec(number: u64) -> Spec {
    let layouts = [json!(["Env"]), json!(["Env", "Mendix"])][usize::from(number & 1 == 1)].clone();
    let name = if number & 2 == 2 { MOVED } else { TARGET };
    let policy = if number & 4 == 4 { "Retain" } else { "Delete" };
    Spec(json!({ "target": { "layouts": layouts, "name": name, "deletionPolicy": policy } }))
}

/// The last spec and the last source in an empty namespace.
async fn alone(test_cluster: Arc<TestCluster>, spec: &Spec) -> Result<Outcome> {
    let _permit = PERMITS.acquire().await?;
    let env = TestEnv::open(test_cluster).await?;
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", spec.0.clone()).await?;
    env.until_converged("orders").await?;
    env.until_idle().await?;
    without_history(&env).await
}

/// Without the revision, which counts earlier publications.
async fn without_history(env: &TestEnv) -> Result<Outcome> {
    let mut outcome = Outcome::of(env.test_cluster.cluster().client(), &env.namespace).await?;
    for resource in outcome.resources.values_mut() {
        if let Some(published) = resource["published"].as_array_mut() {
            published.pop();
        }
    }
    Ok(outcome)
}

async fn attempt(
    test_cluster: Arc<TestCluster>,
    seed: u64,
    number: u64,
    expected: &BTreeMap<String, Outcome>,
) -> Result<()> {
    let _permit = PERMITS.acquire().await?;
    let mut dice = Dice(seed.wrapping_add(number.wrapping_mul(1_000_003)));
    let env = TestEnv::open(test_cluster).await?;
    let client = env.test_cluster.cluster().client();
    let target_history = TargetHistory::of(client, &env.namespace).await?;
    let mut spec = json!({});
    env.resource("orders", "pair", spec.clone()).await?;
    let mut actions = Vec::new();
    for _ in 0..3 + dice.below(8) {
        let action = act(&env, &mut dice, &mut spec).await;
        actions.push(action.with_context(|| format!("sequence {number}: {actions:?}"))?);
        tokio::time::sleep(Duration::from_millis(dice.below(400))).await;
    }
    let last = final_spec(dice.below(8));
    let checked = async {
        amend(&env, &last).await?;
        let expected = expected.get(&last.0.to_string()).context("no such spec")?;
        let as_expected = async || {
            let outcome = without_history(&env).await?;
            Ok((outcome == *expected).then_some(()))
        };
        env.until(&format!("the outcome is\n{expected}"), &as_expected)
            .await?;
        tokio::time::timeout(Duration::from_mins(1), env.proxy.quiet(SILENCE)).await?;
        as_expected().await?.context("the outcome did not last")?;
        target_history.check(&[PAIR, SECOND]).await
    };
    checked
        .await
        .with_context(|| format!("sequence {number}: {actions:?}"))?;
    Ok(())
}

/// Performs a random action and returns its description.
async fn act(env: &TestEnv, dice: &mut Dice, spec: &mut Value) -> Result<String> {
    let name = [TARGET, MOVED][usize::from(dice.below(2) == 1)];
    let field = match dice.below(18) {
        0 | 1 => return fill(env, PAIR).await,
        2 | 3 => return fill(env, SECOND).await,
        4 | 5 => return fill(env, (SECOND.0, PAIR.1)).await,
        6 => {
            return fill(env, (PAIR.0, "wSecretWithALineBreakBehindItAndMore/Id1\n")).await;
        }
        7 => return remove(env, "pair").await,
        8 => return remove(env, name).await,
        9 => {
            let edit = json!({ "stringData": { "AWS_REGION": "elsewhere" } });
            // The Secret may be missing.
            let _ = env.edit_secret(name, edit).await;
            return Ok(format!("edit {name}"));
        }
        10 => {
            let occupant = json!({ "metadata": { "name": name, "labels": { "foreign": "yes" } } });
            let _ = env.foreign(occupant).await;
            return Ok(format!("occupy {name}"));
        }
        11 => {
            env.delete_resource("orders").await?;
            env.resource("orders", "pair", spec.clone()).await?;
            return Ok("recreate".to_owned());
        }
        12 => json!({ "target": { "name": name } }),
        13 => json!({ "target": { "layouts": ["Env", "Mendix"] } }),
        14 => json!({ "target": { "deletionPolicy": "Retain" } }),
        15 => json!({ "validation": { "accountId": "999999999999", "onRejected": "Withdraw" } }),
        16 => json!({ "validation": { "accountId": null }, "suspend": false }),
        _ => json!({ "suspend": true }),
    };
    env.change("orders", field.clone()).await?;
    // The spec of a recreated resource: the field that was changed last, and no pin.
    *spec = field.clone();
    spec["validation"] = json!({});
    Ok(field.to_string())
}

async fn fill(env: &TestEnv, pair: (&str, &str)) -> Result<String> {
    env.source("pair", pair).await?;
    Ok(format!("fill with {pair:?}"))
}

async fn remove(env: &TestEnv, name: &str) -> Result<String> {
    if env.secrets.get_opt(name).await?.is_some() {
        // The garbage collector or the operator may be faster.
        let _ = env.delete_secret(name).await;
    }
    Ok(format!("remove {name}"))
}

/// Sets the last spec and the last source, and removes what is in their way: foreign Secrets, and
/// Secrets that an earlier policy retained.
async fn amend(env: &TestEnv, spec: &Spec) -> Result<()> {
    env.source("pair", PAIR).await?;
    let plain =
        json!({ "validation": { "accountId": null, "onRejected": "Keep" }, "suspend": false });
    env.change("orders", plain).await?;
    env.change("orders", spec.0.clone()).await?;
    let wanted = spec.0["target"]["name"].as_str().unwrap_or_default();
    for secret in env.secrets.list(&ListParams::default()).await? {
        if secret
            .meta()
            .labels
            .as_ref()
            .is_some_and(|it| it.contains_key("foreign"))
        {
            remove(env, &secret.name_any()).await?;
        }
    }
    env.until_converged("orders").await?;
    for secret in env.secrets.list(&ListParams::default()).await? {
        let name = secret.name_any();
        if name != "pair" && name != wanted {
            remove(env, &name).await?;
        }
    }
    Ok(())
}
