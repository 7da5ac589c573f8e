//! The pod of an SDK: a container for each way to get the pair, with the variables, mounts and volumes of its example
//! in docs/sdks.md.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::conformance::{
    examples::Example,
    sdk::{Client, Runs, Sdk},
    way::Way,
};

/// The image that installs the launcher for the clients.
pub const LAUNCH_IMAGE: &str = "conformance.test/launch:1";
const MACHINE: [&str; 8] = [
    "/usr",
    "/bin",
    "/lib",
    "/lib64",
    "/etc/ssl",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
];

/// The image that contains only the client.
pub fn image(sdk: &Sdk) -> String {
    format!("conformance.test/{}:1", sdk.pod)
}

/// The name of an example's volume in a pod that has volumes of several examples.
pub fn volume(way: Way, name: &str) -> String {
    format!("{}-{name}", way.container())
}

/// The plan of an SDK's pod.
#[derive(Clone)]
pub struct Part<'a> {
    pub sdk: &'a Sdk,
    pub name: String,
    pub client: Client,
    pub ways: Vec<Way>,
}

/// The name of the pod whose image contains only the client.
pub fn alone(sdk: &Sdk) -> String {
    format!("{}-alone", sdk.pod)
}

/// The pods of an SDK. A client alone in its image cannot start a process, so the ways that need one run on the machine
/// as well.
pub fn parts<'a>(sdk: &'a Sdk, client: &Client) -> Vec<Part<'a>> {
    let ways = sdk.ways.to_vec();
    let Runs::Alone(binary) = &client.runs else {
        let (name, client) = (sdk.pod.to_owned(), client.clone());
        return vec![Part {
            sdk,
            name,
            client,
            ways,
        }];
    };
    let with_shell = ways
        .iter()
        .copied()
        .filter(|way| way.needs_shell())
        .collect();
    let directory = binary.parent().unwrap_or(binary).to_owned();
    let on_the_machine = Client {
        command: vec![binary.display().to_string()],
        runs: Runs::OnTheMachine(vec![directory]),
    };
    let mut alone_in = ways.clone();
    // One way is enough to see the failure.
    alone_in.retain(|way| *way != Way::ProcessJsonExpiring);
    let mut parts = vec![
        Part {
            sdk,
            name: alone(sdk),
            client: client.clone(),
            ways: alone_in,
        },
        Part {
            sdk,
            name: sdk.pod.to_owned(),
            client: on_the_machine,
            ways: with_shell,
        },
    ];
    parts.retain(|part| !part.ways.is_empty());
    parts
}

/// The manifest of the pod.
pub fn pod(
    part: &Part<'_>,
    examples: &BTreeMap<Way, Example>,
    namespace: &str,
    endpoint: &str,
) -> Result<Value> {
    let (sdk, client) = (part.sdk, &part.client);
    let (image, machine) = match &client.runs {
        Runs::Alone(_) => (image(sdk), Vec::new()),
        Runs::OnTheMachine(more) => (LAUNCH_IMAGE.to_owned(), machine(more)),
    };
    let mut volumes = own_volumes(&machine);
    let mut containers = Vec::new();
    for way in &part.ways {
        let spec = examples[way].pod_spec();
        for given in spec["volumes"].as_array().into_iter().flatten() {
            let mut given = given.clone();
            given["name"] = json!(volume(*way, name(&given)?));
            volumes.push(given);
        }
        let mut made = one(&spec["containers"][0], *way, client, endpoint)?;
        made["image"] = json!(image);
        let mounts = made["volumeMounts"].as_array_mut().context("no mounts")?;
        mounts.extend(machine.iter().enumerate().map(|(at, path)| {
            json!({ "name": format!("machine-{at}"), "mountPath": path, "readOnly": true })
        }));
        containers.push(made);
    }
    let mut spec = examples[&part.ways[0]].pod_spec().clone();
    // Installs the launcher for containers whose image lacks it.
    spec["initContainers"] = json!([{
        "name": "install", "image": LAUNCH_IMAGE, "imagePullPolicy": "Never",
        "args": ["--install", "/asks"],
        "volumeMounts": [{ "name": "asks", "mountPath": "/asks" }],
        "securityContext": spec["containers"][0]["securityContext"],
    }]);
    spec["containers"] = json!(containers);
    spec["volumes"] = json!(volumes);
    spec["terminationGracePeriodSeconds"] = json!(0);
    spec["enableServiceLinks"] = json!(false);
    Ok(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": part.name, "namespace": namespace, "annotations": annotations(part, examples),
        },
        "spec": spec,
    }))
}

/// The annotations for the container with the injection.
fn annotations(part: &Part<'_>, examples: &BTreeMap<Way, Example>) -> Value {
    let way = Way::CREDENTIAL_PROCESS;
    if !part.ways.contains(&way) {
        return json!({});
    }
    let mut annotations = examples[&way].pod_annotations().clone();
    annotations["awscredentials.dev/inject-containers"] = json!(way.container());
    if matches!(part.client.runs, Runs::Alone(_)) {
        annotations["awscredentials.dev/shell"] = json!("None");
    }
    annotations
}

/// Volumes of every pod: the pipes, temporary files, and the machine.
fn own_volumes(machine: &[PathBuf]) -> Vec<Value> {
    let empty = ["asks", "tmp"].map(|name| json!({ "name": name, "emptyDir": {} }));
    let host = machine.iter().enumerate().map(|(at, path)| {
        let source = path.canonicalize().unwrap_or_else(|_| path.clone());
        json!({ "name": format!("machine-{at}"), "hostPath": { "path": source } })
    });
    empty.into_iter().chain(host).collect()
}

/// The example's container with the client in place of the application.
fn one(given: &Value, way: Way, client: &Client, endpoint: &str) -> Result<Value> {
    let mut made = given.clone();
    made["name"] = json!(way.container());
    made["imagePullPolicy"] = json!("Never");
    let mut command = vec![
        "/asks/launch".to_owned(),
        "/asks".to_owned(),
        way.container(),
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
        // The injection sets this variable itself.
        if way != Way::CREDENTIAL_PROCESS || name != "AWS_EC2_METADATA_DISABLED" {
            env.push(json!({ "name": name, "value": value }));
        }
    }
    made["env"] = json!(env);
    let mut mounts = Vec::new();
    for mount in made["volumeMounts"].as_array().into_iter().flatten() {
        let mut mount = mount.clone();
        mount["name"] = json!(volume(way, name(&mount)?));
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

/// The machine's existing directories, without those inside another one.
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
