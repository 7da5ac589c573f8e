//! Several processes of the operator, with and without a lease.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use cluster::{
    proxy::{Fault, Recorded, Verb},
    sts,
};
use k8s_openapi::api::coordination::v1::Lease;
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    chaos::counts::survived,
    harness::{
        actions::TARGET,
        replica::{LEASE, Replica, holder, leases, pair_of_replicas, rotated},
        test_env::{PAIR, SECOND, TestCluster, TestEnv},
    },
    suite::tests,
};

tests![
    f27_a_target_that_a_frozen_leader_read_and_its_follower_wrote,
    f27_a_status_that_a_frozen_leader_read_and_its_follower_wrote,
    f29_a_lease_that_is_garbage,
    f30_two_replicas_without_a_lease,
    f31_sigterm_while_sts_is_asked_gives_the_lease_back,
];

async fn f27_a_target_that_a_frozen_leader_read_and_its_follower_wrote(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    frozen_before_its_write(test_cluster, Verb::Update, "secrets").await
}

async fn f27_a_status_that_a_frozen_leader_read_and_its_follower_wrote(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    frozen_before_its_write(test_cluster, Verb::Patch, "staticawscredentials").await
}

/// The proxy holds a write of the leader, and the leader is frozen. The write reaches the API server
/// after the follower has published another pair.
async fn frozen_before_its_write(
    test_cluster: Arc<TestCluster>,
    verb: Verb,
    resource: &'static str,
) -> Result<()> {
    let (env, leader, standby) = pair_of_replicas(test_cluster).await?;
    let (free, held) = watch::channel(false);
    leader.proxy.set_fault(Box::new(move |head| {
        if head.verb == verb && head.resource == resource {
            Fault::Hold(held.clone())
        } else {
            Fault::Pass
        }
    }));
    let is_write = |request: &&Recorded| request.verb == verb && request.resource == resource;
    let mark = leader.proxy.mark();
    env.source("pair", SECOND).await?;
    env.until("the leader has sent its write", async || {
        Ok(leader.work(mark).iter().find(is_write).map(|_| ()))
    })
    .await?;
    leader.process.freeze()?;
    standby.until_it_leads(&env, true).await?;
    env.source("pair", PAIR).await?;
    env.until_converged("orders").await?;
    let before = env.secrets.get(TARGET).await?;
    let status = env.resources.get("orders").await?.status;

    free.send_replace(true);
    env.until("the write of the old leader was answered", async || {
        let answered = leader.work(mark);
        let answer = answered.iter().find(is_write).and_then(|it| it.status);
        Ok(answer.inspect(|code| assert_eq!(*code, 409)))
    })
    .await?;
    leader.process.signal(Signal::CONT);
    leader.until_it_leads(&env, false).await?;
    let quiet = Duration::from_secs(1);
    leader.proxy.quiet_but_for(&["leases"], quiet).await;
    // The Event of the first publication may be sent late, and changes nothing.
    let wrote = leader.work(mark).into_iter();
    let wrote = wrote.filter(|it| it.verb.writes() && it.resource != "events");
    let wrote = wrote.filter(|it| it.status.is_some_and(|code| code < 300));
    let wrote: Vec<_> = wrote.map(|it| it.what()).collect();
    // A held status write comes after a completed write of the target.
    let allowed = usize::from(resource != "secrets");
    assert_eq!(wrote.len(), allowed, "{wrote:?}");
    assert_eq!(env.secrets.get(TARGET).await?, before);
    assert_eq!(env.resources.get("orders").await?.status, status);
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], PAIR.0);
    assert!(standby.leads().await?);
    Ok(())
}

/// Leases that the operator would never write.
fn garbage() -> Vec<(&'static str, Value)> {
    let far = "2999-01-01T00:00:00.000000Z";
    vec![
        (
            "nothing in it",
            json!({ "holderIdentity": null, "leaseDurationSeconds": null,
            "acquireTime": null, "renewTime": null, "leaseTransitions": null }),
        ),
        (
            "a holder alone",
            json!({ "holderIdentity": "nobody", "leaseDurationSeconds": null,
            "acquireTime": null, "renewTime": null, "leaseTransitions": null }),
        ),
        (
            "a holder from the future",
            json!({ "holderIdentity": "nobody", "renewTime": far,
            "acquireTime": far, "leaseDurationSeconds": 2_147_483_647, "leaseTransitions": 2_147_483_647 }),
        ),
    ]
}

async fn f29_a_lease_that_is_garbage(test_cluster: Arc<TestCluster>) -> Result<()> {
    let (env, leader, standby) = pair_of_replicas(test_cluster).await?;
    let leases = leases(&env);
    let mut pairs = [SECOND, PAIR].into_iter().cycle();
    let cases = garbage();
    let tried = cases.len() + 1;
    for (what, spec) in cases {
        let patch = Patch::Merge(json!({ "spec": spec }));
        leases.patch(LEASE, &PatchParams::default(), &patch).await?;
        one_leads_and_works(&env, &leader, &standby, pairs.next().unwrap_or(PAIR), what).await?;
    }
    replaced_by_another(&leases).await?;
    one_leads_and_works(
        &env,
        &leader,
        &standby,
        pairs.next().unwrap_or(PAIR),
        "another",
    )
    .await?;
    survived("f29_a_lease_that_is_garbage", tried, "leases");
    Ok(())
}

/// Replaces the lease by one of the same name that was never held.
async fn replaced_by_another(leases: &Api<Lease>) -> Result<()> {
    leases.delete(LEASE, &DeleteParams::default()).await?;
    let other = json!({ "metadata": { "name": LEASE, "labels": { "a": "b" } } });
    let other: Lease = serde_json::from_value(other)?;
    // A replica may have created the lease already.
    let made = leases.create(&PostParams::default(), &other).await;
    assert!(made.is_ok() || matches!(made, Err(kube::Error::Api(status)) if status.code == 409));
    Ok(())
}

async fn one_leads_and_works(
    env: &TestEnv,
    leader: &Replica,
    standby: &Replica,
    pair: (&str, &str),
    what: &str,
) -> Result<()> {
    let foreign = |by: &String| by == "nobody";
    env.until(&format!("one replica leads over {what}"), async || {
        let held = holder(env).await?.is_some_and(|by| !foreign(&by));
        let one = leader.leads().await? != standby.leads().await?;
        Ok((held && one).then_some(()))
    })
    .await?;
    env.source("pair", pair).await?;
    env.until_converged("orders").await?;
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], pair.0);
    Ok(())
}

/// The status without transition times, which each write changes, and without the revision, which
/// each of two writers may increment; and the content of the target.
async fn state(env: &TestEnv) -> Result<Value> {
    let object = env.until_converged("orders").await?;
    let mut status = serde_json::to_value(object.status)?;
    let conditions = status["conditions"].as_array_mut();
    for condition in conditions.into_iter().flatten() {
        condition["lastTransitionTime"] = Value::Null;
    }
    let published = &status["published"];
    let reported = json!([
        status["conditions"],
        status["identity"]["arn"],
        published["keyIdSuffix"],
        env.content(TARGET).await?,
    ]);
    Ok(reported)
}

/// Takes a resource through every kind of change, with this number of replicas, none of which knows
/// of the others.
async fn life(test_cluster: Arc<TestCluster>, replicas: usize) -> Result<Value> {
    let env = TestEnv::before_start(test_cluster).await?;
    let mut running = Vec::new();
    for _ in 0..replicas {
        running.push(Replica::start_with(&env, &[], &[]).await?);
    }
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_converged("orders").await?;
    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;
    let layouts = json!({ "target": { "layouts": ["Env", "Mendix"] } });
    env.change("orders", layouts).await?;
    env.until_converged("orders").await?;
    env.target_is_restored().await?;
    env.source("pair", PAIR).await?;
    env.until_converged("orders").await?;
    for replica in &running {
        let quiet = Duration::from_secs(1);
        replica.proxy.quiet_but_for(&["events"], quiet).await;
    }
    let rest = running.iter().map(|replica| replica.proxy.mark());
    let rest: Vec<_> = rest.collect();
    tokio::time::sleep(Duration::from_secs(3)).await;
    for (replica, mark) in running.iter().zip(rest) {
        let counts = replica.proxy.counts(mark);
        assert_eq!((counts.gets, counts.written()), (0, 0), "{counts:?}");
    }
    state(&env).await
}

async fn f30_two_replicas_without_a_lease(test_cluster: Arc<TestCluster>) -> Result<()> {
    let (alone, together) = tokio::try_join!(
        life(Arc::clone(&test_cluster), 1),
        life(Arc::clone(&test_cluster), 2)
    )?;
    assert_eq!(alone, together);
    Ok(())
}

async fn f31_sigterm_while_sts_is_asked_gives_the_lease_back(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let (env, leader, standby) = pair_of_replicas(test_cluster).await?;
    env.sts.answer(SECOND.0, sts::Answer::Hang);
    env.source("pair", SECOND).await?;
    env.sts.called(SECOND.0, 1).await;
    let me = holder(&env).await?;
    let began = Instant::now();
    leader.process.signal(Signal::TERM);
    assert!(leader.process.wait(Duration::from_secs(5)), "it still runs");
    let took = began.elapsed();
    assert_eq!(leader.process.exit_code(), Some(0));
    assert_ne!(holder(&env).await?, me, "after {took:?}");
    assert!(std::fs::read_to_string(leader.process.log())?.contains("the lease is released"));
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], PAIR.0);

    env.accept(SECOND);
    standby.until_it_leads(&env, true).await?;
    standby.explained(rotated(&env).await)
}
