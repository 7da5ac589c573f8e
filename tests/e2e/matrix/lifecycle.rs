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
    harness::actions::{ADOPT_BY, TARGET, assert_costs, assert_silent, tests},
    harness::test_env::{PAIR, SECOND, TestCluster, TestEnv, condition},
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
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let test_env = TestEnv::settled(test_cluster).await?;
    let mark = test_env.proxy.mark();
    test_env.delete_resource("orders").await?;
    test_env.until_gone(TARGET).await?;
    assert_silent(&test_env.costs(mark).await?);
    assert!(test_env.secrets.get_opt("pair").await?.is_some());
    Ok(())
}

async fn a_retained_target_outlives_its_resource_and_is_adopted_by_the_next(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let retain = json!({ "target": { "deletionPolicy": "Retain" } });
    let test_env = TestEnv::settled_with(test_cluster, retain.clone()).await?;
    let left = test_env.secrets.get(TARGET).await?;
    assert!(left.owner_references().is_empty());
    test_env.delete_resource("orders").await?;
    test_env.until_idle().await?;
    assert_eq!(test_env.secrets.get(TARGET).await?, left);

    let mark = test_env.proxy.mark();
    test_env.resource("orders", "pair", retain).await?;
    test_env.until_agreed("orders").await?;
    assert!(test_env.costs(mark).await?.gets <= 2);
    assert_eq!(test_env.changes(mark), 2);
    assert_eq!(test_env.secrets.get(TARGET).await?.uid(), left.uid());
    Ok(())
}

async fn f5_a_resource_that_comes_back_waits_for_its_old_target_to_go(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let test_env = TestEnv::settled(test_cluster).await?;
    let hold = json!({ "metadata": { "finalizers": ["example.com/hold"] } });
    test_env.edit_secret(TARGET, hold).await?;
    test_env.until_agreed("orders").await?;
    test_env.delete_resource("orders").await?;
    test_env.resource("orders", "pair", json!({})).await?;
    let object = test_env
        .until_status("orders", "Ready", "False", "TargetTerminating")
        .await?;
    assert!(condition(&object, "Reconciling").is_some());
    test_env
        .until("the old target is being deleted", async || {
            let target = test_env.secrets.get(TARGET).await?;
            Ok(target.metadata.deletion_timestamp.map(|_| ()))
        })
        .await?;
    let mark = test_env.proxy.mark();
    assert_eq!(test_env.costs(mark).await?.written(), 0);

    // The next check is due in 54 minutes at the earliest: the end of the old target enqueues the resource.
    let free = json!({ "metadata": { "finalizers": null } });
    test_env.edit_secret(TARGET, free).await?;
    test_env.until_agreed("orders").await?;
    Ok(())
}

async fn f5_a_resource_that_comes_back_at_once_is_ready_before_another_look_is_planned(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let test_env = TestEnv::settled(test_cluster).await?;
    until_collected(&test_env).await?;
    let old = test_env.version(TARGET).await?.0;
    test_env.delete_resource("orders").await?;
    test_env.resource("orders", "pair", json!({})).await?;
    let uid = test_env.uid("orders").await?;
    // The next check is due in 54 minutes at the earliest.
    test_env.until_agreed("orders").await?;
    test_env
        .until("the target belongs to the new resource", async || {
            let target = test_env.secrets.get_opt(TARGET).await?;
            Ok(target.filter(|target| target.owner_references().iter().any(|by| by.uid == uid)))
        })
        .await?;
    test_env.until_agreed("orders").await?;
    assert_ne!(test_env.version(TARGET).await?.0, old);
    Ok(())
}

/// The garbage collector of a new control plane looks for new kinds of owners only every 30 s.
async fn until_collected(test_env: &TestEnv) -> Result<()> {
    test_env.resource("first", "pair", json!({})).await?;
    test_env.until_agreed("first").await?;
    test_env.delete_resource("first").await?;
    let collected = async || {
        let target = test_env.secrets.get_opt("first-credentials").await?;
        Ok(target.is_none().then_some(()))
    };
    test_env.until("the garbage is collected", collected).await
}

async fn f36_an_orphaned_target_is_adopted(test_cluster: Arc<TestCluster>) -> Result<()> {
    let test_env = TestEnv::settled(test_cluster).await?;
    let old = test_env.secrets.get(TARGET).await?;
    let orphan = [
        "delete",
        "staticawscredentials/orders",
        "--cascade=orphan",
        "-n",
        &test_env.namespace,
    ];
    test_env.test_cluster.cluster().kubectl(&orphan).await?;
    let orphaned = test_env.secrets.get(TARGET).await?;
    assert!(orphaned.owner_references().is_empty());
    test_env.resource("orders", "pair", json!({})).await?;
    test_env.until_agreed("orders").await?;
    let adopted = test_env.secrets.get(TARGET).await?;
    assert_eq!((adopted.uid(), &adopted.data), (old.uid(), &old.data));
    assert_eq!(adopted.owner_references().len(), 1);
    Ok(())
}

/// The garbage collector removes the owner reference, and the operator gets that event before the deletion of the
/// resource.
async fn a_target_that_is_orphaned_unseen_gets_no_owner_that_is_gone(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut test_env = TestEnv::before_start(test_cluster).await?;
    let deaf = Arc::new(AtomicBool::new(false));
    let hears = Arc::clone(&deaf);
    test_env.proxy.set_fault(Box::new(move |head| {
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
    test_env.start_operator().await?;
    test_env.source("pair", PAIR).await?;
    test_env.resource("orders", "pair", json!({})).await?;
    test_env.until_ready("orders").await?;
    test_env.until_idle().await?;

    deaf.store(true, Ordering::Relaxed);
    let mark = test_env.proxy.mark();
    let delete = ["delete", "staticawscredentials/orders", "--cascade=orphan"];
    let delete = [&delete[..], &["-n", &test_env.namespace]].concat();
    test_env.test_cluster.cluster().kubectl(&delete).await?;
    test_env
        .until(
            "the operator has asked whether the resource is there",
            async || {
                let mut asked = test_env.proxy.since(mark).into_iter();
                let refused = |status| matches!(status, Some(404 | 409));
                Ok(asked.any(|request| refused(request.status)).then_some(()))
            },
        )
        .await?;
    test_env.until_queue_empty().await?;
    let target = test_env.secrets.get(TARGET).await?;
    assert!(target.owner_references().is_empty());
    let writes = |request: Recorded| request.resource == "secrets" && request.verb.writes();
    assert!(!test_env.proxy.since(mark).into_iter().any(writes));
    Ok(())
}

async fn the_policy_can_be_switched_without_asking_aws(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let test_env = TestEnv::settled(test_cluster).await?;
    let uid = test_env.version(TARGET).await?.0;
    for (policy, owners) in [("Retain", 0), ("Delete", 1)] {
        let mark = test_env.proxy.mark();
        let policy = json!({ "target": { "deletionPolicy": policy } });
        test_env.change("orders", policy).await?;
        test_env.until_agreed("orders").await?;
        assert_costs(&test_env.costs(mark).await?, 2, 2);
        let target = test_env.secrets.get(TARGET).await?;
        assert_eq!(target.owner_references().len(), owners);
        assert_eq!(target.annotations()[ADOPT_BY], "orders");
        assert_eq!(target.uid().as_deref(), Some(uid.as_str()));
    }
    assert_eq!(test_env.published("orders").await?.revision, 1);
    assert_eq!(test_env.sts.calls().len(), 1);
    Ok(())
}

async fn layouts_and_keys_change_without_asking_aws(test_cluster: Arc<TestCluster>) -> Result<()> {
    let test_env = TestEnv::settled(test_cluster).await?;
    let mark = test_env.proxy.mark();
    let layouts = json!({ "target": { "layouts": ["Mendix"], "keys": { "id": "AccessKeyId" } } });
    test_env.change("orders", layouts).await?;
    test_env.until_agreed("orders").await?;
    assert_costs(&test_env.costs(mark).await?, 2, 2);
    let content = test_env.content(TARGET).await?;
    let keys: Vec<&str> = content.keys().map(String::as_str).collect();
    let mendix = [
        "id",
        "mx-const-AWSAuthentication.AccessKey",
        "mx-const-AWSAuthentication.SecretAccessKey",
    ];
    assert_eq!(keys, mendix);
    assert_eq!(content["id"], PAIR.0);
    assert_eq!(test_env.published("orders").await?.revision, 1);
    assert_eq!(test_env.sts.calls().len(), 1);
    Ok(())
}

async fn layouts_wait_while_the_source_is_bad(test_cluster: Arc<TestCluster>) -> Result<()> {
    let test_env = TestEnv::settled(test_cluster).await?;
    test_env
        .secret("pair", &[("AWS_ACCESS_KEY_ID", PAIR.0.as_bytes())])
        .await?;
    test_env
        .until_status("orders", "Ready", "False", "SourceKeyMissing")
        .await?;
    let before = test_env.secrets.get(TARGET).await?;
    let layouts = json!({ "target": { "layouts": ["Mendix"] } });
    test_env.change("orders", layouts).await?;
    let object = test_env
        .until_status("orders", "Ready", "False", "SourceKeyMissing")
        .await?;
    let published = condition(&object, "Published");
    assert_eq!(
        published,
        Some(("True".to_owned(), "ServingLastKnownGood".to_owned()))
    );
    test_env.until_idle().await?;
    assert_eq!(test_env.secrets.get(TARGET).await?, before);

    test_env.source("pair", SECOND).await?;
    test_env.until_agreed("orders").await?;
    assert_eq!(test_env.content(TARGET).await?.len(), 2);
    Ok(())
}

async fn what_waited_for_the_source_is_applied_when_the_published_pair_comes_back(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let test_env = TestEnv::settled(test_cluster).await?;
    for (policy, layout, owners) in [("Retain", "Mendix", 0), ("Delete", "Env", 1)] {
        test_env.source("pair", (SECOND.0, PAIR.1)).await?;
        test_env
            .until_status("orders", "Ready", "False", "SignatureMismatch")
            .await?;
        let target = json!({ "target": { "deletionPolicy": policy, "layouts": [layout] } });
        test_env.change("orders", target).await?;
        test_env
            .until_status("orders", "Ready", "False", "SignatureMismatch")
            .await?;
        test_env.source("pair", PAIR).await?;
        test_env.until_agreed("orders").await?;
        let target = test_env.secrets.get(TARGET).await?;
        assert_eq!(target.owner_references().len(), owners, "{policy}");
        let env = test_env
            .content(TARGET)
            .await?
            .contains_key("AWS_ACCESS_KEY_ID");
        assert_eq!(env, layout == "Env", "{layout}");
    }
    assert_eq!(test_env.published("orders").await?.revision, 1);
    Ok(())
}
