//! From a rotation until the old key may be deactivated.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use cluster::control_plane::ControlPlane;
use serde_json::Value;

use super::PATIENCE;

/// The same pod with the pair in its environment, and no annotation.
pub fn fixed(reader: &str) -> String {
    let changes = [
        ("name: reader", "name: fixed"),
        (
            "  annotations:\n    awscredentials.dev/inject: orders-credentials\n",
            "",
        ),
        (
            "    env:\n",
            "    envFrom:\n    - secretRef: {name: orders-credentials}\n    env:\n",
        ),
    ];
    let change = |pod: String, (from, to): (&str, &str)| pod.replace(from, to);
    changes.into_iter().fold(reader.to_owned(), change)
}

/// The status lists the pods that read the pair at start, and has no time until they are restarted; then it reports
/// that the old key may be deactivated.
pub async fn ends(cluster: &ControlPlane, namespace: &str, pods: &[(&str, &str)]) -> Result<()> {
    let status = until(cluster, namespace, "True").await?;
    let consumers = &status["consumers"];
    let mut names: Vec<&str> = pods.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    ensure!(
        consumers["restartNeeded"]["names"] == serde_json::json!(names),
        "{status}"
    );
    ensure!(
        consumers["hot"]["names"] == serde_json::json!(["follower"]),
        "{status}"
    );
    ensure!(status.get("previousKeySafeAfter").is_none(), "{status}");
    for (name, pod) in pods {
        cluster
            .kubectl(&["-n", namespace, "delete", "pod", name])
            .await?;
        cluster.apply(pod).await?;
    }
    let status = until(cluster, namespace, "False").await?;
    ensure!(
        status["consumers"]["restartNeeded"]["count"] == 0,
        "{status}"
    );
    let safe = status["previousKeySafeAfter"].as_str().context("no time")?;
    let now = k8s_openapi::jiff::Timestamp::now();
    ensure!(
        safe.parse::<k8s_openapi::jiff::Timestamp>()? <= now,
        "{status}"
    );
    Ok(())
}

/// The status once `PreviousKeyInUse` has this status.
async fn until(cluster: &ControlPlane, namespace: &str, wanted: &str) -> Result<Value> {
    let began = Instant::now();
    loop {
        let get = ["-n", namespace, "get", "awscreds", "orders", "-o", "json"];
        let mut object: Value = serde_json::from_str(&cluster.kubectl(&get).await?)?;
        let conditions = object["status"]["conditions"].as_array();
        let mut all = conditions.into_iter().flatten();
        let in_use = all.find(|condition| condition["type"] == "PreviousKeyInUse");
        if in_use.is_some_and(|condition| condition["status"] == wanted) {
            return Ok(object["status"].take());
        }
        ensure!(
            began.elapsed() < 2 * PATIENCE,
            "not {wanted}: {}",
            object["status"]
        );
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
}
