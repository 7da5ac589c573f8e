//! The health script in `contrib/`: its own tests in upstream's format, over objects that the
//! operator wrote, with the values removed that differ between runs.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{
    gitops::{
        readers::{read, run},
        states::State,
        test_cluster::{TestCluster, condition, folder, text},
    },
    suite::tests,
};

/// Directory of the script, in the layout of upstream's resource customizations.
pub const DIRECTORY: &str = "contrib/argocd/awscredentials.dev/StaticAwsCredentials";
const UPDATE: &str = "UPDATE_ARGOCD";

tests![
    the_test_data_are_what_the_operator_writes,
    the_health_script_passes_its_own_tests,
    the_health_script_takes_objects_that_are_not_whole,
];

async fn the_test_data_are_what_the_operator_writes(test_cluster: Arc<TestCluster>) -> Result<()> {
    test_cluster.test_data().await?;
    let directory = folder(DIRECTORY);
    let states = test_cluster.states().await?;
    let kept = std::fs::read_dir(directory.join("testdata"))?.count();
    assert_eq!(
        kept,
        states.len(),
        "there are files of states that are no more"
    );
    for (path, wanted) in files(states)? {
        let kept = text(&format!("{DIRECTORY}/{path}"))?;
        ensure!(
            kept == wanted,
            "{path} is stale; {UPDATE}=1 cargo test --test api_server gitops\n{wanted}"
        );
    }
    Ok(())
}

/// Rewrites the test data if `UPDATE_ARGOCD` is set.
pub fn update(states: &[State]) -> Result<()> {
    if std::env::var_os(UPDATE).is_none() {
        return Ok(());
    }
    let directory = folder(DIRECTORY);
    std::fs::remove_dir_all(directory.join("testdata"))?;
    std::fs::create_dir(directory.join("testdata"))?;
    for (path, content) in files(states)? {
        std::fs::write(directory.join(path), content)?;
    }
    Ok(())
}

/// Every file of the test data, with its content.
fn files(states: &[State]) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    let mut tests = Vec::new();
    for state in states {
        let path = format!("testdata/{}.yaml", state.name);
        tests.push(json!({ "inputPath": path, "healthStatus": expected(state)? }));
        files.push((path, serde_saphyr::to_string(&lasting(&state.object))?));
    }
    let suite = serde_saphyr::to_string(&json!({ "tests": tests }))?;
    files.push(("health_test.yaml".to_owned(), suite));
    Ok(files)
}

async fn the_health_script_passes_its_own_tests(test_cluster: Arc<TestCluster>) -> Result<()> {
    test_cluster.test_data().await?;
    let count = test_cluster.states().await?.len();
    let output = run(&["test", &folder(DIRECTORY).display().to_string()]).await?;
    assert_eq!(
        output
            .lines()
            .filter(|line| line.starts_with("ok "))
            .count(),
        count,
        "{output}"
    );
    Ok(())
}

/// A script that fails leaves the resource at Unknown, with an unhelpful message.
async fn the_health_script_takes_objects_that_are_not_whole(_: Arc<TestCluster>) -> Result<()> {
    let cases = [
        json!({ "metadata": {} }),
        json!({ "metadata": {}, "spec": {}, "status": {} }),
        json!({ "metadata": { "generation": 1 }, "spec": {}, "status": { "conditions": [] } }),
        json!({ "metadata": { "generation": 2 }, "status": { "observedGeneration": 2, "conditions": [] } }),
        json!({ "metadata": { "generation": 2 }, "status": { "observedGeneration": 2, "conditions": [{ "type": "Ready", "status": "Unknown", "reason": "Pending", "message": "" }] } }),
    ];
    let cases: Vec<&Value> = cases.iter().collect();
    let script = folder(DIRECTORY).join("health.lua").display().to_string();
    for health in read(&["health", &script], &cases).await? {
        assert_eq!(
            health,
            json!({ "status": "Progressing", "message": "Waiting for the operator" })
        );
    }
    Ok(())
}

/// Status from the state's name, message from its conditions, both independent of the script.
fn expected(state: &State) -> Result<Value> {
    let (status, _) = state
        .name
        .split_once('_')
        .context("a name without health")?;
    let mut letters = status.chars();
    let first = letters.next().context("no health")?.to_uppercase();
    let status: String = first.chain(letters).collect();
    let message_of = |kind: &str| {
        let condition = condition(&state.object, kind);
        let word = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
        format!("{}: {}", word("reason"), word("message"))
    };
    let message = match state.name {
        "progressing_new" | "progressing_generation" | "progressing_deleting" => {
            "Waiting for the operator".to_owned()
        }
        "healthy_published" => {
            let message = &condition(&state.object, "Ready")["message"];
            message.as_str().unwrap_or_default().to_owned()
        }
        "healthy_stsUnavailable" => message_of("Verified"),
        _ => match status.as_str() {
            "Suspended" => "spec.suspend is true".to_owned(),
            "Degraded" => message_of("Stalled"),
            _ => message_of("Reconciling"),
        },
    };
    Ok(json!({ "status": status, "message": message }))
}

/// The object with constants for the values that differ between runs.
fn lasting(object: &Value) -> Value {
    let mut object = object.clone();
    let metadata = &mut object["metadata"];
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.remove("managedFields");
    }
    metadata["namespace"] = json!("orders");
    let time = json!("2026-01-02T03:04:05Z");
    let version = json!("1000");
    let uid = json!("11111111-2222-4333-8444-555555555555");
    // The UID of the target is an input of the digest.
    let digest = json!("0123456789abcdef0123456789abcdef");
    for (pointer, value) in [
        ("/metadata/uid", &uid),
        ("/metadata/resourceVersion", &version),
        ("/metadata/creationTimestamp", &time),
        ("/metadata/deletionTimestamp", &time),
        ("/status/source/uid", &uid),
        ("/status/source/resourceVersion", &version),
        ("/status/published/uid", &uid),
        ("/status/published/resourceVersion", &version),
        ("/status/published/contentDigest", &digest),
        ("/status/published/time", &time),
        ("/status/lastVerifiedTime", &time),
        ("/status/settling/since", &time),
    ] {
        if let Some(found) = object.pointer_mut(pointer) {
            *found = value.clone();
        }
    }
    let conditions = object
        .pointer_mut("/status/conditions")
        .and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten() {
        condition["lastTransitionTime"] = time.clone();
    }
    object
}
