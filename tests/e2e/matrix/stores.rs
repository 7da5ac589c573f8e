//! Pairs of S3-compatible stores: SeaweedFS itself, and stand-ins that answer as MinIO and Garage do.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use anyhow::{Context, Result};
use cluster::{
    moto::KeyPair,
    stores::{
        Identity, ListBuckets, SeaweedFs,
        stand_in::{Answer, Refusals, StandIn},
    },
    sts::Certificate,
};
use serde_json::json;

use crate::{
    harness::{
        classes::{REGION, as_strs, other_secret, statuses, store_pair},
        steps::{TARGET, assert_holds, assert_serves_last_known_good},
        test_env::{TestCluster, TestEnv, condition, message},
    },
    matrix::interval::{age, every_5_minutes},
    suite::tests,
};

tests![
    a_pair_that_the_store_no_longer_has_is_refused_after_a_second_answer_and_stays,
    a_store_that_is_away_leaves_a_published_pair_ready_and_a_new_one_waiting,
    a_pair_of_seaweedfs_is_proven_and_lists_buckets_and_so_is_its_next_secret,
    a_wrong_secret_of_a_store_settles_and_is_refused_and_never_published,
    a_store_that_accepts_every_pair_proves_none,
    a_pair_without_rights_is_proven_by_the_other_answer_to_a_wrong_secret,
    a_store_is_asked_only_if_a_ca_of_the_class_signed_its_certificate,
    a_store_that_answers_alike_to_all_it_denies_proves_only_what_it_lists,
];

fn identity(name: &str, pair: &KeyPair) -> Identity {
    Identity::new(name, pair, &["Admin"])
}

/// `orders` has published the first pair of a store with that pair.
async fn published(test_cluster: Arc<TestCluster>) -> Result<(TestEnv, SeaweedFs)> {
    let pair = store_pair(1);
    let identities = [identity("orders", &pair), identity("other", &store_pair(9))];
    let store = SeaweedFs::start(&identities).await?;
    let env = TestEnv::open(test_cluster).await?;
    env.class(store.url(), json!({})).await?;
    env.orders_of_class(&pair).await?;
    env.until_converged("orders").await?;
    env.change("orders", every_5_minutes()).await?;
    env.until_converged("orders").await?;
    Ok((env, store))
}

/// Whether the store accepts the published pair, signed for the published region.
async fn lists(env: &TestEnv, store: &SeaweedFs) -> Result<bool> {
    let (pair, region) = env.published_pair().await?;
    let request = ListBuckets::new(&pair).in_region(&region);
    Ok(request.send(store.url()).await?.is_success())
}

async fn a_pair_of_seaweedfs_is_proven_and_lists_buckets_and_so_is_its_next_secret(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let (env, mut store) = published(test_cluster).await?;
    let object = env
        .until_status("orders", "Verified", "True", "StoreVerified")
        .await?;
    let status = object.status.context("no status")?;
    assert_eq!(status.identity, None);
    let class = status.class.context("no class")?;
    assert_eq!((class.name, class.generation), (env.namespace.clone(), 1));
    let pair = store_pair(1);
    assert_eq!(env.published_pair().await?, (pair.clone(), REGION.into()));
    assert!(lists(&env, &store).await?);

    // A store, unlike IAM, can change the secret of an ID.
    let rotated = other_secret(&pair);
    store
        .set_identities(&[identity("orders", &rotated)])
        .await?;
    assert!(!lists(&env, &store).await?);
    env.source("pair", as_strs(&rotated)).await?;
    env.until_converged("orders").await?;
    assert_eq!(env.published_pair().await?, (rotated, REGION.into()));
    assert!(lists(&env, &store).await?);
    assert_eq!(env.published("orders").await?.revision, 2);
    assert_eq!(env.sts.calls().len(), 0);
    Ok(())
}

async fn a_wrong_secret_of_a_store_settles_and_is_refused_and_never_published(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let pair = store_pair(1);
    let store = SeaweedFs::start(&[identity("orders", &pair)]).await?;
    let env = TestEnv::open(test_cluster).await?;
    env.class(store.url(), json!({ "settling": "5s" })).await?;
    env.orders_of_class(&other_secret(&pair)).await?;
    let object = env.until_stalled("orders", "SignatureMismatch").await?;
    assert_holds(&object, "Verified", "False", "SignatureMismatch");
    let history = env.invariants.history("orders").await?;
    let settling = ("True".to_owned(), "Settling".to_owned());
    let settled = history
        .iter()
        .any(|version| condition(version, "Reconciling").as_ref() == Some(&settling));
    assert!(settled, "{history:#?}");
    assert_eq!(env.snapshot(TARGET).await?, None);

    env.source("pair", as_strs(&pair)).await?;
    env.until_converged("orders").await?;
    assert_eq!(env.published_pair().await?.0, pair);
    Ok(())
}

async fn a_pair_that_the_store_no_longer_has_is_refused_after_a_second_answer_and_stays(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let (mut env, mut store) = published(test_cluster).await?;
    let before = env.snapshot(TARGET).await?;
    store
        .set_identities(&[identity("other", &store_pair(9))])
        .await?;
    age(&mut env, &["orders"]).await?;
    env.until_doubted("orders", "RejectionUnconfirmed").await?;
    let object = env.until_stalled("orders", "AccessKeyUnknown").await?;
    assert_holds(&object, "Published", "True", "Published");
    assert_eq!(env.snapshot(TARGET).await?, before);

    store
        .set_identities(&[identity("orders", &store_pair(1))])
        .await?;
    env.touch("pair").await?;
    env.until_status("orders", "Verified", "True", "StoreVerified")
        .await?;
    assert_eq!(env.snapshot(TARGET).await?, before);
    Ok(())
}

async fn a_store_that_is_away_leaves_a_published_pair_ready_and_a_new_one_waiting(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let (mut env, mut store) = published(test_cluster).await?;
    let before = env.snapshot(TARGET).await?;
    store.stop().await?;
    env.source("new", as_strs(&store_pair(9))).await?;
    env.resource("bills", "new", env.of_class()).await?;
    let object = env
        .until_reconciling("bills", "EndpointUnreachable")
        .await?;
    assert_holds(&object, "Ready", "False", "EndpointUnreachable");
    age(&mut env, &["orders"]).await?;
    env.until_doubted("orders", "EndpointUnreachable").await?;
    assert_eq!(env.snapshot("bills-credentials").await?, None);

    store.resume().await?;
    env.until_converged("bills").await?;
    let object = env
        .until_status("orders", "Verified", "True", "StoreVerified")
        .await?;
    assert_holds(&object, "Ready", "True", "Published");
    assert_eq!(env.snapshot(TARGET).await?, before);
    for version in env.invariants.history("orders").await? {
        let published = condition(&version, "Published").map(|(status, _)| status);
        let ready = condition(&version, "Ready").map(|(status, _)| status);
        assert!(published.as_deref() != Some("True") || ready.as_deref() == Some("True"));
    }
    Ok(())
}

async fn a_store_that_accepts_every_pair_proves_none(test_cluster: Arc<TestCluster>) -> Result<()> {
    let mut store = SeaweedFs::start(&[]).await?;
    let env = TestEnv::open(test_cluster).await?;
    env.class(store.url(), json!({})).await?;
    env.orders_of_class(&store_pair(1)).await?;
    let object = env
        .until_stalled("orders", "EndpointAcceptsAnything")
        .await?;
    assert_holds(&object, "Verified", "Unknown", "EndpointAcceptsAnything");
    assert!(message(&object, "Ready").contains("configure identities"));
    env.until_idle().await?;
    assert_eq!(env.snapshot(TARGET).await?, None);

    // A class that changes describes another store, about which nothing is remembered.
    store.restart(&[identity("orders", &store_pair(1))]).await?;
    env.class(store.url(), json!({ "settling": "1s" })).await?;
    env.until_converged("orders").await?;
    Ok(())
}

async fn a_pair_without_rights_is_proven_by_the_other_answer_to_a_wrong_secret(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let minio = StandIn::start_tls_on(loopback, Certificate::Valid, Refusals::minio());
    let (minio, ca) = minio.await?;
    let (right, wrong) = (store_pair(1), store_pair(2));
    minio.accept_pair(&right, Answer::access_denied());
    minio.accept_pair(&wrong, Answer::access_denied());
    let env = TestEnv::open(test_cluster).await?;
    env.class(&minio.url(), json!({ "endpoint": { "caBundle": ca } }))
        .await?;
    env.orders_of_class(&right).await?;
    env.until_status("orders", "Verified", "True", "StoreVerified")
        .await?;
    assert_eq!(env.published_pair().await?, (right.clone(), REGION.into()));
    // The pair, a wrong secret, and the pair again.
    assert_eq!(statuses(&minio, &right), [403, 403, 403]);

    env.source("pair", as_strs(&other_secret(&wrong))).await?;
    let object = env.until_stalled("orders", "SignatureMismatch").await?;
    assert_serves_last_known_good(&object);
    assert_eq!(statuses(&minio, &wrong), [403]);
    assert_eq!(env.published_pair().await?.0, right);
    Ok(())
}

async fn a_store_is_asked_only_if_a_ca_of_the_class_signed_its_certificate(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let start = || StandIn::start_tls_on(loopback, Certificate::Valid, Refusals::minio());
    let ((store, ca), (_, another)) = (start().await?, start().await?);
    let pair = store_pair(1);
    store.accept_pair(&pair, Answer::buckets());
    let env = TestEnv::open(test_cluster).await?;
    for bundle in [json!(another), json!(null)] {
        let spec = json!({ "endpoint": { "caBundle": bundle } });
        env.class(&store.url(), spec).await?;
        env.orders_of_class(&pair).await?;
        let object = env
            .until_reconciling("orders", "EndpointUnreachable")
            .await?;
        assert_holds(&object, "Verified", "Unknown", "EndpointUnreachable");
    }
    env.until_idle().await?;
    assert_eq!((store.count(), env.snapshot(TARGET).await?), (0, None));

    let spec = json!({ "endpoint": { "caBundle": format!("{another}{ca}") } });
    env.class(&store.url(), spec).await?;
    env.until_converged("orders").await?;
    Ok(())
}

async fn a_store_that_answers_alike_to_all_it_denies_proves_only_what_it_lists(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let garage = StandIn::start(Refusals::garage()).await?;
    let (listed, unknown) = (store_pair(1), store_pair(2));
    garage.accept_pair(&listed, Answer::buckets());
    let env = TestEnv::open(test_cluster).await?;
    env.class(&garage.url(), json!({ "region": "garage" }))
        .await?;
    env.orders_of_class(&listed).await?;
    env.until_status("orders", "Verified", "True", "StoreVerified")
        .await?;
    assert_eq!(statuses(&garage, &listed), [200]);
    let before = env.snapshot(TARGET).await?;

    env.source("pair", as_strs(&unknown)).await?;
    let object = env
        .until_reconciling("orders", "EndpointInconclusive")
        .await?;
    assert_serves_last_known_good(&object);
    assert!(message(&object, "Ready").contains("s3:ListAllMyBuckets"));
    assert_eq!(&statuses(&garage, &unknown)[..2], [403, 403]);
    assert_eq!(env.snapshot(TARGET).await?, before);

    garage.accept_pair(&unknown, Answer::buckets());
    env.until_converged("orders").await?;
    assert_eq!(env.published_pair().await?, (unknown, "garage".to_owned()));
    let regions = garage.calls().into_iter().map(|call| call.region);
    assert!(regions.flatten().all(|region| region == "garage"));
    Ok(())
}
