//! After a rotation: the pods that are reported as holders of the superseded pair, and the requests for that.

use std::sync::Arc;

use anyhow::{Context, Result};
use cluster::proxy::{Recorded, Verb};
use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::Time,
    jiff::{SignedDuration, Timestamp},
};
use kube::{ResourceExt, api::DeleteParams};
use serde_json::{Value, json};
use static_aws_credentials::api::{ConsumerGroup, StaticAwsCredentials};

use crate::{
    harness::{
        actions::TARGET,
        test_env::{PAIR, SECOND, TestCluster, TestEnv, condition, message},
    },
    suite::tests,
};

tests![
    a_pod_that_reads_at_its_start_is_named_until_it_was_restarted,
    without_the_flag_nobody_is_looked_for,
    pods_that_may_not_be_listed_are_reported,
    a_pod_that_took_the_pair_under_an_older_name_is_named,
    the_pods_of_every_resource_with_the_key_count,
];

pub const IN_USE: &str = "PreviousKeyInUse";

impl TestEnv {
    /// Backdates publication and pick-up of the current pair, so that no test waits for the kubelet's 90 s.
    pub async fn published_ago(&self, ago: SignedDuration) -> Result<()> {
        let at = self.published_before(ago).await?;
        let picked_up = Time(at + SignedDuration::from_mins(3));
        let previous = json!({ "supersededTime": Time(at), "pickedUpTime": picked_up });
        self.edit_status(json!({ "previous": previous })).await
    }

    pub async fn until_in_use(&self, status: &str, reason: &str) -> Result<StaticAwsCredentials> {
        self.until_status("orders", IN_USE, status, reason).await
    }

    pub async fn rotated(test_cluster: Arc<TestCluster>, flags: &[&str]) -> Result<Self> {
        let mut env = Self::before_start(test_cluster).await?;
        env.flags(flags);
        env.start_operator().await?;
        env.source("pair", PAIR).await?;
        env.resource("orders", "pair", json!({})).await?;
        env.until_converged("orders").await?;
        Ok(env)
    }
}

fn lists_pods(request: &Recorded) -> bool {
    request.verb == Verb::List && request.resource == "pods"
}

fn looks(env: &TestEnv, mark: usize) -> usize {
    let since = env.proxy.since(mark);
    since.iter().filter(|request| lists_pods(request)).count()
}

async fn a_pod_that_reads_at_its_start_is_named_until_it_was_restarted(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::rotated(test_cluster, &["--list-consumers"]).await?;
    let now = Timestamp::now();
    env.consumer("web-0", now - SignedDuration::from_hours(1))
        .await?;
    env.until_idle().await?;
    assert_eq!(looks(&env, 0), 0, "there is no previous key");

    let mark = env.proxy.mark();
    env.source("pair", SECOND).await?;
    let orders = env.until_in_use("Unknown", "ConsumersPickingUp").await?;
    let previous = orders
        .status
        .context("status")?
        .previous
        .context("previous")?;
    assert!(PAIR.0.ends_with(&previous.key_id_suffix));
    env.until_converged("orders").await?;
    let costs = env.costs(mark).await?;
    assert_eq!(
        (costs.gets, costs.written(), looks(&env, mark)),
        (1, 2, 0),
        "{costs:?}"
    );

    env.stop_operator();
    env.published_ago(SignedDuration::from_mins(10)).await?;
    let mark = env.proxy.mark();
    env.start_operator().await?;
    let orders = env.until_in_use("True", "ConsumersHoldPreviousKey").await?;
    assert!(message(&orders, IN_USE).contains("restart web-0"));
    let status = orders.status.context("status")?;
    assert!(status.previous_key_safe_after.is_none());
    assert_eq!(
        status.consumers.context("consumers")?.restart_needed.names,
        ["web-0"]
    );
    env.until_idle().await?;
    let costs = env.costs(mark).await?;
    assert_eq!(
        (costs.gets, costs.written(), looks(&env, mark)),
        (0, 1, 1),
        "{costs:?}"
    );

    env.pods().delete("web-0", &DeleteParams::default()).await?;
    env.consumer("web-1", Timestamp::now()).await?;
    let orders = env.until_in_use("False", "PreviousKeyUnused").await?;
    assert!(message(&orders, IN_USE).contains("deactivate"));
    let status = orders.status.as_ref().context("status")?;
    assert!(status.previous_key_safe_after.is_some());
    let consumers = status.consumers.as_ref().context("consumers")?;
    assert_eq!(consumers.restart_needed, ConsumerGroup::default());
    assert!(condition(&orders, "Ready").is_some_and(|(ready, _)| ready == "True"));
    let reasons = env.event_reasons("orders").await?;
    for reason in ["ConsumersHoldPreviousKey", "PreviousKeyUnused"] {
        let count = reasons.iter().filter(|known| *known == reason).count();
        assert_eq!(count, 1, "{reason}: {reasons:?}");
    }
    let metrics = env.get_http("/metrics").await?;
    assert!(
        metrics.contains("type=\"PreviousKeyInUse\",status=\"False\"} 1"),
        "{metrics}"
    );

    let mark = env.proxy.mark();
    env.stop_operator();
    env.start_operator().await?;
    env.touch("pair").await?;
    env.until_converged("orders").await?;
    env.until_idle().await?;
    assert_eq!(looks(&env, mark), 0, "nobody is looked for any more");
    let orders = env.resources.get("orders").await?;
    assert!(condition(&orders, IN_USE).is_some_and(|(in_use, _)| in_use == "False"));
    assert_eq!(orders.name_any(), "orders");
    Ok(())
}

async fn without_the_flag_nobody_is_looked_for(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::rotated(test_cluster, &[]).await?;
    env.consumer("web-0", Timestamp::now() - SignedDuration::from_hours(1))
        .await?;
    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;
    env.until_idle().await?;
    let orders = env.resources.get("orders").await?;
    assert_eq!(condition(&orders, IN_USE), None);
    let status: Value = serde_json::to_value(orders.status)?;
    assert!(status.get("previous").is_none() && status.get("consumers").is_none());
    assert_eq!(looks(&env, 0), 0);
    Ok(())
}

async fn pods_that_may_not_be_listed_are_reported(test_cluster: Arc<TestCluster>) -> Result<()> {
    let mut env = TestEnv::rotated(test_cluster, &["--list-consumers"]).await?;
    env.source("pair", SECOND).await?;
    env.until_in_use("Unknown", "ConsumersPickingUp").await?;
    env.stop_operator();
    env.published_ago(SignedDuration::from_mins(10)).await?;
    env.proxy.set_fault(Box::new(|head| {
        if head.resource == "pods" {
            let message = "pods is forbidden";
            cluster::proxy::Fault::Answer(cluster::proxy::Answer::status(403, "Forbidden", message))
        } else {
            cluster::proxy::Fault::Pass
        }
    }));
    env.start_operator().await?;
    let orders = env.until_in_use("Unknown", "ConsumersNotListed").await?;
    assert!(message(&orders, IN_USE).contains("rotation.consumers.enabled"));
    assert!(condition(&orders, "Ready").is_some_and(|(ready, _)| ready == "True"));
    env.proxy.clear_fault();
    env.until_in_use("False", "PreviousKeyUnused").await?;
    Ok(())
}

async fn a_pod_that_took_the_pair_under_an_older_name_is_named(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::rotated(test_cluster, &["--list-consumers"]).await?;
    let before = Timestamp::now() - SignedDuration::from_hours(1);
    env.consumer("web-0", before).await?;
    let renamed = json!({ "target": { "name": "moved" } });
    env.change("orders", renamed).await?;
    env.until_converged("orders").await?;
    env.until_gone(TARGET).await?;
    assert_eq!(env.published("orders").await?.former_secret_names, [TARGET]);

    env.source("pair", SECOND).await?;
    env.until_in_use("Unknown", "ConsumersPickingUp").await?;
    env.stop_operator();
    env.published_ago(SignedDuration::from_mins(10)).await?;
    env.start_operator().await?;
    let orders = env.until_in_use("True", "ConsumersHoldPreviousKey").await?;
    let text = message(&orders, IN_USE);
    for words in ["restart web-0", TARGET, "use Secret \"moved\""] {
        assert!(text.contains(words), "{text} lacks {words}");
    }

    let now = DeleteParams::default();
    env.pods().delete("web-0", &now).await?;
    env.pod_with("moved", "web-1", Timestamp::now()).await?;
    let orders = env.until_in_use("False", "PreviousKeyUnused").await?;
    let text = message(&orders, IN_USE);
    assert!(
        text.contains("\"moved\" or \"orders-credentials\""),
        "{text}"
    );
    Ok(())
}

async fn the_pods_of_every_resource_with_the_key_count(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let other = TestEnv::before_start(Arc::clone(&test_cluster)).await?;
    let mut env = TestEnv::before_start(test_cluster).await?;
    env.share_with(&other).await?;
    env.flags(&["--list-consumers"]);
    env.start_operator().await?;
    for env in [&env, &other] {
        env.source("pair", PAIR).await?;
        env.resource("orders", "pair", json!({})).await?;
        env.until_converged("orders").await?;
    }
    let before = Timestamp::now() - SignedDuration::from_hours(1);
    other.consumer("web-0", before).await?;
    let digest = env
        .published("orders")
        .await?
        .key_digest
        .context("digest")?;
    let same = other.published("orders").await?.key_digest;
    assert_eq!(same.as_ref(), Some(&digest));

    env.source("pair", SECOND).await?;
    env.until_in_use("Unknown", "ConsumersPickingUp").await?;
    env.stop_operator();
    env.published_ago(SignedDuration::from_mins(10)).await?;
    env.start_operator().await?;
    let name = format!("{}/orders", other.namespace);
    let orders = env.until_in_use("True", "PreviousKeyPublished").await?;
    assert!(message(&orders, IN_USE).contains(&name));
    let consumers = orders.status.and_then(|status| status.consumers);
    let consumers = consumers.context("consumers")?;
    assert_eq!(consumers.other_resources, std::slice::from_ref(&name));

    other.source("pair", SECOND).await?;
    other.until_in_use("Unknown", "ConsumersPickingUp").await?;
    env.stop_operator();
    other.published_ago(SignedDuration::from_mins(10)).await?;
    let mark = env.proxy.mark();
    env.start_operator().await?;
    other
        .until_in_use("True", "ConsumersHoldPreviousKey")
        .await?;
    let orders = env.until_in_use("True", "ConsumersHoldPreviousKey").await?;
    let text = message(&orders, IN_USE);
    assert!(text.contains(&format!("held by pods of {name}")), "{text}");

    other
        .pods()
        .delete("web-0", &DeleteParams::default())
        .await?;
    other.until_in_use("False", "PreviousKeyUnused").await?;
    let orders = env.until_in_use("False", "PreviousKeyUnused").await?;
    let text = message(&orders, IN_USE);
    assert!(
        text.contains("namespaces that this operator does not serve"),
        "{text}"
    );
    let since = env.proxy.since(mark);
    let own = since.iter().filter(|request| {
        lists_pods(request) && request.namespace.as_deref() == Some(&env.namespace)
    });
    assert_eq!(own.count(), 2, "the first look, and the one before the end");
    Ok(())
}
