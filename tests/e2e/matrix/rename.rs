//! `spec.target.name` changes.

use std::sync::Arc;

use anyhow::Result;
use cluster::proxy::{Fault, Verb};
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::{
    harness::{
        actions::{ADOPT_BY, TARGET, assert_costs},
        test_env::{PAIR, SECOND, TestCluster, TestEnv, condition},
    },
    suite::tests,
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

async fn a_renamed_target_is_written_anew_and_the_old_one_deleted(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    let mark = env.proxy.mark();
    env.change("orders", named("moved")).await?;
    env.until_converged("orders").await?;
    env.until_gone(TARGET).await?;
    let costs = env.costs(mark).await?;
    assert_costs(&costs, 2, 3);
    let published = env.published("orders").await?;
    assert_eq!(
        (published.secret_name.as_str(), published.revision),
        ("moved", 1)
    );
    assert_eq!(env.content("moved").await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    assert_eq!(env.sts.calls().len(), 1);

    // The new target is written before the old one is deleted.
    let writes: Vec<Verb> = env
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

async fn a_target_renamed_to_a_taken_name_stays_where_it_is(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    let taken = env.secret("taken", &[("theirs", b"x")]).await?;
    let before = env.secrets.get(TARGET).await?;
    env.change("orders", named("taken")).await?;
    let object = env
        .until_status("orders", "Ready", "False", "TargetConflict")
        .await?;
    assert!(condition(&object, "Stalled").is_some());
    env.source("pair", SECOND).await?;
    let object = env
        .until_status("orders", "Ready", "False", "TargetConflict")
        .await?;
    env.until_idle().await?;
    let status = object.status.unwrap_or_default();
    let named = status.published.map(|published| published.secret_name);
    assert_eq!(named.as_deref(), Some(TARGET));
    assert_eq!(
        status.binding.map(|binding| binding.name).as_deref(),
        Some(TARGET)
    );
    assert_eq!(env.secrets.get(TARGET).await?, before);
    assert_eq!(env.secrets.get("taken").await?, taken);

    env.delete_secret("taken").await?;
    env.until_converged("orders").await?;
    env.until_gone(TARGET).await?;
    assert_eq!(env.content("taken").await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    assert_eq!(env.published("orders").await?.revision, 2);
    Ok(())
}

async fn a_target_renamed_while_the_source_is_bad_stays_where_it_is(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    env.secret("pair", &[("AWS_ACCESS_KEY_ID", PAIR.0.as_bytes())])
        .await?;
    env.until_status("orders", "Ready", "False", "SourceKeyMissing")
        .await?;
    let before = env.secrets.get(TARGET).await?;
    env.change("orders", named("moved")).await?;
    let object = env
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
    assert_eq!(env.secrets.get(TARGET).await?, before);
    assert!(env.secrets.get_opt("moved").await?.is_none());

    env.source("pair", PAIR).await?;
    env.until_converged("orders").await?;
    env.until_gone(TARGET).await?;
    Ok(())
}

async fn a_target_renamed_twice_around_a_crash_leaves_no_stray(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::settled(test_cluster).await?;
    env.proxy
        .set_fault(Box::new(|head| match head.subresource.as_deref() {
            Some("status") if !head.is_rehearsal() => Fault::Hang,
            _ if head.verb == Verb::Delete => Fault::Hang,
            _ => Fault::Pass,
        }));
    env.change("orders", named("second")).await?;
    env.until("the second target stands", async || {
        Ok(env.secrets.get_opt("second").await?)
    })
    .await?;
    env.operator()?.kill();
    env.proxy.clear_fault();
    assert_eq!(env.published("orders").await?.secret_name, TARGET);

    env.change("orders", named("third")).await?;
    env.start_operator().await?;
    env.until_converged("orders").await?;
    env.until_gone(TARGET).await?;
    env.until_gone("second").await?;
    assert_eq!(env.content("third").await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    assert_eq!(env.published("orders").await?.secret_name, "third");
    Ok(())
}

async fn a_target_renamed_while_the_operator_is_down_leaves_no_stray(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::settled(test_cluster).await?;
    env.stop_operator();
    env.change("orders", named("second")).await?;
    env.change("orders", named("third")).await?;
    env.start_operator().await?;
    env.until_converged("orders").await?;
    env.until_gone(TARGET).await?;
    assert!(env.secrets.get_opt("second").await?.is_none());
    assert_eq!(env.content("third").await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    assert_eq!(env.published("orders").await?.revision, 1);
    assert!(env.sts.calls().len() <= 2);
    Ok(())
}

async fn a_retained_target_stays_when_the_next_is_written_elsewhere(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let retain = json!({ "target": { "deletionPolicy": "Retain" } });
    let env = TestEnv::settled_with(test_cluster, retain).await?;
    let before = env.secrets.get(TARGET).await?;
    let mark = env.proxy.mark();
    env.change("orders", named("moved")).await?;
    env.until_converged("orders").await?;
    assert_costs(&env.costs(mark).await?, 2, 2);
    let left = env.secrets.get(TARGET).await?;
    assert_eq!(left.annotations()[ADOPT_BY], "orders");
    assert_eq!(left.data, before.data);
    Ok(())
}

async fn one_mark_alone_does_not_make_a_secret_a_stray(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::settled(test_cluster).await?;
    let uid = env.uid("orders").await?;
    let labels = json!({ "awscredentials.dev/uid": uid });
    let owners = env.reference("orders").await?;
    let labelled = json!({ "metadata": { "name": "labelled", "labels": labels } });
    let owned = json!({ "metadata": { "name": "owned", "ownerReferences": owners } });
    let both =
        json!({ "metadata": { "name": "both", "labels": labels, "ownerReferences": owners } });
    env.stop_operator();
    for manifest in [labelled, owned, both] {
        env.foreign(manifest).await?;
    }
    env.start_operator().await?;
    env.until_gone("both").await?;
    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;
    env.until_idle().await?;
    assert!(env.secrets.get_opt("labelled").await?.is_some());
    assert!(env.secrets.get_opt("owned").await?.is_some());
    Ok(())
}
