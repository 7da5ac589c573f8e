//! Labels that the operator copies from resources to their targets.

use std::sync::Arc;

use anyhow::Result;
use kube::{
    ResourceExt,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};

use crate::{
    harness::{
        actions::TARGET,
        test_env::{PAIR, TestCluster, TestEnv},
    },
    suite::tests,
};

tests![a_target_gets_the_labels_that_are_listed_and_follows_them];

async fn labelled(env: &TestEnv, labels: Value) -> Result<()> {
    let patch = Patch::Merge(json!({ "metadata": { "labels": labels } }));
    let parameters = PatchParams::default();
    env.resources.patch("orders", &parameters, &patch).await?;
    Ok(())
}

async fn until_team(env: &TestEnv, team: &str) -> Result<()> {
    let what = format!("the target is of team {team}");
    let of_team = async || {
        let target = env.secrets.get(TARGET).await?;
        let is = target.labels().get("team").is_some_and(|it| it == team);
        Ok(is.then_some(()))
    };
    env.until(&what, of_team).await
}

async fn a_target_gets_the_labels_that_are_listed_and_follows_them(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::settled(test_cluster).await?;
    let argo = "argocd.argoproj.io/instance";
    labelled(&env, json!({ "team": "storage", argo: "apps" })).await?;
    env.until_idle().await?;
    let before = env.secrets.get(TARGET).await?;
    assert!(!before.labels().contains_key("team"));

    env.stop_operator();
    env.flag("--copy-label", "team");
    env.start_operator().await?;
    until_team(&env, "storage").await?;
    env.until_converged("orders").await?;
    labelled(&env, json!({ "team": "payments" })).await?;
    until_team(&env, "payments").await?;
    env.until_converged("orders").await?;
    let target = env.secrets.get(TARGET).await?;
    assert!(!target.labels().contains_key(argo), "{:?}", target.labels());
    assert_eq!((target.uid(), &target.data), (before.uid(), &before.data));
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    assert_eq!(env.sts.calls().len(), 1);

    // A new process has nothing to change.
    env.stop_operator();
    let mark = env.proxy.mark();
    env.start_operator().await?;
    env.until_idle().await?;
    assert_eq!(env.changes(mark), 0);
    Ok(())
}
