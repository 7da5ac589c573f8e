//! After a rotation: the pods that are reported as holders of the superseded pair, and the requests for that.

use std::sync::Arc;

use anyhow::{Context, Result};
use cluster::proxy::{Recorded, Verb};
use k8s_openapi::{
    api::core::v1::Pod,
    apimachinery::pkg::apis::meta::v1::Time,
    jiff::{SignedDuration, Timestamp},
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use static_aws_credentials::api::{ConsumerGroup, StaticAwsCredentials};

use crate::{
    actions::{TARGET, tests},
    scene::{PAIR, SECOND, Scene, Stage, condition, message},
};

tests![
    a_pod_that_reads_at_its_start_is_named_until_it_was_restarted,
    without_the_flag_nobody_is_looked_for,
    pods_that_may_not_be_listed_are_told_of,
    a_pod_that_took_the_pair_under_an_older_name_is_named,
    the_pods_of_every_resource_with_the_key_count,
];

pub const IN_USE: &str = "PreviousKeyInUse";

impl Scene {
    pub fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.stage.cluster().client().clone(), &self.namespace)
    }

    pub async fn consumer(&self, name: &str, started: Timestamp) -> Result<()> {
        self.pod_with(TARGET, name, started).await
    }

    /// A pod as a kubelet would report it, with all of a target in its environment.
    async fn pod_with(&self, target: &str, name: &str, started: Timestamp) -> Result<()> {
        let spec = json!({ "containers": [{
            "name": "app", "image": "app", "envFrom": [{ "secretRef": { "name": target } }],
        }] });
        let status = json!({ "containerStatuses": [running("app", started)] });
        self.pod(name, spec, status).await
    }

    /// A pod with this spec, as a kubelet would report it.
    pub async fn pod(&self, name: &str, mut spec: Value, mut status: Value) -> Result<()> {
        spec["terminationGracePeriodSeconds"] = json!(0);
        spec["automountServiceAccountToken"] = json!(false);
        status["phase"] = json!("Running");
        status["conditions"] = json!([{ "type": "Ready", "status": "True" }]);
        let pod = serde_json::from_value(json!({ "metadata": { "name": name }, "spec": spec }))?;
        let pods = self.pods();
        pods.create(&PostParams::default(), &pod).await?;
        let status = Patch::Merge(json!({ "status": status }));
        pods.patch_status(name, &PatchParams::default(), &status)
            .await?;
        Ok(())
    }

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

    pub async fn rotated(stage: Arc<Stage>, flags: &[&str]) -> Result<Self> {
        let mut scene = Self::before_start(stage).await?;
        scene.flags(flags);
        scene.start_operator().await?;
        scene.source("pair", PAIR).await?;
        scene.resource("orders", "pair", json!({})).await?;
        scene.until_agreed("orders").await?;
        Ok(scene)
    }
}

/// The status that a kubelet reports for a container that has run since `started`.
pub fn running(name: &str, started: Timestamp) -> Value {
    container(name, &json!({ "running": { "startedAt": Time(started) } }))
}

/// The status that a kubelet reports for a container that exited with 0.
pub fn ended(name: &str, started: Timestamp) -> Value {
    let times = json!({ "exitCode": 0, "startedAt": Time(started), "finishedAt": Time(started) });
    container(name, &json!({ "terminated": times }))
}

fn container(name: &str, state: &Value) -> Value {
    json!({
        "name": name, "image": "app", "imageID": "", "ready": true, "restartCount": 0, "state": state,
    })
}

fn lists_pods(request: &Recorded) -> bool {
    request.verb == Verb::List && request.resource == "pods"
}

fn looks(scene: &Scene, mark: usize) -> usize {
    let since = scene.proxy.since(mark);
    since.iter().filter(|request| lists_pods(request)).count()
}

async fn a_pod_that_reads_at_its_start_is_named_until_it_was_restarted(
    stage: Arc<Stage>,
) -> Result<()> {
    let mut scene = Scene::rotated(stage, &["--list-consumers"]).await?;
    let now = Timestamp::now();
    scene
        .consumer("web-0", now - SignedDuration::from_hours(1))
        .await?;
    scene.until_idle().await?;
    assert_eq!(looks(&scene, 0), 0, "there is no previous key");

    let mark = scene.proxy.mark();
    scene.source("pair", SECOND).await?;
    let orders = scene.until_in_use("Unknown", "ConsumersPickingUp").await?;
    let previous = orders
        .status
        .context("status")?
        .previous
        .context("previous")?;
    assert!(PAIR.0.ends_with(&previous.key_id_suffix));
    scene.until_agreed("orders").await?;
    let costs = scene.costs(mark).await?;
    assert_eq!(
        (costs.gets, costs.written(), looks(&scene, mark)),
        (1, 2, 0),
        "{costs:?}"
    );

    scene.stop_operator();
    scene.published_ago(SignedDuration::from_mins(10)).await?;
    let mark = scene.proxy.mark();
    scene.start_operator().await?;
    let orders = scene
        .until_in_use("True", "ConsumersHoldPreviousKey")
        .await?;
    assert!(message(&orders, IN_USE).contains("restart web-0"));
    let status = orders.status.context("status")?;
    assert!(status.previous_key_safe_after.is_none());
    assert_eq!(
        status.consumers.context("consumers")?.restart_needed.names,
        ["web-0"]
    );
    scene.until_idle().await?;
    let costs = scene.costs(mark).await?;
    assert_eq!(
        (costs.gets, costs.written(), looks(&scene, mark)),
        (0, 1, 1),
        "{costs:?}"
    );

    scene
        .pods()
        .delete("web-0", &DeleteParams::default())
        .await?;
    scene.consumer("web-1", Timestamp::now()).await?;
    let orders = scene.until_in_use("False", "PreviousKeyUnused").await?;
    assert!(message(&orders, IN_USE).contains("deactivate"));
    let status = orders.status.as_ref().context("status")?;
    assert!(status.previous_key_safe_after.is_some());
    let consumers = status.consumers.as_ref().context("consumers")?;
    assert_eq!(consumers.restart_needed, ConsumerGroup::default());
    assert!(condition(&orders, "Ready").is_some_and(|(ready, _)| ready == "True"));
    let reasons = scene.event_reasons("orders").await?;
    for reason in ["ConsumersHoldPreviousKey", "PreviousKeyUnused"] {
        let count = reasons.iter().filter(|known| *known == reason).count();
        assert_eq!(count, 1, "{reason}: {reasons:?}");
    }
    let metrics = scene.get_http("/metrics").await?;
    assert!(
        metrics.contains("type=\"PreviousKeyInUse\",status=\"False\"} 1"),
        "{metrics}"
    );

    let mark = scene.proxy.mark();
    scene.stop_operator();
    scene.start_operator().await?;
    scene.touch("pair").await?;
    scene.until_agreed("orders").await?;
    scene.until_idle().await?;
    assert_eq!(looks(&scene, mark), 0, "nobody is looked for any more");
    let orders = scene.resources.get("orders").await?;
    assert!(condition(&orders, IN_USE).is_some_and(|(in_use, _)| in_use == "False"));
    assert_eq!(orders.name_any(), "orders");
    Ok(())
}

async fn without_the_flag_nobody_is_looked_for(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::rotated(stage, &[]).await?;
    scene
        .consumer("web-0", Timestamp::now() - SignedDuration::from_hours(1))
        .await?;
    scene.source("pair", SECOND).await?;
    scene.until_agreed("orders").await?;
    scene.until_idle().await?;
    let orders = scene.resources.get("orders").await?;
    assert_eq!(condition(&orders, IN_USE), None);
    let status: Value = serde_json::to_value(orders.status)?;
    assert!(status.get("previous").is_none() && status.get("consumers").is_none());
    assert_eq!(looks(&scene, 0), 0);
    Ok(())
}

async fn pods_that_may_not_be_listed_are_told_of(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::rotated(stage, &["--list-consumers"]).await?;
    scene.source("pair", SECOND).await?;
    scene.until_in_use("Unknown", "ConsumersPickingUp").await?;
    scene.stop_operator();
    scene.published_ago(SignedDuration::from_mins(10)).await?;
    scene.proxy.set_fault(Box::new(|head| {
        if head.resource == "pods" {
            let message = "pods is forbidden";
            cluster::proxy::Fault::Answer(cluster::proxy::Answer::status(403, "Forbidden", message))
        } else {
            cluster::proxy::Fault::Pass
        }
    }));
    scene.start_operator().await?;
    let orders = scene.until_in_use("Unknown", "ConsumersNotListed").await?;
    assert!(message(&orders, IN_USE).contains("rotation.consumers.enabled"));
    assert!(condition(&orders, "Ready").is_some_and(|(ready, _)| ready == "True"));
    scene.proxy.clear_fault();
    scene.until_in_use("False", "PreviousKeyUnused").await?;
    Ok(())
}

async fn a_pod_that_took_the_pair_under_an_older_name_is_named(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::rotated(stage, &["--list-consumers"]).await?;
    let before = Timestamp::now() - SignedDuration::from_hours(1);
    scene.consumer("web-0", before).await?;
    let renamed = json!({ "target": { "name": "moved" } });
    scene.change("orders", renamed).await?;
    scene.until_agreed("orders").await?;
    scene.until_gone(TARGET).await?;
    assert_eq!(
        scene.published("orders").await?.former_secret_names,
        [TARGET]
    );

    scene.source("pair", SECOND).await?;
    scene.until_in_use("Unknown", "ConsumersPickingUp").await?;
    scene.stop_operator();
    scene.published_ago(SignedDuration::from_mins(10)).await?;
    scene.start_operator().await?;
    let orders = scene
        .until_in_use("True", "ConsumersHoldPreviousKey")
        .await?;
    let told = message(&orders, IN_USE);
    for words in ["restart web-0", TARGET, "use Secret \"moved\""] {
        assert!(told.contains(words), "{told} lacks {words}");
    }

    let now = DeleteParams::default();
    scene.pods().delete("web-0", &now).await?;
    scene.pod_with("moved", "web-1", Timestamp::now()).await?;
    let orders = scene.until_in_use("False", "PreviousKeyUnused").await?;
    let told = message(&orders, IN_USE);
    assert!(
        told.contains("\"moved\" or \"orders-credentials\""),
        "{told}"
    );
    Ok(())
}

async fn the_pods_of_every_resource_with_the_key_count(stage: Arc<Stage>) -> Result<()> {
    let other = Scene::before_start(Arc::clone(&stage)).await?;
    let mut scene = Scene::before_start(stage).await?;
    scene.share_with(&other).await?;
    scene.flags(&["--list-consumers"]);
    scene.start_operator().await?;
    for scene in [&scene, &other] {
        scene.source("pair", PAIR).await?;
        scene.resource("orders", "pair", json!({})).await?;
        scene.until_agreed("orders").await?;
    }
    let before = Timestamp::now() - SignedDuration::from_hours(1);
    other.consumer("web-0", before).await?;
    let digest = scene
        .published("orders")
        .await?
        .key_digest
        .context("digest")?;
    let same = other.published("orders").await?.key_digest;
    assert_eq!(same.as_ref(), Some(&digest));

    scene.source("pair", SECOND).await?;
    scene.until_in_use("Unknown", "ConsumersPickingUp").await?;
    scene.stop_operator();
    scene.published_ago(SignedDuration::from_mins(10)).await?;
    scene.start_operator().await?;
    let name = format!("{}/orders", other.namespace);
    let orders = scene.until_in_use("True", "PreviousKeyPublished").await?;
    assert!(message(&orders, IN_USE).contains(&name));
    let consumers = orders.status.and_then(|status| status.consumers);
    let consumers = consumers.context("consumers")?;
    assert_eq!(consumers.other_resources, std::slice::from_ref(&name));

    other.source("pair", SECOND).await?;
    other.until_in_use("Unknown", "ConsumersPickingUp").await?;
    scene.stop_operator();
    other.published_ago(SignedDuration::from_mins(10)).await?;
    let mark = scene.proxy.mark();
    scene.start_operator().await?;
    other
        .until_in_use("True", "ConsumersHoldPreviousKey")
        .await?;
    let orders = scene
        .until_in_use("True", "ConsumersHoldPreviousKey")
        .await?;
    let told = message(&orders, IN_USE);
    assert!(told.contains(&format!("held by pods of {name}")), "{told}");

    other
        .pods()
        .delete("web-0", &DeleteParams::default())
        .await?;
    other.until_in_use("False", "PreviousKeyUnused").await?;
    let orders = scene.until_in_use("False", "PreviousKeyUnused").await?;
    let told = message(&orders, IN_USE);
    assert!(
        told.contains("namespaces that this operator does not serve"),
        "{told}"
    );
    let since = scene.proxy.since(mark);
    let own = since.iter().filter(|request| {
        lists_pods(request) && request.namespace.as_deref() == Some(&scene.namespace)
    });
    assert_eq!(own.count(), 2, "the first look, and the one before the end");
    Ok(())
}
