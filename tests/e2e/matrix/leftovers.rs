//! Former targets, and the Secrets that `Retain` keeps.

use std::sync::Arc;

use anyhow::Result;
use cluster::proxy::{Answer, Fault, Verb};
use kube::ResourceExt;
use serde_json::json;

use crate::{
    harness::{
        actions::{ADOPT_BY, TARGET},
        test_env::{PAIR, TestCluster, TestEnv, condition, message},
    },
    suite::tests,
};

tests![
    a_rename_and_retain_in_one_edit_keep_the_old_target,
    retain_holds_while_the_source_is_away_or_the_resource_is_suspended,
    an_old_target_that_cannot_be_deleted_is_reported_and_deleted_later,
];

async fn a_rename_and_retain_in_one_edit_keep_the_old_target(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    let before = env.secrets.get(TARGET).await?;
    let edit = json!({ "target": { "name": "moved", "deletionPolicy": "Retain" } });
    env.change("orders", edit).await?;
    env.until_converged("orders").await?;
    let left = env.secrets.get(TARGET).await?;
    assert_eq!((left.uid(), &left.data), (before.uid(), &before.data));
    assert!(left.owner_references().is_empty());
    assert_eq!(left.annotations()[ADOPT_BY], "orders");

    // The garbage collector deletes neither of them.
    env.delete_resource("orders").await?;
    env.until_idle().await?;
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    assert_eq!(env.content("moved").await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    Ok(())
}

async fn retain_holds_while_the_source_is_away_or_the_resource_is_suspended(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let retain = json!({ "target": { "deletionPolicy": "Retain" } });
    let suspended = json!({ "suspend": true, "target": { "deletionPolicy": "Retain" } });
    let mut env = TestEnv::settled(test_cluster).await?;
    env.resource("second", "pair", json!({})).await?;
    env.until_converged("second").await?;
    env.change("second", suspended).await?;
    env.delete_secret("pair").await?;
    env.until_status("orders", "Ready", "False", "SourceNotFound")
        .await?;
    env.change("orders", retain).await?;
    for target in [TARGET, "second-credentials"] {
        env.until("the owner reference is gone", async || {
            let target = env.secrets.get(target).await?;
            Ok(target.owner_references().is_empty().then_some(()))
        })
        .await?;
    }
    env.until_status("orders", "Published", "True", "ServingLastKnownGood")
        .await?;
    env.until_idle().await?;

    // A new process has nothing to change.
    env.stop_operator();
    let mark = env.proxy.mark();
    env.start_operator().await?;
    env.until_idle().await?;
    assert_eq!(env.changes(mark), 0);
    for resource in ["orders", "second"] {
        env.delete_resource(resource).await?;
    }
    env.until_idle().await?;
    for target in [TARGET, "second-credentials"] {
        assert_eq!(env.content(target).await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    }
    Ok(())
}

async fn an_old_target_that_cannot_be_deleted_is_reported_and_deleted_later(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    let forbidden = |secret: &str| {
        let words = format!("a policy quotes {secret}");
        Fault::Answer(Answer::status(403, "Forbidden", &words))
    };
    env.proxy.set_fault(Box::new(move |head| match head.verb {
        Verb::Delete if head.resource == "secrets" => forbidden(PAIR.1),
        _ => Fault::Pass,
    }));
    let renamed = json!({ "target": { "name": "moved" } });
    env.change("orders", renamed).await?;
    let reported = async || {
        let orders = env.resources.get("orders").await?;
        let words = message(&orders, "Published");
        let is_reported = words.contains("could not be deleted (403 Forbidden)");
        Ok(is_reported.then_some((orders, words)))
    };
    let (orders, words) = env.until("the refusal is reported", reported).await?;
    assert!(words.contains(TARGET), "{words}");
    assert!(!words.contains("a policy quotes"), "{words}");
    let ready = condition(&orders, "Ready").unwrap_or_default();
    assert_eq!(ready.0, "True");
    assert_eq!(env.published("orders").await?.secret_name, "moved");
    let event = async || {
        let get = ["get", "events", "-n", &env.namespace, "-o", "yaml"];
        let events = env.test_cluster.cluster().kubectl(&get).await?;
        Ok(events.contains("LeftoverRemains").then_some(()))
    };
    env.until("an event says it", event).await?;

    env.proxy.clear_fault();
    env.until_gone(TARGET).await?;
    let silent = async || {
        let orders = env.resources.get("orders").await?;
        let words = message(&orders, "Published");
        Ok((!words.contains("left over")).then_some(()))
    };
    env.until("nothing is reported any more", silent).await
}
