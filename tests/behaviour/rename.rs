//! `spec.target.name` changes.

use std::sync::Arc;

use anyhow::Result;
use cluster::proxy::{Fault, Verb};
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::{
    actions::{ADOPT_BY, TARGET, assert_costs, tests},
    scene::{PAIR, SECOND, Scene, Stage, condition},
};

tests![
    a_renamed_target_is_written_anew_and_the_old_one_deleted,
    a_target_renamed_to_a_taken_name_stays_where_it_is,
    a_target_renamed_while_the_source_is_bad_stays_where_it_is,
    a_target_renamed_twice_around_a_crash_leaves_no_stray,
    a_target_renamed_while_the_operator_is_down_leaves_no_stray,
    a_retained_target_stays_when_the_next_is_written_elsewhere,
    one_mark_alone_does_not_make_a_secret_a_stray,
];

fn named(name: &str) -> Value {
    json!({ "target": { "name": name } })
}

async fn a_renamed_target_is_written_anew_and_the_old_one_deleted(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    let mark = scene.proxy.mark();
    scene.change("orders", named("moved")).await?;
    scene.until_agreed("orders").await?;
    scene.until_gone(TARGET).await?;
    let costs = scene.costs(mark).await?;
    assert_costs(&costs, 2, 3);
    let published = scene.published("orders").await?;
    assert_eq!(
        (published.secret_name.as_str(), published.revision),
        ("moved", 1)
    );
    assert_eq!(scene.content("moved").await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    assert_eq!(scene.sts.calls().len(), 1);

    // The new target is written before the old one is deleted.
    let writes: Vec<Verb> = scene
        .proxy
        .since(mark)
        .iter()
        .map(|by| by.verb)
        .filter(|verb| verb.writes())
        .collect();
    let created = writes.iter().position(|verb| *verb == Verb::Create);
    let deleted = writes.iter().position(|verb| *verb == Verb::Delete);
    assert!(created < deleted, "{writes:?}");
    Ok(())
}

async fn a_target_renamed_to_a_taken_name_stays_where_it_is(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    let taken = scene.secret("taken", &[("theirs", b"x")]).await?;
    let before = scene.secrets.get(TARGET).await?;
    scene.change("orders", named("taken")).await?;
    let object = scene
        .until_status("orders", "Ready", "False", "TargetConflict")
        .await?;
    assert!(condition(&object, "Stalled").is_some());
    scene.source("pair", SECOND).await?;
    let object = scene
        .until_status("orders", "Ready", "False", "TargetConflict")
        .await?;
    scene.until_idle().await?;
    let status = object.status.unwrap_or_default();
    let named = status.published.map(|published| published.secret_name);
    assert_eq!(named.as_deref(), Some(TARGET));
    assert_eq!(
        status.binding.map(|binding| binding.name).as_deref(),
        Some(TARGET)
    );
    assert_eq!(scene.secrets.get(TARGET).await?, before);
    assert_eq!(scene.secrets.get("taken").await?, taken);

    scene.delete_secret("taken").await?;
    scene.until_agreed("orders").await?;
    scene.until_gone(TARGET).await?;
    assert_eq!(scene.content("taken").await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    assert_eq!(scene.published("orders").await?.revision, 2);
    Ok(())
}

async fn a_target_renamed_while_the_source_is_bad_stays_where_it_is(
    stage: Arc<Stage>,
) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    scene
        .secret("pair", &[("AWS_ACCESS_KEY_ID", PAIR.0.as_bytes())])
        .await?;
    scene
        .until_status("orders", "Ready", "False", "SourceKeyMissing")
        .await?;
    let before = scene.secrets.get(TARGET).await?;
    scene.change("orders", named("moved")).await?;
    let object = scene
        .until_status("orders", "Ready", "False", "SourceKeyMissing")
        .await?;
    let published = object
        .status
        .as_ref()
        .and_then(|status| status.published.clone());
    assert_eq!(
        published.map(|published| published.secret_name).as_deref(),
        Some(TARGET)
    );
    assert_eq!(scene.secrets.get(TARGET).await?, before);
    assert!(scene.secrets.get_opt("moved").await?.is_none());

    scene.source("pair", PAIR).await?;
    scene.until_agreed("orders").await?;
    scene.until_gone(TARGET).await?;
    Ok(())
}

async fn a_target_renamed_twice_around_a_crash_leaves_no_stray(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::settled(stage).await?;
    scene
        .proxy
        .set_fault(Box::new(|head| match head.subresource.as_deref() {
            Some("status") if !head.is_rehearsal() => Fault::Hang,
            _ if head.verb == Verb::Delete => Fault::Hang,
            _ => Fault::Pass,
        }));
    scene.change("orders", named("second")).await?;
    scene
        .until("the second target stands", async || {
            Ok(scene.secrets.get_opt("second").await?)
        })
        .await?;
    scene.operator()?.kill();
    scene.proxy.clear_fault();
    assert_eq!(scene.published("orders").await?.secret_name, TARGET);

    scene.change("orders", named("third")).await?;
    scene.start_operator().await?;
    scene.until_agreed("orders").await?;
    scene.until_gone(TARGET).await?;
    scene.until_gone("second").await?;
    assert_eq!(scene.content("third").await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    assert_eq!(scene.published("orders").await?.secret_name, "third");
    Ok(())
}

async fn a_target_renamed_while_the_operator_is_down_leaves_no_stray(
    stage: Arc<Stage>,
) -> Result<()> {
    let mut scene = Scene::settled(stage).await?;
    scene.stop_operator();
    scene.change("orders", named("second")).await?;
    scene.change("orders", named("third")).await?;
    scene.start_operator().await?;
    scene.until_agreed("orders").await?;
    scene.until_gone(TARGET).await?;
    assert!(scene.secrets.get_opt("second").await?.is_none());
    assert_eq!(scene.content("third").await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    assert_eq!(scene.published("orders").await?.revision, 1);
    assert!(scene.sts.calls().len() <= 2);
    Ok(())
}

async fn a_retained_target_stays_when_the_next_is_written_elsewhere(
    stage: Arc<Stage>,
) -> Result<()> {
    let retain = json!({ "target": { "deletionPolicy": "Retain" } });
    let scene = Scene::settled_with(stage, retain).await?;
    let before = scene.secrets.get(TARGET).await?;
    let mark = scene.proxy.mark();
    scene.change("orders", named("moved")).await?;
    scene.until_agreed("orders").await?;
    assert_costs(&scene.costs(mark).await?, 2, 2);
    let left = scene.secrets.get(TARGET).await?;
    assert_eq!(left.annotations()[ADOPT_BY], "orders");
    assert_eq!(left.data, before.data);
    Ok(())
}

async fn one_mark_alone_does_not_make_a_secret_a_stray(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::settled(stage).await?;
    let uid = scene.uid("orders").await?;
    let labels = json!({ "awscredentials.dev/uid": uid });
    let owners = scene.reference("orders").await?;
    let labelled = json!({ "metadata": { "name": "labelled", "labels": labels } });
    let owned = json!({ "metadata": { "name": "owned", "ownerReferences": owners } });
    let both =
        json!({ "metadata": { "name": "both", "labels": labels, "ownerReferences": owners } });
    scene.stop_operator();
    for manifest in [labelled, owned, both] {
        scene.foreign(manifest).await?;
    }
    scene.start_operator().await?;
    scene.until_gone("both").await?;
    scene.source("pair", SECOND).await?;
    scene.until_agreed("orders").await?;
    scene.until_idle().await?;
    assert!(scene.secrets.get_opt("labelled").await?.is_some());
    assert!(scene.secrets.get_opt("owned").await?.is_some());
    Ok(())
}
