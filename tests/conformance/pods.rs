//! The pod of an SDK: a container for each layout, with the variables, mounts and volumes of the
//! layout's example in docs/sdks.md.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use static_aws_credentials::api::Layout;

use crate::{
    examples::Example,
    sdk::{Client, Runs, Sdk},
};

/// The image that puts the launcher where the clients find it.
pub const LAUNCH_IMAGE: &str = "conformance.test/launch:1";
const MACHINE: [&str; 9] = [
    "/usr",
    "/bin",
    "/lib",
    "/lib64",
    "/etc/ssl",
    "/etc/alternatives",
    "/etc/java-17-openjdk",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
];

/// The name of a layout's container.
pub fn container(layout: Layout) -> String {
    format!("{layout:?}").to_lowercase()
}

/// The image of a client that is alone in it.
pub fn image(sdk: &Sdk) -> String {
    format!("conformance.test/{}:1", sdk.pod)
}

/// The name of a volume of an example in a pod that has those of others as well.
pub fn volume(layout: Layout, name: &str) -> String {
    format!("{}-{name}", container(layout))
}

/// The pods of an SDK. A client that is alone in its image cannot start a process for `ProcessJson`, so it
/// does that on the machine.
pub fn parts<'a>(sdk: &'a Sdk, client: &'a Client) -> Vec<(&'a Sdk, Client, Vec<Layout>)> {
    let Runs::Alone(binary) = &client.runs else {
        return vec![(sdk, client.clone(), sdk.layouts.to_vec())];
    };
    let (with_shell, without): (Vec<_>, Vec<_>) = sdk
        .layouts
        .iter()
        .partition(|layout| **layout == Layout::ProcessJson);
    let mut parts = vec![(sdk, client.clone(), without)];
    if !with_shell.is_empty() {
        let directory = binary.parent().unwrap_or(binary).to_owned();
        let client = Client {
            command: vec![binary.display().to_string()],
            runs: Runs::OnTheMachine(vec![directory]),
        };
        parts.push((sdk, client, with_shell));
    }
    parts
}

/// A pod that tries some layouts of an SDK.
pub fn pod(
    sdk: &Sdk,
    client: &Client,
    examples: &[(Layout, &Example)],
    namespace: &str,
    endpoint: &str,
) -> Result<Value> {
    let (image, machine) = match &client.runs {
        Runs::Alone(_) => (image(sdk), Vec::new()),
        Runs::OnTheMachine(more) => (LAUNCH_IMAGE.to_owned(), machine(more)),
    };
    let mut volumes = vec![
        json!({ "name": "asks", "emptyDir": {} }),
        json!({ "name": "tmp", "emptyDir": {} }),
    ];
    let host = |(at, path): (usize, &PathBuf)| {
        let source = path.canonicalize().unwrap_or_else(|_| path.clone());
        json!({ "name": format!("machine-{at}"), "hostPath": { "path": source } })
    };
    volumes.extend(machine.iter().enumerate().map(host));
    let mut containers = Vec::new();
    for (layout, example) in examples {
        let spec = example.pod_spec();
        for given in spec["volumes"].as_array().into_iter().flatten() {
            let mut given = given.clone();
            given["name"] = json!(volume(*layout, name(&given)?));
            volumes.push(given);
        }
        let mut made = one(&spec["containers"][0], *layout, client, endpoint)?;
        made["image"] = json!(image);
        let mounts = made["volumeMounts"].as_array_mut().context("no mounts")?;
        mounts.extend(machine.iter().enumerate().map(|(at, path)| {
            json!({ "name": format!("machine-{at}"), "mountPath": path, "readOnly": true })
        }));
        containers.push(made);
    }
    let mut spec = examples[0].1.pod_spec().clone();
    let mut install = json!({
        "name": "install", "image": LAUNCH_IMAGE, "imagePullPolicy": "Never",
        "args": ["--install", "/asks"],
        "volumeMounts": [{ "name": "asks", "mountPath": "/asks" }],
    });
    install["securityContext"] = spec["containers"][0]["securityContext"].clone();
    spec["initContainers"] = json!([install]);
    spec["containers"] = json!(containers);
    spec["volumes"] = json!(volumes);
    spec["terminationGracePeriodSeconds"] = json!(0);
    spec["enableServiceLinks"] = json!(false);
    Ok(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": sdk.pod, "namespace": namespace },
        "spec": spec,
    }))
}

/// The example's container with the client in the place of the application.
fn one(given: &Value, layout: Layout, client: &Client, endpoint: &str) -> Result<Value> {
    let mut made = given.clone();
    made["name"] = json!(container(layout));
    made["imagePullPolicy"] = json!("Never");
    let mut command = vec![
        "/asks/launch".to_owned(),
        "/asks".to_owned(),
        container(layout),
    ];
    command.extend(client.command.iter().cloned());
    made["command"] = json!(command);
    let mut env = made["env"].as_array().cloned().unwrap_or_default();
    for (name, value) in [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("HOME", "/tmp"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
    ] {
        env.push(json!({ "name": name, "value": value }));
    }
    made["env"] = json!(env);
    let mut mounts = Vec::new();
    for mount in made["volumeMounts"].as_array().into_iter().flatten() {
        let mut mount = mount.clone();
        mount["name"] = json!(volume(layout, name(&mount)?));
        mounts.push(mount);
    }
    mounts.push(json!({ "name": "asks", "mountPath": "/asks" }));
    mounts.push(json!({ "name": "tmp", "mountPath": "/tmp" }));
    made["volumeMounts"] = json!(mounts);
    Ok(made)
}

fn name(object: &Value) -> Result<&str> {
    object["name"].as_str().context("a volume has no name")
}

/// The machine's directories that are there, none within another.
fn machine(more: &[PathBuf]) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = Vec::new();
    let wanted = MACHINE
        .iter()
        .map(PathBuf::from)
        .chain(more.iter().cloned());
    for path in wanted.filter(|path| path.exists()) {
        if !all
            .iter()
            .any(|have: &PathBuf| path.starts_with(Path::new(have)))
        {
            all.push(path);
        }
    }
    all
}
