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
    harness::{
        actions::{ADOPT_BY, TARGET, assert_costs, assert_silent},
        test_env::{PAIR, SECOND, TestCluster, TestEnv, condition},
    },
    suite::tests,
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
    let env = TestEnv::settled(test_cluster).await?;
    let mark = env.proxy.mark();
    env.delete_resource("orders").await?;
    env.until_gone(TARGET).await?;
    assert_silent(&env.costs(mark).await?);
    assert!(env.secrets.get_opt("pair").await?.is_some());
    Ok(())
}

async fn a_retained_target_outlives_its_resource_and_is_adopted_by_the_next(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let retain = json!({ "target": { "deletionPolicy": "Retain" } });
    let env = TestEnv::settled_with(test_cluster, retain.clone()).await?;
    let left = env.secrets.get(TARGET).await?;
    assert!(left.owner_references().is_empty());
    env.delete_resource("orders").await?;
    env.until_idle().await?;
    assert_eq!(env.secrets.get(TARGET).await?, left);

    let mark = env.proxy.mark();
    env.resource("orders", "pair", retain).await?;
    env.until_converged("orders").await?;
    assert!(env.costs(mark).await?.gets <= 2);
    assert_eq!(env.changes(mark), 2);
    assert_eq!(env.secrets.get(TARGET).await?.uid(), left.uid());
    Ok(())
}

async fn f5_a_resource_that_comes_back_waits_for_its_old_target_to_go(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    let hold = json!({ "metadata": { "finalizers": ["example.com/hold"] } });
    env.edit_secret(TARGET, hold).await?;
    env.until_converged("orders").await?;
    env.delete_resource("orders").await?;
    env.resource("orders", "pair", json!({})).await?;
    let object = env
        .until_status("orders", "Ready", "False", "TargetTerminating")
        .await?;
    assert!(condition(&object, "Reconciling").is_some());
    env.until("the old target is being deleted", async || {
        let target = env.secrets.get(TARGET).await?;
        Ok(target.metadata.deletion_timestamp.map(|_| ()))
    })
    .await?;
    let mark = env.proxy.mark();
    assert_eq!(env.costs(mark).await?.written(), 0);

    // The next check is due in 54 minutes at the earliest: the end of the old target enqueues the resource.
    let free = json!({ "metadata": { "finalizers": null } });
    env.edit_secret(TARGET, free).await?;
    env.until_converged("orders").await?;
    Ok(())
}

async fn f5_a_resource_that_comes_back_at_once_is_ready_before_another_look_is_planned(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    until_collected(&env).await?;
    let old = env.version(TARGET).await?.0;
    env.delete_resource("orders").await?;
    env.resource("orders", "pair", json!({})).await?;
    let uid = env.uid("orders").await?;
    // The next check is due in 54 minutes at the earliest.
    env.until_converged("orders").await?;
    env.until("the target belongs to the new resource", async || {
        let target = env.secrets.get_opt(TARGET).await?;
        Ok(target.filter(|target| target.owner_references().iter().any(|by| by.uid == uid)))
    })
    .await?;
    env.until_converged("orders").await?;
    assert_ne!(env.version(TARGET).await?.0, old);
    Ok(())
}

/// The garbage collector of a new control plane looks for new kinds of owners only every 30 s.
async fn until_collected(env: &TestEnv) -> Result<()> {
    env.resource("first", "pair", json!({})).await?;
    env.until_converged("first").await?;
    env.delete_resource("first").await?;
    let collected = async || {
        let target = env.secrets.get_opt("first-credentials").await?;
        Ok(target.is_none().then_some(()))
    };
    env.until("the garbage is collected", collected).await
}

async fn f36_an_orphaned_target_is_adopted(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    let old = env.secrets.get(TARGET).await?;
    let orphan = [
        "delete",
        "staticawscredentials/orders",
        "--cascade=orphan",
        "-n",
        &env.namespace,
    ];
    env.test_cluster.cluster().kubectl(&orphan).await?;
    let orphaned = env.secrets.get(TARGET).await?;
    assert!(orphaned.owner_references().is_empty());
    env.resource("orders", "pair", json!({})).await?;
    env.until_converged("orders").await?;
    let adopted = env.secrets.get(TARGET).await?;
    assert_eq!((adopted.uid(), &adopted.data), (old.uid(), &old.data));
    assert_eq!(adopted.owner_references().len(), 1);
    Ok(())
}

/// The garbage collector removes the owner reference, and the operator gets that event before the deletion of the
/// resource.
async fn a_target_that_is_orphaned_unseen_gets_no_owner_that_is_gone(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    let dropping = Arc::new(AtomicBool::new(false));
    let shared = Arc::clone(&dropping);
    env.proxy.set_fault(Box::new(move |head| {
        let dropping = Arc::clone(&shared);
        let filter = move |line: &[u8]| {
            let lost = dropping.load(Ordering::Relaxed);
            if lost { Vec::new() } else { line.to_vec() }
        };
        match head.verb {
            Verb::Watch if head.resource == "staticawscredentials" => {
                Fault::Lines(Box::new(filter))
            }
            _ => Fault::Pass,
        }
    }));
    env.start_operator().await?;
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_ready("orders").await?;
    env.until_idle().await?;

    dropping.store(true, Ordering::Relaxed);
    let mark = env.proxy.mark();
    let delete = ["delete", "staticawscredentials/orders", "--cascade=orphan"];
    let delete = [&delete[..], &["-n", &env.namespace]].concat();
    env.test_cluster.cluster().kubectl(&delete).await?;
    env.until(
        "the operator has asked whether the resource is there",
        async || {
            let mut asked = env.proxy.since(mark).into_iter();
            let refused = |status| matches!(status, Some(404 | 409));
            Ok(asked.any(|request| refused(request.status)).then_some(()))
        },
    )
    .await?;
    env.until_queue_empty().await?;
    let target = env.secrets.get(TARGET).await?;
    assert!(target.owner_references().is_empty());
    let writes = |request: Recorded| request.resource == "secrets" && request.verb.writes();
    assert!(!env.proxy.since(mark).into_iter().any(writes));
    Ok(())
}

async fn the_policy_can_be_switched_without_asking_aws(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    let uid = env.version(TARGET).await?.0;
    for (policy, owners) in [("Retain", 0), ("Delete", 1)] {
        let mark = env.proxy.mark();
        let policy = json!({ "target": { "deletionPolicy": policy } });
        env.change("orders", policy).await?;
        env.until_converged("orders").await?;
        assert_costs(&env.costs(mark).await?, 2, 2);
        let target = env.secrets.get(TARGET).await?;
        assert_eq!(target.owner_references().len(), owners);
        assert_eq!(target.annotations()[ADOPT_BY], "orders");
        assert_eq!(target.uid().as_deref(), Some(uid.as_str()));
    }
    assert_eq!(env.published("orders").await?.revision, 1);
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

async fn layouts_and_keys_change_without_asking_aws(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    let mark = env.proxy.mark();
    let layouts = json!({ "target": {
        "layouts": ["Mendix"], "keys": { "cloud": "CredentialsFile", "id": "AccessKeyId" },
    } });
    env.change("orders", layouts).await?;
    env.until_converged("orders").await?;
    assert_costs(&env.costs(mark).await?, 2, 2);
    let content = env.content(TARGET).await?;
    let keys: Vec<&str> = content.keys().map(String::as_str).collect();
    let mendix = [
        "cloud",
        "id",
        "mx-const-AWSAuthentication.AccessKey",
        "mx-const-AWSAuthentication.SecretAccessKey",
    ];
    assert_eq!(keys, mendix);
    assert_eq!(content["id"], PAIR.0);
    let (id, secret) = PAIR;
    let file = format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    assert_eq!(content["cloud"], file);
    assert_eq!(env.published("orders").await?.revision, 1);
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

async fn layouts_wait_while_the_source_is_bad(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    env.secret("pair", &[("AWS_ACCESS_KEY_ID", PAIR.0.as_bytes())])
        .await?;
    env.until_status("orders", "Ready", "False", "SourceKeyMissing")
        .await?;
    let before = env.secrets.get(TARGET).await?;
    let layouts = json!({ "target": { "layouts": ["Mendix"] } });
    env.change("orders", layouts).await?;
    let object = env
        .until_status("orders", "Ready", "False", "SourceKeyMissing")
        .await?;
    let published = condition(&object, "Published");
    assert_eq!(
        published,
        Some(("True".to_owned(), "ServingLastKnownGood".to_owned()))
    );
    env.until_idle().await?;
    assert_eq!(env.secrets.get(TARGET).await?, before);

    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;
    assert_eq!(env.content(TARGET).await?.len(), 2);
    Ok(())
}

async fn what_waited_for_the_source_is_applied_when_the_published_pair_comes_back(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    for (policy, layout, owners) in [("Retain", "Mendix", 0), ("Delete", "Env", 1)] {
        env.source("pair", (SECOND.0, PAIR.1)).await?;
        env.until_status("orders", "Ready", "False", "SignatureMismatch")
            .await?;
        let target = json!({ "target": { "deletionPolicy": policy, "layouts": [layout] } });
        env.change("orders", target).await?;
        env.until_status("orders", "Ready", "False", "SignatureMismatch")
            .await?;
        env.source("pair", PAIR).await?;
        env.until_converged("orders").await?;
        let target = env.secrets.get(TARGET).await?;
        assert_eq!(target.owner_references().len(), owners, "{policy}");
        let has_env = env.content(TARGET).await?.contains_key("AWS_ACCESS_KEY_ID");
        assert_eq!(has_env, layout == "Env", "{layout}");
    }
    assert_eq!(env.published("orders").await?.revision, 1);
    Ok(())
}
