//! Several replicas: only the leader writes, and the next leader takes over without another list.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use cluster::proxy::{Fault, Recorded, Verb};
use kube::api::DeleteParams;
use rustix::process::Signal;
use serde_json::json;

use crate::{
    harness::{
        actions::TARGET,
        replica::{LEASE, Replica, holder, leases, pair_of_replicas, rotated},
        test_env::{PAIR, SECOND, TestCluster, TestEnv, get_http},
    },
    suite::tests,
};

tests![
    one_of_two_replicas_has_effects,
    a_leader_that_stops_gives_the_lease_back_and_the_other_lists_nothing,
    a_leader_that_is_killed_in_a_rotation_is_succeeded_and_the_rotation_ends,
    f27_a_leader_that_slept_through_its_lease_changes_nothing_any_more,
    a_leader_that_cannot_reach_the_lease_stops_and_stands_by_afterwards,
    f29_a_lease_that_is_deleted_is_made_again,
    without_rights_on_the_lease_nobody_leads_and_readyz_says_why,
];

async fn one_of_two_replicas_has_effects(test_cluster: Arc<TestCluster>) -> Result<()> {
    let (env, leader, standby) = pair_of_replicas(test_cluster).await?;
    assert!(leader.leads().await? && !standby.leads().await?);
    let writes = |replica: &Replica| replica.work(0).iter().any(|request| request.verb.writes());
    assert!(
        writes(&leader) && !writes(&standby),
        "{:?}",
        standby.work(0)
    );
    assert_eq!(env.sts.calls().len(), 1);
    assert!(holder(&env).await?.is_some());
    Ok(())
}

async fn a_leader_that_stops_gives_the_lease_back_and_the_other_lists_nothing(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let (env, leader, standby) = pair_of_replicas(test_cluster).await?;
    let mark = standby.proxy.mark();
    assert_eq!(leader.stopped(Signal::TERM), Some(0));
    assert!(std::fs::read_to_string(leader.process.log())?.contains("the lease is released"));
    standby.until_it_leads(&env, true).await?;
    let ignored = ["leases", "events"];
    let quiet = || {
        standby
            .proxy
            .quiet_but_for(&ignored, Duration::from_millis(700))
    };
    quiet().await;
    assert!(standby.work(mark).is_empty(), "{:?}", standby.work(mark));
    env.source("pair", SECOND).await?;
    rotated(&env).await?;
    quiet().await;
    let work = standby.work(mark);
    let work = work.iter().filter(|request| request.resource != "events");
    let what: Vec<_> = work.map(|request| (request.verb, request.what())).collect();
    let expected = [
        (Verb::Get, "secrets"),
        (Verb::Get, "secrets"),
        (Verb::Update, "secrets"),
        (Verb::Patch, "staticawscredentials/status"),
    ];
    assert_eq!(what, expected.map(|(verb, what)| (verb, what.to_owned())));
    assert_eq!(env.sts.calls().len(), 2);
    Ok(())
}

async fn a_leader_that_is_killed_in_a_rotation_is_succeeded_and_the_rotation_ends(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let (env, leader, standby) = pair_of_replicas(test_cluster).await?;
    leader.proxy.set_fault(Box::new(|head| match head.verb {
        Verb::Update if head.resource == "secrets" => Fault::Hang,
        _ => Fault::Pass,
    }));
    env.source("pair", SECOND).await?;
    env.until("the leader is about to publish", async || {
        let work = leader.work(0);
        let publishes =
            |request: &Recorded| request.verb == Verb::Update && request.resource == "secrets";
        Ok(work.iter().any(publishes).then_some(()))
    })
    .await?;
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    let mark = standby.proxy.mark();
    leader.stopped(Signal::KILL);
    standby.explained(rotated(&env).await)?;
    assert!(standby.leads().await?);
    assert!(
        standby
            .work(mark)
            .iter()
            .all(|request| !request.asks_for_all())
    );
    assert_eq!(env.sts.calls().len(), 3);
    Ok(())
}

async fn f27_a_leader_that_slept_through_its_lease_changes_nothing_any_more(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let (env, leader, standby) = pair_of_replicas(test_cluster).await?;
    // The event of the first publication may be sent after the sleep, and changes nothing.
    let published = async || {
        let reasons = env.event_reasons("orders").await?;
        Ok(reasons
            .iter()
            .any(|reason| reason == "Published")
            .then_some(()))
    };
    env.until("the first publication has its event", published)
        .await?;
    leader.process.freeze()?;
    let mark = leader.proxy.mark();
    standby.until_it_leads(&env, true).await?;
    env.source("pair", SECOND).await?;
    rotated(&env).await?;
    let before = env.secrets.get(TARGET).await?.metadata.resource_version;

    leader.process.signal(Signal::CONT);
    leader.until_it_leads(&env, false).await?;
    leader
        .proxy
        .quiet_but_for(&["leases"], Duration::from_secs(1))
        .await;
    let wrote = |request: &Recorded| request.verb.writes();
    assert!(
        !leader.work(mark).iter().any(wrote),
        "{:?}",
        leader.work(mark)
    );
    let after = env.secrets.get(TARGET).await?.metadata.resource_version;
    assert_eq!(before, after);
    assert!(standby.leads().await?);
    Ok(())
}

async fn a_leader_that_cannot_reach_the_lease_stops_and_stands_by_afterwards(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let (env, leader, standby) = pair_of_replicas(test_cluster).await?;
    leader
        .proxy
        .set_fault(Box::new(|head| match head.resource.as_str() {
            "leases" => Fault::Hang,
            _ => Fault::Pass,
        }));
    leader.until_it_leads(&env, false).await?;
    assert!(
        !standby.leads().await?,
        "the other began before this one had stopped"
    );
    let mark = leader.proxy.mark();
    env.source("pair", SECOND).await?;
    rotated(&env).await?;
    assert!(leader.work(mark).is_empty(), "{:?}", leader.work(mark));
    assert!(
        get_http(&leader.bind, "/readyz")
            .await?
            .contains("the API server does not answer")
    );

    leader.proxy.clear_fault();
    env.until("the replica is ready again", async || {
        let answer = get_http(&leader.bind, "/readyz").await?;
        Ok(answer.starts_with("HTTP/1.1 200").then_some(()))
    })
    .await?;
    assert!(!leader.leads().await? && standby.leads().await?);
    Ok(())
}

async fn f29_a_lease_that_is_deleted_is_made_again(test_cluster: Arc<TestCluster>) -> Result<()> {
    let (env, leader, standby) = pair_of_replicas(test_cluster).await?;
    let leases = leases(&env);
    let uid = leases.get(LEASE).await?.metadata.uid;
    leases.delete(LEASE, &DeleteParams::default()).await?;
    env.until("there is a new lease", async || {
        let lease = leases.get_opt(LEASE).await?;
        Ok(lease.filter(|lease| lease.metadata.uid != uid).map(drop))
    })
    .await?;
    env.until("one replica leads", async || {
        Ok((leader.leads().await? != standby.leads().await?).then_some(()))
    })
    .await?;
    env.source("pair", SECOND).await?;
    rotated(&env).await?;
    Ok(())
}

async fn without_rights_on_the_lease_nobody_leads_and_readyz_says_why(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    env.flag("--lease-name", "another");
    env.flag("--lease-namespace", &env.namespace.clone());
    env.flags(&["--leader-election"]);
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.launch()?;
    env.until("/readyz names the lease", async || {
        let answer = env.get_http("/readyz").await.unwrap_or_default();
        let words = format!("the lease {}/another fails: ", env.namespace);
        let says = answer.starts_with("HTTP/1.1 503") && answer.contains(&words);
        Ok((says && answer.contains("cannot get resource")).then_some(()))
    })
    .await?;
    assert_eq!(env.sts.calls().len(), 0);
    assert!(env.secrets.get_opt(TARGET).await?.is_none());
    Ok(())
}
