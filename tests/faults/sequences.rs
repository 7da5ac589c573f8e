//! After any sequence of user actions, once the source is good again and nothing is in the way, the outcome is the same
//! as if only the last spec and the last source had been applied, to an empty namespace.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use futures::{FutureExt, StreamExt};
use kube::{Resource, ResourceExt, api::ListParams};
use serde_json::{Value, json};

use crate::{
    actions::TARGET,
    outcome::Outcome,
    points::PLACES,
    report,
    scene::{PAIR, SECOND, Scene, Stage, Test},
    sightings::Sightings,
    tally::all_survived,
};

const NAME: &str = "sequences_of_user_actions_end_as_the_last_spec_and_source_alone_would";
const MOVED: &str = "moved";
const SILENCE: Duration = Duration::from_millis(900);

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![(NAME, |stage| differ(stage).boxed_local())]
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

async fn differ(stage: Arc<Stage>) -> Result<()> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let chosen = std::env::var("SEED").ok().map(|seed| seed.parse());
    let seed = chosen.transpose()?.unwrap_or(now.as_secs());
    let sequences: u64 = if report::thorough() { 500 } else { 40 };
    eprintln!("SEED={seed}");
    let mut expected: BTreeMap<String, Outcome> = BTreeMap::new();
    for number in 0..8 {
        let spec = final_spec(number);
        let outcome = alone(Arc::clone(&stage), &spec).await?;
        expected.insert(spec.0.to_string(), outcome);
    }
    let ends: Vec<Result<()>> = futures::stream::iter(0..sequences)
        .map(|number| attempt(Arc::clone(&stage), seed, number, &expected))
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
async fn alone(stage: Arc<Stage>, spec: &Spec) -> Result<Outcome> {
    let _place = PLACES.acquire().await?;
    let scene = Scene::open(stage).await?;
    scene.source("pair", PAIR).await?;
    scene.resource("orders", "pair", spec.0.clone()).await?;
    scene.until_agreed("orders").await?;
    scene.until_idle().await?;
    without_history(&scene).await
}

/// Without the revision, which counts earlier publications.
async fn without_history(scene: &Scene) -> Result<Outcome> {
    let mut outcome = Outcome::of(scene.stage.cluster().client(), &scene.namespace).await?;
    for resource in outcome.resources.values_mut() {
        if let Some(published) = resource["published"].as_array_mut() {
            published.pop();
        }
    }
    Ok(outcome)
}

async fn attempt(
    stage: Arc<Stage>,
    seed: u64,
    number: u64,
    expected: &BTreeMap<String, Outcome>,
) -> Result<()> {
    let _place = PLACES.acquire().await?;
    let mut dice = Dice(seed.wrapping_add(number.wrapping_mul(1_000_003)));
    let scene = Scene::open(stage).await?;
    let client = scene.stage.cluster().client();
    let sightings = Sightings::of(client, &scene.namespace).await?;
    let mut spec = json!({});
    scene.resource("orders", "pair", spec.clone()).await?;
    let mut story = Vec::new();
    for _ in 0..3 + dice.below(8) {
        let told = act(&scene, &mut dice, &mut spec).await;
        story.push(told.with_context(|| format!("sequence {number}: {story:?}"))?);
        tokio::time::sleep(Duration::from_millis(dice.below(400))).await;
    }
    let last = final_spec(dice.below(8));
    let end = async {
        amend(&scene, &last).await?;
        let expected = expected.get(&last.0.to_string()).context("no such spec")?;
        let as_expected = async || {
            let outcome = without_history(&scene).await?;
            Ok((outcome == *expected).then_some(()))
        };
        scene
            .until(&format!("the outcome is\n{expected}"), &as_expected)
            .await?;
        tokio::time::timeout(Duration::from_mins(1), scene.proxy.quiet(SILENCE)).await?;
        as_expected().await?.context("the outcome did not last")?;
        sightings.testify(&[PAIR, SECOND]).await
    };
    end.await
        .with_context(|| format!("sequence {number}: {story:?}"))?;
    Ok(())
}

/// Performs a random action and returns its description.
async fn act(scene: &Scene, dice: &mut Dice, spec: &mut Value) -> Result<String> {
    let name = [TARGET, MOVED][usize::from(dice.below(2) == 1)];
    let field = match dice.below(18) {
        0 | 1 => return fill(scene, PAIR).await,
        2 | 3 => return fill(scene, SECOND).await,
        4 | 5 => return fill(scene, (SECOND.0, PAIR.1)).await,
        6 => {
            return fill(
                scene,
                (PAIR.0, "wSecretWithALineBreakBehindItAndMore/Id1\n"),
            )
            .await;
        }
        7 => return remove(scene, "pair").await,
        8 => return remove(scene, name).await,
        9 => {
            let edit = json!({ "stringData": { "AWS_REGION": "elsewhere" } });
            // The Secret may be missing.
            let _ = scene.edit_secret(name, edit).await;
            return Ok(format!("edit {name}"));
        }
        10 => {
            let occupant = json!({ "metadata": { "name": name, "labels": { "foreign": "yes" } } });
            let _ = scene.foreign(occupant).await;
            return Ok(format!("occupy {name}"));
        }
        11 => {
            scene.delete_resource("orders").await?;
            scene.resource("orders", "pair", spec.clone()).await?;
            return Ok("recreate".to_owned());
        }
        12 => json!({ "target": { "name": name } }),
        13 => json!({ "target": { "layouts": ["Env", "Mendix"] } }),
        14 => json!({ "target": { "deletionPolicy": "Retain" } }),
        15 => json!({ "validation": { "accountId": "999999999999", "onRejected": "Withdraw" } }),
        16 => json!({ "validation": { "accountId": null }, "suspend": false }),
        _ => json!({ "suspend": true }),
    };
    scene.change("orders", field.clone()).await?;
    // The spec of a recreated resource: the field that was changed last, and no pin.
    *spec = field.clone();
    spec["validation"] = json!({});
    Ok(field.to_string())
}

async fn fill(scene: &Scene, pair: (&str, &str)) -> Result<String> {
    scene.source("pair", pair).await?;
    Ok(format!("fill with {pair:?}"))
}

async fn remove(scene: &Scene, name: &str) -> Result<String> {
    if scene.secrets.get_opt(name).await?.is_some() {
        // The garbage collector or the operator may be faster.
        let _ = scene.delete_secret(name).await;
    }
    Ok(format!("remove {name}"))
}

/// Sets the last spec and the last source, and removes what is in their way: foreign Secrets, and
/// Secrets that an earlier policy retained.
async fn amend(scene: &Scene, spec: &Spec) -> Result<()> {
    scene.source("pair", PAIR).await?;
    let plain =
        json!({ "validation": { "accountId": null, "onRejected": "Keep" }, "suspend": false });
    scene.change("orders", plain).await?;
    scene.change("orders", spec.0.clone()).await?;
    let wanted = spec.0["target"]["name"].as_str().unwrap_or_default();
    for secret in scene.secrets.list(&ListParams::default()).await? {
        if secret
            .meta()
            .labels
            .as_ref()
            .is_some_and(|it| it.contains_key("foreign"))
        {
            remove(scene, &secret.name_any()).await?;
        }
    }
    scene.until_agreed("orders").await?;
    for secret in scene.secrets.list(&ListParams::default()).await? {
        let name = secret.name_any();
        if name != "pair" && name != wanted {
            remove(scene, &name).await?;
        }
    }
    Ok(())
}
