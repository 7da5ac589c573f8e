//! The resource is deleted and created again, or its target gets another policy or layout.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use anyhow::Result;
use cluster::proxy::{Fault, Recorded, Verb};
use kube::ResourceExt;
use serde_json::json;

use crate::{
    actions::{ADOPT_BY, TARGET, assert_costs, assert_silent, tests},
    scene::{PAIR, SECOND, Scene, Stage, condition},
};

tests![
    a_deleted_resource_takes_its_target_along_and_costs_nothing,
    a_retained_target_outlives_its_resource_and_is_adopted_by_the_next,
    f5_a_resource_that_comes_back_waits_for_its_old_target_to_go,
    f5_a_resource_that_comes_back_at_once_is_ready_before_another_look_is_planned,
    f36_an_orphaned_target_is_adopted,
    a_target_that_is_orphaned_unseen_gets_no_owner_that_is_gone,
    the_policy_can_be_switched_without_asking_aws,
    layouts_and_keys_change_without_asking_aws,
    layouts_wait_while_the_source_is_bad,
    what_waited_for_the_source_is_applied_when_the_published_pair_comes_back,
];

async fn a_deleted_resource_takes_its_target_along_and_costs_nothing(
    stage: Arc<Stage>,
) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    let mark = scene.proxy.mark();
    scene.delete_resource("orders").await?;
    scene.until_gone(TARGET).await?;
    assert_silent(&scene.costs(mark).await?);
    assert!(scene.secrets.get_opt("pair").await?.is_some());
    Ok(())
}

async fn a_retained_target_outlives_its_resource_and_is_adopted_by_the_next(
    stage: Arc<Stage>,
) -> Result<()> {
    let retain = json!({ "target": { "deletionPolicy": "Retain" } });
    let scene = Scene::settled_with(stage, retain.clone()).await?;
    let left = scene.secrets.get(TARGET).await?;
    assert!(left.owner_references().is_empty());
    scene.delete_resource("orders").await?;
    scene.until_idle().await?;
    assert_eq!(scene.secrets.get(TARGET).await?, left);

    let mark = scene.proxy.mark();
    scene.resource("orders", "pair", retain).await?;
    scene.until_agreed("orders").await?;
    assert!(scene.costs(mark).await?.gets <= 2);
    assert_eq!(scene.changes(mark), 2);
    assert_eq!(scene.secrets.get(TARGET).await?.uid(), left.uid());
    Ok(())
}

async fn f5_a_resource_that_comes_back_waits_for_its_old_target_to_go(
    stage: Arc<Stage>,
) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    let hold = json!({ "metadata": { "finalizers": ["example.com/hold"] } });
    scene.edit_secret(TARGET, hold).await?;
    scene.until_agreed("orders").await?;
    scene.delete_resource("orders").await?;
    scene.resource("orders", "pair", json!({})).await?;
    let object = scene
        .until_status("orders", "Ready", "False", "TargetTerminating")
        .await?;
    assert!(condition(&object, "Reconciling").is_some());
    scene
        .until("the old target is being deleted", async || {
            let target = scene.secrets.get(TARGET).await?;
            Ok(target.metadata.deletion_timestamp.map(|_| ()))
        })
        .await?;
    let mark = scene.proxy.mark();
    assert_eq!(scene.costs(mark).await?.written(), 0);

    // The next check is due in 54 minutes at the earliest: the end of the old target enqueues the resource.
    let free = json!({ "metadata": { "finalizers": null } });
    scene.edit_secret(TARGET, free).await?;
    scene.until_agreed("orders").await?;
    Ok(())
}

async fn f5_a_resource_that_comes_back_at_once_is_ready_before_another_look_is_planned(
    stage: Arc<Stage>,
) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    until_collected(&scene).await?;
    let old = scene.version(TARGET).await?.0;
    scene.delete_resource("orders").await?;
    scene.resource("orders", "pair", json!({})).await?;
    let uid = scene.uid("orders").await?;
    // The next check is due in 54 minutes at the earliest.
    scene.until_agreed("orders").await?;
    scene
        .until("the target belongs to the new resource", async || {
            let target = scene.secrets.get_opt(TARGET).await?;
            Ok(target.filter(|target| target.owner_references().iter().any(|by| by.uid == uid)))
        })
        .await?;
    scene.until_agreed("orders").await?;
    assert_ne!(scene.version(TARGET).await?.0, old);
    Ok(())
}

/// The garbage collector of a new control plane looks for new kinds of owners only every 30 s.
async fn until_collected(scene: &Scene) -> Result<()> {
    scene.resource("first", "pair", json!({})).await?;
    scene.until_agreed("first").await?;
    scene.delete_resource("first").await?;
    let collected = async || {
        let target = scene.secrets.get_opt("first-credentials").await?;
        Ok(target.is_none().then_some(()))
    };
    scene.until("the garbage is collected", collected).await
}

async fn f36_an_orphaned_target_is_adopted(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    let old = scene.secrets.get(TARGET).await?;
    let orphan = [
        "delete",
        "staticawscredentials/orders",
        "--cascade=orphan",
        "-n",
        &scene.namespace,
    ];
    scene.stage.cluster().kubectl(&orphan).await?;
    let orphaned = scene.secrets.get(TARGET).await?;
    assert!(orphaned.owner_references().is_empty());
    scene.resource("orders", "pair", json!({})).await?;
    scene.until_agreed("orders").await?;
    let adopted = scene.secrets.get(TARGET).await?;
    assert_eq!((adopted.uid(), &adopted.data), (old.uid(), &old.data));
    assert_eq!(adopted.owner_references().len(), 1);
    Ok(())
}

/// The garbage collector removes the owner reference, and the operator gets that event before the deletion of the
/// resource.
async fn a_target_that_is_orphaned_unseen_gets_no_owner_that_is_gone(
    stage: Arc<Stage>,
) -> Result<()> {
    let mut scene = Scene::before_start(stage).await?;
    let deaf = Arc::new(AtomicBool::new(false));
    let hears = Arc::clone(&deaf);
    scene.proxy.set_fault(Box::new(move |head| {
        let deaf = Arc::clone(&hears);
        let filter = move |line: &[u8]| {
            let lost = deaf.load(Ordering::Relaxed);
            if lost { Vec::new() } else { line.to_vec() }
        };
        match head.verb {
            Verb::Watch if head.resource == "staticawscredentials" => {
                Fault::Lines(Box::new(filter))
            }
            _ => Fault::Pass,
        }
    }));
    scene.start_operator().await?;
    scene.source("pair", PAIR).await?;
    scene.resource("orders", "pair", json!({})).await?;
    scene.until_ready("orders").await?;
    scene.until_idle().await?;

    deaf.store(true, Ordering::Relaxed);
    let mark = scene.proxy.mark();
    let delete = ["delete", "staticawscredentials/orders", "--cascade=orphan"];
    let delete = [&delete[..], &["-n", &scene.namespace]].concat();
    scene.stage.cluster().kubectl(&delete).await?;
    scene
        .until(
            "the operator has asked whether the resource is there",
            async || {
                let mut asked = scene.proxy.since(mark).into_iter();
                let refused = |status| matches!(status, Some(404 | 409));
                Ok(asked.any(|request| refused(request.status)).then_some(()))
            },
        )
        .await?;
    scene.until_queue_empty().await?;
    let target = scene.secrets.get(TARGET).await?;
    assert!(target.owner_references().is_empty());
    let writes = |request: Recorded| request.resource == "secrets" && request.verb.writes();
    assert!(!scene.proxy.since(mark).into_iter().any(writes));
    Ok(())
}

async fn the_policy_can_be_switched_without_asking_aws(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    let uid = scene.version(TARGET).await?.0;
    for (policy, owners) in [("Retain", 0), ("Delete", 1)] {
        let mark = scene.proxy.mark();
        let policy = json!({ "target": { "deletionPolicy": policy } });
        scene.change("orders", policy).await?;
        scene.until_agreed("orders").await?;
        assert_costs(&scene.costs(mark).await?, 2, 2);
        let target = scene.secrets.get(TARGET).await?;
        assert_eq!(target.owner_references().len(), owners);
        assert_eq!(target.annotations()[ADOPT_BY], "orders");
        assert_eq!(target.uid().as_deref(), Some(uid.as_str()));
    }
    assert_eq!(scene.published("orders").await?.revision, 1);
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}

async fn layouts_and_keys_change_without_asking_aws(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    let mark = scene.proxy.mark();
    let layouts = json!({ "target": { "layouts": ["Mendix"], "keys": { "id": "AccessKeyId" } } });
    scene.change("orders", layouts).await?;
    scene.until_agreed("orders").await?;
    assert_costs(&scene.costs(mark).await?, 2, 2);
    let content = scene.content(TARGET).await?;
    let keys: Vec<&str> = content.keys().map(String::as_str).collect();
    let mendix = [
        "id",
        "mx-const-AWSAuthentication.AccessKey",
        "mx-const-AWSAuthentication.SecretAccessKey",
    ];
    assert_eq!(keys, mendix);
    assert_eq!(content["id"], PAIR.0);
    assert_eq!(scene.published("orders").await?.revision, 1);
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}

async fn layouts_wait_while_the_source_is_bad(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    scene
        .secret("pair", &[("AWS_ACCESS_KEY_ID", PAIR.0.as_bytes())])
        .await?;
    scene
        .until_status("orders", "Ready", "False", "SourceKeyMissing")
        .await?;
    let before = scene.secrets.get(TARGET).await?;
    let layouts = json!({ "target": { "layouts": ["Mendix"] } });
    scene.change("orders", layouts).await?;
    let object = scene
        .until_status("orders", "Ready", "False", "SourceKeyMissing")
        .await?;
    let published = condition(&object, "Published");
    assert_eq!(
        published,
        Some(("True".to_owned(), "ServingLastKnownGood".to_owned()))
    );
    scene.until_idle().await?;
    assert_eq!(scene.secrets.get(TARGET).await?, before);

    scene.source("pair", SECOND).await?;
    scene.until_agreed("orders").await?;
    assert_eq!(scene.content(TARGET).await?.len(), 2);
    Ok(())
}

async fn what_waited_for_the_source_is_applied_when_the_published_pair_comes_back(
    stage: Arc<Stage>,
) -> Result<()> {
    let scene = Scene::settled(stage).await?;
    for (policy, layout, owners) in [("Retain", "Mendix", 0), ("Delete", "Env", 1)] {
        scene.source("pair", (SECOND.0, PAIR.1)).await?;
        scene
            .until_status("orders", "Ready", "False", "SignatureMismatch")
            .await?;
        let target = json!({ "target": { "deletionPolicy": policy, "layouts": [layout] } });
        scene.change("orders", target).await?;
        scene
            .until_status("orders", "Ready", "False", "SignatureMismatch")
            .await?;
        scene.source("pair", PAIR).await?;
        scene.until_agreed("orders").await?;
        let target = scene.secrets.get(TARGET).await?;
        assert_eq!(target.owner_references().len(), owners, "{policy}");
        let env = scene
            .content(TARGET)
            .await?
            .contains_key("AWS_ACCESS_KEY_ID");
        assert_eq!(env, layout == "Env", "{layout}");
    }
    assert_eq!(scene.published("orders").await?.revision, 1);
    Ok(())
}
