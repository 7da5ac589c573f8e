//! Changes of the injection to a pod with hot rotation.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::Result;
use serde_json::{Value, json};

use crate::{
    policies::{
        attempt::{Things, pod},
        injection::{DIRECTORY, asks, asks_for, fixture, is_served, is_untouched, made},
        test_cluster::TestCluster,
    },
    suite::tests,
};

tests![
    a_pod_that_is_to_follow_rotations_gets_the_program_and_one_file,
    without_a_shell_the_program_stands_in_for_it,
    only_the_containers_that_are_named_have_it,
    what_says_the_same_already_stays,
    without_the_annotation_nothing_of_it_comes,
    the_example_of_the_page_is_served,
];

const PAGE: &str = include_str!("../../../docs/rotation.md");

pub const BIN: &str = "/var/run/awscredentials.dev";
pub const HELPER: &str = "awscredentials-dev-helper";
pub const BIN_VOLUME: &str = "awscredentials-dev-bin";

/// Annotations with further ones of our group.
pub fn with(mut annotations: Value, more: &[(&str, &str)]) -> Value {
    for (name, value) in more {
        annotations[format!("awscredentials.dev/{name}")] = json!(value);
    }
    annotations
}

pub fn hot() -> Value {
    with(asks(), &[("rotation", "Hot")])
}

pub fn shellless() -> Value {
    with(hot(), &[("shell", "None")])
}

fn env(container: &Value) -> BTreeMap<&str, &str> {
    let all = container["env"].as_array().into_iter().flatten();
    all.filter_map(|one| Some((one["name"].as_str()?, one["value"].as_str().unwrap_or(""))))
        .collect()
}

/// Mounts of the volume with the program.
fn mounts(container: &Value) -> Vec<Value> {
    let all = container["volumeMounts"].as_array().into_iter().flatten();
    all.filter(|mount| mount["name"] == BIN_VOLUME)
        .cloned()
        .collect()
}

fn program() -> Value {
    json!({ "name": BIN_VOLUME, "mountPath": BIN, "readOnly": true })
}

fn shell() -> Value {
    json!({ "name": BIN_VOLUME, "mountPath": "/bin/sh", "subPath": "credential-process", "readOnly": true })
}

/// Whether a container has every variable and mount, each exactly once.
pub fn is_hot(container: &Value) -> bool {
    let file = format!("{DIRECTORY}/config-process");
    let wanted = BTreeMap::from([
        ("AWS_SHARED_CREDENTIALS_FILE", file.as_str()),
        ("AWS_CONFIG_FILE", file.as_str()),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_ROLE_ARN", ""),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", ""),
    ]);
    let all = container["volumeMounts"].as_array().into_iter().flatten();
    let of_the_secret = all.filter(|mount| mount["name"] == "awscredentials-dev");
    env(container) == wanted
        && mounts(container) == [program()]
        && of_the_secret
            .map(|mount| &mount["mountPath"])
            .eq([DIRECTORY])
}

pub fn helpers(spec: &Value) -> Vec<&Value> {
    let all = spec["initContainers"].as_array().into_iter().flatten();
    all.filter(|container| container["name"] == HELPER)
        .collect()
}

fn bins(spec: &Value) -> Vec<&Value> {
    let all = spec["volumes"].as_array().into_iter().flatten();
    all.filter(|volume| volume["name"] == BIN_VOLUME).collect()
}

async fn a_pod_that_is_to_follow_rotations_gets_the_program_and_one_file(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let spec = made(&fixture(&test_cluster).await?, &pod(&hot(), json!({}))).await?;
    assert!(is_hot(&spec["containers"][0]), "{spec:#}");
    let in_memory = json!({ "medium": "Memory", "sizeLimit": "8Mi" });
    assert_eq!(
        bins(&spec),
        [&json!({ "name": BIN_VOLUME, "emptyDir": in_memory })]
    );
    assert_eq!(helpers(&spec).len(), 1, "{spec:#}");
    Ok(())
}

async fn without_a_shell_the_program_stands_in_for_it(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let spec = made(
        &fixture(&test_cluster).await?,
        &pod(&shellless(), json!({})),
    )
    .await?;
    let mut mounted = mounts(&spec["containers"][0]);
    mounted.sort_by_key(|mount| mount["mountPath"].to_string());
    assert_eq!(mounted, [shell(), program()]);
    assert_eq!(bins(&spec).len(), 1);
    Ok(())
}

async fn only_the_containers_that_are_named_have_it(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = fixture(&test_cluster).await?;
    let container = |name: &str| json!({ "name": name, "image": "x" });
    let proxy = json!({ "name": "proxy", "image": "x", "env": [{ "name": "AWS_PROFILE", "value": "own" }] });
    let own = json!({ "containers": [proxy, container("app")] });
    let annotations = with(asks_for("app"), &[("rotation", "Hot"), ("shell", "None")]);
    let spec = made(&fixture, &pod(&annotations, own)).await?;
    assert_eq!(mounts(&spec["containers"][1]).len(), 2, "{spec:#}");
    assert!(mounts(&spec["containers"][0]).is_empty(), "{spec:#}");
    assert_eq!(env(&spec["containers"][0]).len(), 1, "{spec:#}");
    Ok(())
}

async fn what_says_the_same_already_stays(test_cluster: Arc<TestCluster>) -> Result<()> {
    let file = format!("{DIRECTORY}/config-process");
    let container = json!({
        "name": "app", "image": "app",
        "env": [
            { "name": "A", "value": "a" },
            { "name": "AWS_CONFIG_FILE", "value": file },
            { "name": "AWS_ROLE_ARN", "value": "" },
            { "name": "AWS_EC2_METADATA_DISABLED", "value": "true" },
        ],
        "envFrom": [{ "secretRef": { "name": "own" } }],
        "volumeMounts": [{ "name": BIN_VOLUME, "mountPath": BIN, "readOnly": true }],
    });
    let volume = json!({ "name": BIN_VOLUME, "emptyDir": { "medium": "Memory" } });
    let own = json!({ "containers": [container], "volumes": [volume] });
    let spec = made(&fixture(&test_cluster).await?, &pod(&hot(), own)).await?;
    let app = &spec["containers"][0];
    assert_eq!(env(app).len(), 6, "{app:#}");
    let listed = app["env"].as_array().map(Vec::len);
    assert_eq!(listed, Some(6), "none is there twice: {app:#}");
    assert_eq!(mounts(app), [program()]);
    assert_eq!(bins(&spec), [&volume]);
    Ok(())
}

async fn without_the_annotation_nothing_of_it_comes(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = fixture(&test_cluster).await?;
    let own = json!({ "initContainers": [{ "name": HELPER, "image": "x" }] });
    let spec = made(&fixture, &pod(&asks(), own.clone())).await?;
    assert!(is_served(&spec["containers"][0]), "{spec:#}");
    assert!(is_served(&spec["initContainers"][0]), "{spec:#}");
    assert!(bins(&spec).is_empty() && mounts(&spec["containers"][0]).is_empty());
    assert_eq!(env(&spec["containers"][0]).len(), 2);

    let mut plain = pod(&json!({ "other": "Hot" }), own);
    plain["metadata"]["name"] = json!("plain");
    let spec = made(&fixture, &plain).await?;
    assert!(is_untouched(&spec["containers"][0]), "{spec:#}");
    assert!(bins(&spec).is_empty());
    Ok(())
}

async fn the_example_of_the_page_is_served(test_cluster: Arc<TestCluster>) -> Result<()> {
    let block = PAGE.split("```yaml\n").nth(1).unwrap_or_default();
    let block = block.split("\n```").next().unwrap_or_default();
    let documents = block.split("\n---\n").map(serde_saphyr::from_str::<Value>);
    let documents = documents.collect::<Result<Vec<_>, _>>()?;
    let [resource, deployment] = documents.as_slice() else {
        panic!("{documents:?}");
    };
    let fixture = fixture(&test_cluster).await?;
    fixture.create(Things::Resources, resource).await?;
    let mut pod = deployment["spec"]["template"].clone();
    pod["metadata"]["name"] = json!("pod");
    let spec = made(&fixture, &pod).await?;
    assert!(is_hot(&spec["containers"][0]), "{spec:#}");
    Ok(())
}
