//! Changes of the injection to a pod with the annotation.

use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{
    policies::{
        attempt::{Attempt, Things, pod},
        test_cluster::TestCluster,
    },
    suite::tests,
};

tests![
    an_annotated_pod_gets_the_files_and_the_variables,
    a_pod_without_the_annotation_stays_as_it_is,
    what_the_pod_has_of_its_own_stays,
    init_containers_and_sidecars_are_served_in_their_order,
    only_the_containers_that_are_named_are_served,
    variables_that_stand_there_twice_stay,
];

pub const DIRECTORY: &str = "/var/run/secrets/awscredentials.dev";

/// The annotation that asks for the target of `orders`.
pub fn asks() -> Value {
    json!({ "awscredentials.dev/inject": "orders-credentials" })
}

/// The same for these containers only.
pub fn asks_for(containers: &str) -> Value {
    json!({
        "awscredentials.dev/inject": "orders-credentials",
        "awscredentials.dev/inject-containers": containers,
    })
}

/// A new namespace, with the rights of an administrator.
pub async fn fixture(test_cluster: &TestCluster) -> Result<Attempt> {
    let namespace = test_cluster.cluster().namespace("pods").await?;
    Ok(Attempt::new(&test_cluster.admin(), &namespace))
}

/// The spec of a pod as stored by the API server.
pub async fn made(attempt: &Attempt, manifest: &Value) -> Result<Value> {
    let answer = attempt.create(Things::Pods, manifest).await;
    let made = answer.with_context(|| manifest.to_string())?;
    Ok(made.data["spec"].clone())
}

/// The variables of a container, by name.
fn env(container: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = container["env"].as_array().into_iter().flatten();
    all.map(|env| (text(&env["name"]), text(&env["value"])))
        .collect()
}

/// Mounts of the injected volume in a container.
fn mounts(container: &Value) -> Vec<Value> {
    let all = container["volumeMounts"].as_array().into_iter().flatten();
    all.filter(|mount| mount["name"] == "awscredentials-dev")
        .cloned()
        .collect()
}

pub fn is_served(container: &Value) -> bool {
    let value = |name: &str, file: &str| (name.to_owned(), format!("{DIRECTORY}/{file}"));
    let env = env(container);
    let mount = json!({ "name": "awscredentials-dev", "mountPath": DIRECTORY, "readOnly": true });
    [
        value("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        value("AWS_CONFIG_FILE", "config"),
    ]
    .iter()
    .all(|wanted| env.iter().filter(|found| *found == wanted).count() == 1)
        && mounts(container) == [mount]
}

pub fn is_untouched(container: &Value) -> bool {
    env(container).is_empty() && mounts(container).is_empty()
}

/// The injected volumes.
pub fn volumes(spec: &Value) -> Vec<Value> {
    let all = spec["volumes"].as_array().into_iter().flatten();
    all.filter(|volume| volume["name"] == "awscredentials-dev")
        .cloned()
        .collect()
}

pub fn names(containers: &Value) -> Vec<&str> {
    let all = containers.as_array().into_iter().flatten();
    all.filter_map(|container| container["name"].as_str())
        .collect()
}

async fn an_annotated_pod_gets_the_files_and_the_variables(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let spec = made(&fixture(&test_cluster).await?, &pod(&asks(), json!({}))).await?;
    assert!(is_served(&spec["containers"][0]), "{spec:#}");
    let secret = json!({ "secretName": "orders-credentials", "defaultMode": 0o644 });
    let volume = json!({ "name": "awscredentials-dev", "secret": secret });
    assert_eq!(volumes(&spec), [volume]);
    Ok(())
}

async fn a_pod_without_the_annotation_stays_as_it_is(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = fixture(&test_cluster).await?;
    let spec = made(&fixture, &pod(&json!({ "other": "x" }), json!({}))).await?;
    assert!(is_untouched(&spec["containers"][0]), "{spec:#}");
    assert!(volumes(&spec).is_empty(), "{spec:#}");
    Ok(())
}

async fn what_the_pod_has_of_its_own_stays(test_cluster: Arc<TestCluster>) -> Result<()> {
    let container = json!({
        "name": "app", "image": "app",
        "env": [{ "name": "A", "value": "a" }, { "name": "AWS_CONFIG_FILE", "value": "/etc/own" }, { "name": "B", "value": "$(A)" }],
        "envFrom": [{ "secretRef": { "name": "own" } }],
        "volumeMounts": [{ "name": "own", "mountPath": "/own" }],
        "ports": [{ "containerPort": 53, "protocol": "UDP" }, { "containerPort": 53, "protocol": "TCP" }],
    });
    let own = json!({ "containers": [container], "volumes": [{ "name": "own", "emptyDir": {} }] });
    let spec = made(&fixture(&test_cluster).await?, &pod(&asks(), own.clone())).await?;
    let app = &spec["containers"][0];
    let pairs = env(app);
    for (name, value) in [("A", "a"), ("AWS_CONFIG_FILE", "/etc/own"), ("B", "$(A)")] {
        let wanted = (name.to_owned(), value.to_owned());
        assert_eq!(
            pairs
                .iter()
                .filter(|pair| pair.0 == name)
                .collect::<Vec<_>>(),
            [&wanted]
        );
    }
    let at = |name: &str| pairs.iter().position(|pair| pair.0 == name);
    assert!(
        at("A") < at("B"),
        "a variable refers to those before it: {pairs:?}"
    );
    let file = format!("{DIRECTORY}/credentials");
    assert!(pairs.contains(&("AWS_SHARED_CREDENTIALS_FILE".to_owned(), file)));
    assert_eq!(app["envFrom"], own["containers"][0]["envFrom"]);
    assert_eq!(app["ports"], own["containers"][0]["ports"]);
    let mounted = app["volumeMounts"].as_array().into_iter().flatten();
    assert_eq!(mounted.filter(|mount| mount["name"] == "own").count(), 1);
    assert_eq!(mounts(app).len(), 1);
    assert_eq!(
        names(&spec["volumes"])
            .iter()
            .filter(|name| **name == "own")
            .count(),
        1
    );
    Ok(())
}

/// Three containers of each kind, one of them a sidecar.
fn many() -> Value {
    let container = |name: &str| json!({ "name": name, "image": "x" });
    json!({
        "containers": [container("zeta"), container("app"), container("beta")],
        "initContainers": [
            container("last"), container("first"),
            { "name": "sidecar", "image": "x", "restartPolicy": "Always" },
        ],
    })
}

async fn init_containers_and_sidecars_are_served_in_their_order(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let spec = made(&fixture(&test_cluster).await?, &pod(&asks(), many())).await?;
    assert_eq!(names(&spec["containers"]), ["zeta", "app", "beta"]);
    assert_eq!(names(&spec["initContainers"]), ["last", "first", "sidecar"]);
    for kind in ["containers", "initContainers"] {
        for container in spec[kind].as_array().into_iter().flatten() {
            assert!(is_served(container), "{container:#}");
        }
    }
    assert_eq!(spec["initContainers"][2]["restartPolicy"], "Always");
    assert_eq!(volumes(&spec).len(), 1);
    Ok(())
}

async fn only_the_containers_that_are_named_are_served(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let fixture = fixture(&test_cluster).await?;
    let mut manifest = pod(&asks_for("beta, sidecar"), many());
    let spec = made(&fixture, &manifest).await?;
    // Init containers run in this order.
    assert_eq!(names(&spec["containers"]), ["zeta", "app", "beta"]);
    assert_eq!(names(&spec["initContainers"]), ["last", "first", "sidecar"]);
    for kind in ["containers", "initContainers"] {
        for container in spec[kind].as_array().into_iter().flatten() {
            let named = container["name"] == "beta" || container["name"] == "sidecar";
            assert!(
                if named {
                    is_served(container)
                } else {
                    is_untouched(container)
                },
                "{container:#}"
            );
        }
    }
    manifest["metadata"]["name"] = json!("one");
    manifest["metadata"]["annotations"] = asks_for("app");
    // A container without the injection may set the variable.
    manifest["spec"]["containers"][0]["env"] = json!([{ "name": "AWS_PROFILE", "value": "own" }]);
    let spec = made(&fixture, &manifest).await?;
    assert!(is_served(&spec["containers"][1]), "{spec:#}");
    Ok(())
}

async fn variables_that_stand_there_twice_stay(test_cluster: Arc<TestCluster>) -> Result<()> {
    let twice = json!([{ "name": "A", "value": "1" }, { "name": "A", "value": "2" }]);
    let container = json!({ "name": "app", "image": "app", "env": twice });
    let own = json!({ "containers": [container] });
    let spec = made(&fixture(&test_cluster).await?, &pod(&asks(), own)).await?;
    assert!(is_served(&spec["containers"][0]), "{spec:#}");
    let of_a: Vec<_> = env(&spec["containers"][0])
        .into_iter()
        .filter(|(name, _)| name == "A")
        .collect();
    assert_eq!(
        of_a.last().map(|(_, value)| value.as_str()),
        Some("2"),
        "the last one counts"
    );
    Ok(())
}
