//! The rules apply to writers of a spec, and block no other write.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use cluster::control_plane::ControlPlane;
use serde_json::{Value, json};

use crate::{
    crd::{
        answer::{apply, merge_patch, post},
        definition::{DEADLINE, install_as},
        objects::{collection, create},
    },
    harness::version::Feature,
    schema::{self, changed, valid},
};

pub async fn a_valid_object_takes_every_update(
    world: &ControlPlane,
    namespace: &str,
) -> Result<()> {
    let client = world.client();
    let name = create(&client, namespace, &valid()).await?;
    let object = format!("{}/{name}", collection(namespace));
    let status = format!("{object}/status");
    for (path, patch) in [
        (&object, json!({"metadata": {"labels": {"team": "orders"}}})),
        (&status, json!({"status": {"observedGeneration": 1}})),
        (
            &object,
            json!({"spec": {"secretRef": {"name": "another"}, "region": "us-east-1"}}),
        ),
        (
            &object,
            json!({"spec": {"target": {"name": "renamed", "layouts": ["Mendix"]}}}),
        ),
        (
            &object,
            json!({"spec": {"validation": {"level": "Format"}, "region": null}}),
        ),
        (&object, json!({"spec": {"suspend": true}})),
        (&status, json!({"status": {"conditions": []}})),
    ] {
        let answer = merge_patch(&client, path, &patch).await?;
        ensure!(
            answer.code == 200 && answer.warnings.is_empty(),
            "{patch}: {answer:?}"
        );
    }
    Ok(())
}

/// An upgrade adds rules that existing objects may violate. Such objects must still accept the operator's status and
/// changes of valid fields.
pub async fn an_object_older_than_the_rules_takes_updates(
    world: &ControlPlane,
    namespace: &str,
) -> Result<()> {
    let client = world.client();
    // A separate group, so that other checks do not use a definition without rules.
    let strict = regrouped(
        &schema::definition::definition()?,
        "upgrade.awscredentials.dev",
    )?;
    let mut loose = strict.clone();
    loosen(&mut loose["spec"]["versions"][0]["schema"]["openAPIV3Schema"]);
    install_as(&client, &loose).await?;

    let objects = collection(namespace).replace("awscredentials.dev", "upgrade.awscredentials.dev");
    let mut old = changed(&json!({"spec": {
        "region": "Somewhere",
        "validation": {"accountId": "ours", "interval": "1 day"},
        "target": {"layouts": ["Env", "Env"], "keys": {"..": "AccessKeyId"}},
    }}));
    old["apiVersion"] = json!("upgrade.awscredentials.dev/v1alpha1");
    let answer = post(&client, &objects, &old).await?;
    ensure!(answer.code == 201, "{answer:?}");

    let name = strict["metadata"]["name"].as_str().context("no name")?;
    let definition = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
    let answer = apply(
        &client,
        &format!("{definition}?fieldManager=upgrade&force=true"),
        &strict,
    )
    .await?;
    ensure!(answer.code == 200, "{answer:?}");
    old["metadata"]["name"] = json!("another");
    refused_at_last(world, &objects, &old).await?;

    let object = format!("{objects}/orders");
    let status = format!("{object}/status");
    let observed = json!({"status": {"observedGeneration": 1}});
    let answer = merge_patch(&client, &status, &observed).await?;
    let code = if Feature::StatusRatcheting.is_served() {
        200
    } else {
        422
    };
    ensure!(answer.code == code, "{observed}: {answer:?}");
    for (path, patch) in [
        (&object, json!({"metadata": {"labels": {"team": "orders"}}})),
        (&object, json!({"spec": {"suspend": true}})),
        (
            &object,
            json!({"spec": {"target": {"deletionPolicy": "Retain"}}}),
        ),
    ] {
        let answer = merge_patch(&client, path, &patch).await?;
        ensure!(answer.code == 200, "{patch}: {answer:?}");
    }
    let answer = merge_patch(&client, &object, &json!({"spec": {"region": "Elsewhere"}})).await?;
    ensure!(answer.code == 422, "a new offence: {answer:?}");
    Ok(())
}

/// The API server enforces a new schema some time after it stored it, without a notification.
async fn refused_at_last(world: &ControlPlane, objects: &str, offender: &Value) -> Result<()> {
    let end = Instant::now() + DEADLINE;
    let path = format!("{objects}?dryRun=All");
    while post(&world.client(), &path, offender).await?.code != 422 {
        ensure!(Instant::now() < end, "the rules are not in force");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

fn regrouped(definition: &Value, group: &str) -> Result<Value> {
    let mut definition = definition.clone();
    let plural = definition["spec"]["names"]["plural"]
        .as_str()
        .context("no plural")?;
    definition["metadata"]["name"] = json!(format!("{plural}.{group}"));
    definition["spec"]["group"] = json!(group);
    // With a second kind of the same short name or category, `kubectl` would list both.
    let names = definition["spec"]["names"]
        .as_object_mut()
        .context("no names")?;
    names.remove("shortNames");
    names.remove("categories");
    Ok(definition)
}

/// Removes every rule and bound from a schema.
fn loosen(schema: &mut Value) {
    if let Some(schema) = schema.as_object_mut() {
        for keyword in ["x-kubernetes-validations", "maxLength", "pattern"] {
            schema.remove(keyword);
        }
        schema.values_mut().for_each(loosen);
    }
}
