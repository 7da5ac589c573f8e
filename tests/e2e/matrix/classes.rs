//! A class that appears, changes or goes, and the requests that it costs.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use cluster::{
    proxy::Counts,
    stores::stand_in::{Answer, Refusals, StandIn},
};
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::{
    harness::{
        actions::{TARGET, assert_costs, assert_silent},
        classes::{REGION, as_strs, of_class, statuses, store_pair},
        steps::{assert_holds, assert_serves_last_known_good},
        test_env::{PAIR, TestCluster, TestEnv, message},
    },
    suite::tests,
};

tests![
    a_resource_waits_for_its_class_and_for_the_right_to_name_it,
    a_class_that_is_deleted_leaves_the_target_and_a_new_one_proves_the_pair_anew,
    a_class_with_a_ca_that_cannot_be_read_stalls_its_resources_until_it_is_corrected,
    a_pair_of_a_store_costs_as_many_requests_as_one_of_aws,
    a_settled_resource_of_a_class_costs_nothing_at_rest_and_after_a_restart,
    a_class_that_changes_wakes_only_its_own_resources,
    a_class_that_changes_while_the_source_is_away_is_applied_once_it_is_back,
];

/// A store that lists buckets for the first two pairs.
async fn store() -> Result<StandIn> {
    let store = StandIn::start(Refusals::minio()).await?;
    for number in [1, 2] {
        store.accept_pair(&store_pair(number), Answer::buckets());
    }
    Ok(store)
}

/// `orders` has published the first pair of a store, and the operator is idle.
async fn settled(test_cluster: Arc<TestCluster>) -> Result<(TestEnv, StandIn)> {
    let store = store().await?;
    let env = TestEnv::open(test_cluster).await?;
    env.class(&store.url(), json!({})).await?;
    env.orders_of_class(&store_pair(1)).await?;
    env.until_converged("orders").await?;
    env.until_idle().await?;
    Ok((env, store))
}

async fn a_resource_waits_for_its_class_and_for_the_right_to_name_it(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let store = store().await?;
    let env = TestEnv::open(test_cluster).await?;
    env.orders_of_class(&store_pair(1)).await?;
    let object = env.until_reconciling("orders", "ClassNotFound").await?;
    assert_holds(&object, "Published", "False", "NotPublished");
    for allowed in [json!(null), json!({ "names": ["elsewhere"] })] {
        let spec = json!({ "allowedNamespaces": allowed });
        env.class(&store.url(), spec).await?;
        let object = env.until_reconciling("orders", "ClassNotAllowed").await?;
        assert!(message(&object, "Ready").contains(&env.namespace));
    }
    env.until_idle().await?;
    assert_eq!((store.count(), env.snapshot(TARGET).await?), (0, None));

    let spec = json!({ "allowedNamespaces": { "names": ["elsewhere", env.namespace] } });
    env.class(&store.url(), spec).await?;
    env.until_converged("orders").await?;
    let published = (store_pair(1), REGION.to_owned());
    assert_eq!(env.published_pair().await?, published);
    Ok(())
}

async fn a_class_that_is_deleted_leaves_the_target_and_a_new_one_proves_the_pair_anew(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let (env, store) = settled(test_cluster).await?;
    let before = env.snapshot(TARGET).await?;
    let class = env.classes().get(&env.namespace).await?;
    env.delete_class().await?;
    let object = env.until_reconciling("orders", "ClassNotFound").await?;
    assert_holds(&object, "Published", "True", "Published");
    env.source("pair", as_strs(&store_pair(2))).await?;
    let object = env.until_reconciling("orders", "ClassNotFound").await?;
    assert_serves_last_known_good(&object);
    env.source("pair", as_strs(&store_pair(1))).await?;
    env.until_reconciling("orders", "ClassNotFound").await?;
    env.until_idle().await?;
    assert_eq!(env.snapshot(TARGET).await?, before);
    assert!(statuses(&store, &store_pair(2)).is_empty());

    env.create_class(&class).await?;
    env.until_converged("orders").await?;
    assert_eq!(env.snapshot(TARGET).await?, before);
    assert_eq!(statuses(&store, &store_pair(1)), [200, 200]);
    Ok(())
}

async fn a_class_with_a_ca_that_cannot_be_read_stalls_its_resources_until_it_is_corrected(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let (env, store) = settled(test_cluster).await?;
    let before = env.snapshot(TARGET).await?;
    let bodies = ["", "not base64!", "bm8gY2VydGlmaWNhdGU="];
    for body in bodies {
        let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        let spec = json!({ "endpoint": { "caBundle": pem } });
        env.class(&store.url(), spec).await?;
        let object = env.until_reconciling("orders", "ClassInvalid").await?;
        assert_holds(&object, "Published", "True", "Published");
        let message = message(&object, "Ready");
        assert!(message.contains("spec.endpoint.caBundle"), "{message}");
        env.class(&store.url(), json!({})).await?;
        env.until_converged("orders").await?;
    }
    assert_eq!(env.snapshot(TARGET).await?, before);
    Ok(())
}

async fn a_pair_of_a_store_costs_as_many_requests_as_one_of_aws(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let (env, store) = settled(test_cluster).await?;
    let create = async |name: &str, pair: (&str, &str), spec: Value| -> Result<Counts> {
        env.until_idle().await?;
        let mark = env.proxy.mark();
        env.source(name, pair).await?;
        env.resource(name, name, spec).await?;
        env.until_converged(name).await?;
        env.costs(mark).await
    };
    let of_aws = create("aws", PAIR, json!({})).await?;
    let of_store = create("store", as_strs(&store_pair(2)), env.of_class()).await?;
    assert!(of_store.gets <= 2, "{of_store:?}");
    assert_eq!((of_store.lists, of_store.other), (0, 0), "{of_store:?}");
    assert_eq!(of_store.writes, of_aws.writes);
    assert_eq!(statuses(&store, &store_pair(2)), [200]);
    Ok(())
}

async fn a_settled_resource_of_a_class_costs_nothing_at_rest_and_after_a_restart(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let (mut env, store) = settled(test_cluster).await?;
    let asked = store.count();
    env.stop_operator();
    env.proxy.end_watches_after(Duration::from_secs(1));
    let mark = env.proxy.mark();
    env.start_operator().await?;
    env.until("the classes are watched anew", async || {
        let since = env.proxy.since(mark);
        let of_classes = since
            .iter()
            .filter(|request| request.resource == "awscredentialsclasses");
        Ok((of_classes.count() >= 3).then_some(()))
    })
    .await?;
    let costs = env.costs(mark).await?;
    assert_silent(&costs);
    let lists_of_classes =
        env.proxy.since(mark).into_iter().filter(|request| {
            request.resource == "awscredentialsclasses" && request.asks_for_all()
        });
    assert_eq!(lists_of_classes.count(), 1, "{costs:?}");
    assert_eq!(store.count(), asked);
    Ok(())
}

async fn a_class_that_changes_wakes_only_its_own_resources(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let (env, store) = settled(test_cluster).await?;
    let other = format!("{}-other", env.namespace);
    env.class_named(&other, &store.url(), json!({})).await?;
    env.source("other", as_strs(&store_pair(2))).await?;
    env.resource("bills", "other", of_class(&other)).await?;
    env.source("aws", PAIR).await?;
    env.resource("stock", "aws", json!({})).await?;
    for name in ["bills", "stock"] {
        env.until_converged(name).await?;
    }
    env.until_idle().await?;
    let mark = env.proxy.mark();
    move_to(&env, &store, "quail-2").await?;
    env.until_converged("orders").await?;
    let published = (store_pair(1), "quail-2".to_owned());
    assert_eq!(env.published_pair().await?, published);
    assert_costs(&env.costs(mark).await?, 2, 2);
    let since = env.proxy.since(mark).into_iter();
    let mut names = since.filter(|request| request.resource != "events");
    let of_others = names.find(|request| {
        let name = request.name.as_deref().unwrap_or_default();
        name.starts_with("bills") || name.starts_with("stock")
    });
    assert!(of_others.is_none(), "{of_others:?}");

    // Another label of the class is no change.
    let (before, mark) = (env.resources.get("orders").await?, env.proxy.mark());
    let patch = json!({ "metadata": { "labels": { "touched": "yes" } } });
    let patch = kube::api::Patch::Merge(patch);
    env.classes()
        .patch(&env.namespace, &kube::api::PatchParams::default(), &patch)
        .await?;
    assert_silent(&env.costs(mark).await?);
    let after = env.resources.get("orders").await?;
    assert_eq!(after.resource_version(), before.resource_version());
    Ok(())
}

/// The class gets another region, which the status of `orders` shows soon.
async fn move_to(env: &TestEnv, store: &StandIn, region: &str) -> Result<()> {
    env.class(&store.url(), json!({ "region": region })).await?;
    let generation = env.classes().get(&env.namespace).await?.metadata.generation;
    env.until("the status is about the new class", async || {
        let status = env.resources.get("orders").await?.status;
        let seen = status.and_then(|status| status.class);
        let seen = seen.map(|class| class.generation);
        Ok((seen == generation).then_some(()))
    })
    .await
}

async fn a_class_that_changes_while_the_source_is_away_is_applied_once_it_is_back(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let (env, store) = settled(test_cluster).await?;
    env.delete_secret("pair").await?;
    env.until_condition("orders", "Ready", "False", "SourceNotFound")
        .await?;
    move_to(&env, &store, "quail-2").await?;
    env.until_idle().await?;
    assert_eq!(env.published_pair().await?.1, REGION);

    env.source("pair", as_strs(&store_pair(1))).await?;
    env.until_converged("orders").await?;
    let published = (store_pair(1), "quail-2".to_owned());
    assert_eq!(env.published_pair().await?, published);
    Ok(())
}
