//! Former targets, and the Secrets that `Retain` keeps.

use std::sync::Arc;

use anyhow::Result;
use cluster::proxy::{Answer, Fault, Verb};
use kube::ResourceExt;
use serde_json::json;

use crate::{
    actions::{ADOPT_BY, TARGET, tests},
    scene::{PAIR, Scene, Stage, condition, message},
};

tests![
    a_rename_and_retain_in_one_edit_keep_the_old_target,
    retain_holds_while_the_source_is_away_or_the_resource_is_suspended,
    an_old_target_that_cannot_be_deleted_is_told_and_deleted_later,
];

async fn a_rename_and_retain_in_one_edit_keep_the_old_target(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    let before = scene.secrets.get(TARGET).await?;
    let edit = json!({ "target": { "name": "moved", "deletionPolicy": "Retain" } });
    scene.change("orders", edit).await?;
    scene.until_agreed("orders").await?;
    let left = scene.secrets.get(TARGET).await?;
    assert_eq!((left.uid(), &left.data), (before.uid(), &before.data));
    assert!(left.owner_references().is_empty());
    assert_eq!(left.annotations()[ADOPT_BY], "orders");

    // The garbage collector deletes neither of them.
    scene.delete_resource("orders").await?;
    scene.until_idle().await?;
    assert_eq!(scene.content(TARGET).await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    assert_eq!(scene.content("moved").await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    Ok(())
}

async fn retain_holds_while_the_source_is_away_or_the_resource_is_suspended(
    stage: Arc<Stage>,
) -> Result<()> {
    let retain = json!({ "target": { "deletionPolicy": "Retain" } });
    let suspended = json!({ "suspend": true, "target": { "deletionPolicy": "Retain" } });
    let mut scene = Scene::settled(stage).await?;
    scene.resource("second", "pair", json!({})).await?;
    scene.until_agreed("second").await?;
    scene.change("second", suspended).await?;
    scene.delete_secret("pair").await?;
    scene
        .until_status("orders", "Ready", "False", "SourceNotFound")
        .await?;
    scene.change("orders", retain).await?;
    for target in [TARGET, "second-credentials"] {
        scene
            .until("the owner reference is gone", async || {
                let target = scene.secrets.get(target).await?;
                Ok(target.owner_references().is_empty().then_some(()))
            })
            .await?;
    }
    scene
        .until_status("orders", "Published", "True", "ServingLastKnownGood")
        .await?;
    scene.until_idle().await?;

    // A new process has nothing to change.
    scene.stop_operator();
    let mark = scene.proxy.mark();
    scene.start_operator().await?;
    scene.until_idle().await?;
    assert_eq!(scene.changes(mark), 0);
    for resource in ["orders", "second"] {
        scene.delete_resource(resource).await?;
    }
    scene.until_idle().await?;
    for target in [TARGET, "second-credentials"] {
        assert_eq!(scene.content(target).await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    }
    Ok(())
}

async fn an_old_target_that_cannot_be_deleted_is_told_and_deleted_later(
    stage: Arc<Stage>,
) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    let forbidden = |secret: &str| {
        let words = format!("a policy quotes {secret}");
        Fault::Answer(Answer::status(403, "Forbidden", &words))
    };
    scene.proxy.set_fault(Box::new(move |head| match head.verb {
        Verb::Delete if head.resource == "secrets" => forbidden(PAIR.1),
        _ => Fault::Pass,
    }));
    let renamed = json!({ "target": { "name": "moved" } });
    scene.change("orders", renamed).await?;
    let told = async || {
        let orders = scene.resources.get("orders").await?;
        let words = message(&orders, "Published");
        let told = words.contains("could not be deleted (403 Forbidden)");
        Ok(told.then_some((orders, words)))
    };
    let (orders, words) = scene.until("the refusal is told", told).await?;
    assert!(words.contains(TARGET), "{words}");
    assert!(!words.contains("a policy quotes"), "{words}");
    let ready = condition(&orders, "Ready").unwrap_or_default();
    assert_eq!(ready.0, "True");
    assert_eq!(scene.published("orders").await?.secret_name, "moved");
    let event = async || {
        let get = ["get", "events", "-n", &scene.namespace, "-o", "yaml"];
        let events = scene.stage.cluster().kubectl(&get).await?;
        Ok(events.contains("LeftoverRemains").then_some(()))
    };
    scene.until("an event says it", event).await?;

    scene.proxy.clear_fault();
    scene.until_gone(TARGET).await?;
    let silent = async || {
        let orders = scene.resources.get("orders").await?;
        let words = message(&orders, "Published");
        Ok((!words.contains("left over")).then_some(()))
    };
    scene.until("nothing is told any more", silent).await
}
