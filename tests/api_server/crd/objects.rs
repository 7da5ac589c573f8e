//! Objects that a user creates, as the API server stores them.

use anyhow::{Context, Result, ensure};
use cluster::control_plane::ControlPlane;
use kube::{Api, Client, api::ListParams};
use serde_json::{Value, json};
use static_aws_credentials::api::StaticAwsCredentials;

use crate::{
    crd::answer::{apply, merge_patch, post},
    schema::{changed, defaulted_spec, valid},
};

/// URL path of the objects of a namespace.
pub fn collection(namespace: &str) -> String {
    format!("/apis/awscredentials.dev/v1alpha1/namespaces/{namespace}/staticawscredentials")
}

/// Creates an object, and returns its generated name.
pub async fn create(client: &Client, namespace: &str, object: &Value) -> Result<String> {
    let stored = create_and_read(client, namespace, object).await?;
    Ok(stored["metadata"]["name"]
        .as_str()
        .context("no name")?
        .to_owned())
}

async fn create_and_read(client: &Client, namespace: &str, object: &Value) -> Result<Value> {
    let mut object = object.clone();
    object["metadata"] = json!({"generateName": "orders-"});
    let path = format!("{}?fieldValidation=Strict", collection(namespace));
    let answer = post(client, &path, &object).await?;
    ensure!(answer.code == 201, "{object}: {answer:?}");
    ensure!(answer.warnings.is_empty(), "{object}: {answer:?}");
    Ok(answer.body)
}

pub async fn a_new_object_has_all_defaults(world: &ControlPlane, namespace: &str) -> Result<()> {
    let nothing = json!({});
    let empty = json!({"spec": {"validation": {}, "target": {}}});
    let partial =
        json!({"spec": {"validation": {"interval": "1h"}, "target": {"deletionPolicy": "Delete"}}});
    for patch in [nothing, empty, partial] {
        let stored = create_and_read(&world.client(), namespace, &changed(&patch)).await?;
        assert_eq!(stored["spec"], defaulted_spec(), "{patch}");
        assert_eq!(
            stored["status"],
            json!({
                "observedGeneration": -1,
                "conditions": [{
                    "type": "Ready",
                    "status": "Unknown",
                    "reason": "Pending",
                    "message": "The operator has not looked at this resource yet.",
                    "lastTransitionTime": "1970-01-01T00:00:00Z",
                }],
            })
        );
        let read: StaticAwsCredentials = serde_json::from_value(stored)?;
        ensure!(
            read.status
                .is_some_and(|status| status.observed_generation == -1)
        );
    }
    Ok(())
}

/// Templates render `null` for a value that is not set.
pub async fn an_explicit_null_is_as_good_as_nothing(
    world: &ControlPlane,
    namespace: &str,
) -> Result<()> {
    let client = world.client();
    let plain = create_and_read(&client, namespace, &valid()).await?;
    let mut object = valid();
    object["spec"]["validation"] =
        json!({"level": null, "accountId": null, "arn": null, "interval": null});
    object["spec"]["target"] = json!({"name": null, "layouts": null, "keys": null});
    object["spec"]["suspend"] = Value::Null;
    let stored = create_and_read(&client, namespace, &object).await?;
    assert_eq!(stored["spec"], plain["spec"]);
    Ok(())
}

pub async fn a2_a7_a11_a_field_that_does_not_exist_is_refused(
    world: &ControlPlane,
    namespace: &str,
) -> Result<()> {
    let path = format!(
        "{}?dryRun=All&fieldValidation=Strict",
        collection(namespace)
    );
    for patch in [
        json!({"spec": {"endpoint": "https://sts.example"}}),
        json!({"spec": {"secretRef": {"namespace": "other"}}}),
        json!({"spec": {"target": {"type": "kubernetes.io/tls"}}}),
        json!({"spec": {"target": {"namespace": "other"}}}),
        json!({"spec": {"target": {"labels": {"a": "b"}}}}),
        json!({"spec": {"target": {"annotations": {"a": "b"}}}}),
        json!({"spec": {"target": {"template": {"metadata": {}}}}}),
        json!({"spec": {"validation": {"endpoint": "https://sts.example"}}}),
        json!({"spec": {"validation": {"proxy": "https://sts.example"}}}),
        json!({"spec": {"validation": {"caBundle": "QQ=="}}}),
    ] {
        let answer = post(&world.client(), &path, &changed(&patch)).await?;
        ensure!(
            answer.code == 400 && answer.message().contains("unknown field"),
            "{answer:?}"
        );
    }
    Ok(())
}

pub async fn field_selectors_find_source_and_target(
    world: &ControlPlane,
    namespace: &str,
) -> Result<()> {
    let client = world.client();
    let api = Api::<StaticAwsCredentials>::namespaced(client.clone(), namespace);
    let source = |name: &str| changed(&json!({"spec": {"secretRef": {"name": name}}}));
    let one = create(&client, namespace, &source("selected-one")).await?;
    create(&client, namespace, &source("selected-two")).await?;
    let found = api
        .list(&ListParams::default().fields("spec.secretRef.name=selected-one"))
        .await?;
    let names: Vec<_> = found
        .items
        .into_iter()
        .filter_map(|item| item.metadata.name)
        .collect();
    assert_eq!(names, std::slice::from_ref(&one));

    let published = json!({"status": {"published": {
        "secretName": "selected-target", "uid": "u", "resourceVersion": "1", "keyIdSuffix": "MPLE",
        "revision": 1, "time": "2026-01-02T03:04:05Z",
    }}});
    let path = format!("{}/{one}/status", collection(namespace));
    let answer = merge_patch(&client, &path, &published).await?;
    ensure!(answer.code == 200, "{answer:?}");
    let selector = "status.published.secretName=selected-target";
    let found = api.list(&ListParams::default().fields(selector)).await?;
    let names: Vec<_> = found
        .items
        .into_iter()
        .filter_map(|item| item.metadata.name)
        .collect();
    assert_eq!(names, [one]);
    Ok(())
}

/// A merged list would keep the default layouts, or those of another field manager.
pub async fn layouts_are_replaced_as_a_whole(world: &ControlPlane, namespace: &str) -> Result<()> {
    let path = |manager: &str| {
        format!(
            "{}/applied?fieldManager={manager}&force=true",
            collection(namespace)
        )
    };
    for (manager, layouts) in [("one", ["Mendix"]), ("two", ["ProcessJson"])] {
        let object = changed(&json!({
            "metadata": {"name": "applied"}, "spec": {"target": {"layouts": layouts}},
        }));
        let answer = apply(&world.client(), &path(manager), &object).await?;
        ensure!(matches!(answer.code, 200 | 201), "{answer:?}");
        assert_eq!(answer.body["spec"]["target"]["layouts"], json!(layouts));
    }
    Ok(())
}
