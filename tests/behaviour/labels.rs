//! Labels that the operator copies from resources to their targets.

use std::sync::Arc;

use anyhow::Result;
use kube::{
    ResourceExt,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};

use crate::{
    actions::{TARGET, tests},
    scene::{PAIR, Scene, Stage},
};

tests![a_target_gets_the_labels_that_are_listed_and_follows_them];

async fn labelled(scene: &Scene, labels: Value) -> Result<()> {
    let patch = Patch::Merge(json!({ "metadata": { "labels": labels } }));
    let parameters = PatchParams::default();
    scene.resources.patch("orders", &parameters, &patch).await?;
    Ok(())
}

async fn until_team(scene: &Scene, team: &str) -> Result<()> {
    let what = format!("the target is of team {team}");
    let of_team = async || {
        let target = scene.secrets.get(TARGET).await?;
        let is = target.labels().get("team").is_some_and(|it| it == team);
        Ok(is.then_some(()))
    };
    scene.until(&what, of_team).await
}

async fn a_target_gets_the_labels_that_are_listed_and_follows_them(
    stage: Arc<Stage>,
) -> Result<()> {
    let mut scene = Scene::settled(stage).await?;
    let argo = "argocd.argoproj.io/instance";
    labelled(&scene, json!({ "team": "storage", argo: "apps" })).await?;
    scene.until_idle().await?;
    let before = scene.secrets.get(TARGET).await?;
    assert!(!before.labels().contains_key("team"));

    scene.stop_operator();
    scene.flag("--copy-label", "team");
    scene.start_operator().await?;
    until_team(&scene, "storage").await?;
    scene.until_agreed("orders").await?;
    labelled(&scene, json!({ "team": "payments" })).await?;
    until_team(&scene, "payments").await?;
    scene.until_agreed("orders").await?;
    let target = scene.secrets.get(TARGET).await?;
    assert!(!target.labels().contains_key(argo), "{:?}", target.labels());
    assert_eq!((target.uid(), &target.data), (before.uid(), &before.data));
    assert_eq!(scene.content(TARGET).await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    assert_eq!(scene.sts.calls().len(), 1);

    // A new process has nothing to change.
    scene.stop_operator();
    let mark = scene.proxy.mark();
    scene.start_operator().await?;
    scene.until_idle().await?;
    assert_eq!(scene.changes(mark), 0);
    Ok(())
}
