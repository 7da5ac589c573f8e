//! Another writer deletes or edits the target.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::{
    harness::{
        actions::{ADOPT_BY, TARGET, UID_LABEL, assert_costs},
        test_env::{PAIR, SECOND, TestCluster, TestEnv, condition},
    },
    suite::tests,
};

tests![
    f6_a_deleted_target_is_restored_without_asking_aws,
    f7_an_edited_target_is_restored_once_whatever_was_edited,
    f7_an_editor_who_fights_is_met_with_longer_and_longer_pauses,
    foreign_labels_and_annotations_stay_and_survive_a_rotation,
    a_target_deleted_while_the_source_is_bad_is_reported_lost,
    a_target_edited_while_the_source_is_absent_is_reported_and_left_alone,
    f25_an_immutable_target_is_reported_and_left_alone,
    f25_a_target_of_another_type_is_reported_and_left_alone,
];

/// Edits of a target that waits to be restored.
const EDITS: usize = 20;

async fn f6_a_deleted_target_is_restored_without_asking_aws(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    let content = env.content(TARGET).await?;
    let before = env.published("orders").await?;
    let mark = env.proxy.mark();

    env.target_is_restored().await?;

    assert_eq!(env.content(TARGET).await?, content);
    let after = env.published("orders").await?;
    assert_ne!(after.uid, before.uid);
    assert_eq!((after.revision, after.time), (before.revision, before.time));
    assert_costs(&env.costs(mark).await?, 2, 2);
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

async fn f7_an_edited_target_is_restored_once_whatever_was_edited(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let edits = [
        (
            "value",
            json!({ "data": { "AWS_ACCESS_KEY_ID": "QUtJQQ==" } }),
        ),
        ("new-key", json!({ "data": { "extra": "QUtJQQ==" } })),
        ("lost-key", json!({ "data": { "credentials": null } })),
        (
            "uid-label",
            json!({ "metadata": { "labels": { UID_LABEL: null } } }),
        ),
        (
            "other-uid-label",
            json!({ "metadata": { "labels": { UID_LABEL: "other" } } }),
        ),
        (
            "annotation",
            json!({ "metadata": { "annotations": { ADOPT_BY: null } } }),
        ),
        ("owner", json!({ "metadata": { "ownerReferences": null } })),
    ];
    let env = TestEnv::open(test_cluster).await?;
    env.source("pair", PAIR).await?;
    for (name, _) in &edits {
        env.resource(name, "pair", json!({})).await?;
    }
    for (name, _) in &edits {
        env.until_converged(name).await?;
    }
    env.until_idle().await?;
    for (name, edit) in edits {
        restored(&env, name, edit).await?;
    }
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

async fn restored(env: &TestEnv, name: &str, edit: Value) -> Result<()> {
    let target = format!("{name}-credentials");
    let before = env.secrets.get(&target).await?;
    let mark = env.proxy.mark();
    env.edit_secret(&target, edit).await?;
    env.until_converged(name).await?;
    let costs = env.costs(mark).await?;
    let after = env.secrets.get(&target).await?;
    assert_eq!(after.data, before.data, "{name}");
    assert_eq!(after.labels(), before.labels(), "{name}");
    assert_eq!(after.annotations(), before.annotations(), "{name}");
    assert_eq!(
        after.owner_references(),
        before.owner_references(),
        "{name}"
    );
    assert_eq!(env.published(name).await?.revision, 1, "{name}");
    assert_costs(&costs, 2, 2);
    Ok(())
}

async fn f7_an_editor_who_fights_is_met_with_longer_and_longer_pauses(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    let mark = env.proxy.mark();
    let mut fights = 0;
    while !edited_and_waits(&env).await? {
        fights += 1;
        assert!(fights < 10, "no edit waits");
    }
    // An edit during the pause costs nothing. The pause may end meanwhile, and the next one is longer.
    let waits = env.proxy.mark();
    for number in 0..EDITS {
        let value = json!({ "stringData": { "AWS_ACCESS_KEY_ID": format!("edit {number}") } });
        env.edit_secret(TARGET, value).await?;
    }
    let costs = env.proxy.counts(waits);
    assert!(costs.gets < EDITS / 2, "{EDITS} edits: {costs:?}");

    env.until_converged("orders").await?;
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    assert_eq!(env.sts.calls().len(), 1);
    let restores = env.proxy.since(mark).into_iter().filter(|request| {
        request.resource == "secrets"
            && request.verb.writes()
            && !request.is_rehearsal()
            && request.status == Some(200)
    });
    let restores: Vec<Instant> = restores.map(|request| request.started).collect();
    // The first three restores need no pause.
    assert!(restores.len() > 3, "{} restores", restores.len());
    for (number, pair) in restores.windows(2).skip(2).enumerate() {
        let pause = Duration::from_secs(5 << number);
        assert!(pair[1] - pair[0] >= pause, "{restores:?}");
    }
    Ok(())
}

/// Edits the target. Returns whether the edit waits to be reverted; otherwise it was reverted.
async fn edited_and_waits(env: &TestEnv) -> Result<bool> {
    let value = json!({ "stringData": { "AWS_ACCESS_KEY_ID": "an edit" } });
    env.edit_secret(TARGET, value).await?;
    env.until("the edit is restored, or waits", async || {
        let object = env.resources.get("orders").await?;
        let modified = ("True".to_owned(), "TargetModified".to_owned());
        if condition(&object, "Reconciling") == Some(modified) {
            return Ok(Some(true));
        }
        let restored = env.content(TARGET).await?["AWS_ACCESS_KEY_ID"] == PAIR.0;
        Ok(restored.then_some(false))
    })
    .await
}

async fn foreign_labels_and_annotations_stay_and_survive_a_rotation(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    let mark = env.proxy.mark();
    let note = json!({ "team": "storage" });
    let patch = json!({ "metadata": { "labels": note, "annotations": note } });
    env.edit_secret(TARGET, patch).await?;
    env.until_converged("orders").await?;
    assert_costs(&env.costs(mark).await?, 2, 1);

    let mark = env.proxy.mark();
    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;
    let target = env.secrets.get(TARGET).await?;
    assert_eq!(
        target.labels().get("team").map(String::as_str),
        Some("storage")
    );
    assert_eq!(
        target.annotations().get("team").map(String::as_str),
        Some("storage")
    );
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    assert_eq!(env.published("orders").await?.revision, 2);
    assert_costs(&env.costs(mark).await?, 2, 2);
    assert_eq!(env.sts.calls().len(), 2);
    Ok(())
}

async fn a_target_deleted_while_the_source_is_bad_is_reported_lost(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    env.secret("pair", &[("AWS_ACCESS_KEY_ID", PAIR.0.as_bytes())])
        .await?;
    let object = env
        .until_status("orders", "Ready", "False", "SourceKeyMissing")
        .await?;
    assert_eq!(
        condition(&object, "Published"),
        Some(("True".to_owned(), "ServingLastKnownGood".to_owned()))
    );
    let mark = env.proxy.mark();
    env.delete_secret(TARGET).await?;
    let object = env
        .until_condition("orders", "Published", "False", "TargetLost")
        .await?;
    assert!(condition(&object, "Stalled").is_some());
    assert_costs(&env.costs(mark).await?, 2, 1);
    assert!(env.secrets.get_opt(TARGET).await?.is_none());

    env.source("pair", PAIR).await?;
    env.until_converged("orders").await?;
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    assert_eq!(env.published("orders").await?.revision, 1);
    Ok(())
}

async fn a_target_edited_while_the_source_is_absent_is_reported_and_left_alone(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    env.delete_secret("pair").await?;
    let object = env
        .until_condition("orders", "Ready", "False", "SourceNotFound")
        .await?;
    assert_eq!(
        condition(&object, "Published"),
        Some(("True".to_owned(), "ServingLastKnownGood".to_owned()))
    );
    let edit = json!({ "stringData": { "AWS_ACCESS_KEY_ID": "edited" } });
    let edited = env.edit_secret(TARGET, edit).await?;
    let object = env
        .until_condition("orders", "Published", "False", "TargetModified")
        .await?;
    assert!(condition(&object, "Reconciling").is_some());
    env.until_idle().await?;
    assert_eq!(env.secrets.get(TARGET).await?, edited);

    env.source("pair", PAIR).await?;
    env.until_converged("orders").await?;
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    Ok(())
}

async fn f25_an_immutable_target_is_reported_and_left_alone(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    let frozen = env
        .edit_secret(TARGET, json!({ "immutable": true }))
        .await?;
    let object = env
        .until_condition("orders", "Ready", "False", "TargetImmutable")
        .await?;
    assert!(condition(&object, "Stalled").is_some());
    env.source("pair", SECOND).await?;
    env.until_status("orders", "Ready", "False", "TargetImmutable")
        .await?;
    env.until_idle().await?;
    assert_eq!(env.secrets.get(TARGET).await?, frozen);

    env.delete_secret(TARGET).await?;
    env.until_converged("orders").await?;
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    Ok(())
}

async fn f25_a_target_of_another_type_is_reported_and_left_alone(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    env.resource("orders", "pair", json!({})).await?;
    let foreign = json!({
        "metadata": {
            "name": TARGET,
            "labels": { UID_LABEL: env.uid("orders").await? },
            "ownerReferences": env.reference("orders").await?,
        },
        "type": "example.com/other",
    });
    let foreign = env.foreign(foreign).await?;
    env.source("pair", PAIR).await?;
    env.until_status("orders", "Ready", "False", "TargetTypeMismatch")
        .await?;
    env.until_idle().await?;
    assert_eq!(env.secrets.get(TARGET).await?, foreign);

    env.delete_secret(TARGET).await?;
    env.until_converged("orders").await?;
    Ok(())
}
