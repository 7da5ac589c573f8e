//! Many resources, many Secrets, and a wrong clock.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use cluster::{sts::Answer, tools::skewed_by};
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{
    Api,
    api::{DeleteParams, ListParams, ObjectMeta, PostParams},
};
use serde_json::json;
use static_aws_credentials::api::StaticAwsCredentials;

use crate::{
    chaos::{
        abuse_bursts::cluster_for_load,
        counts::survived,
        resident::{LIMIT, MANY, Peak, memory, number_of},
    },
    harness::{
        actions::{TARGET, assert_silent},
        replica::Replica,
        steps::numbered,
        test_env::{PAIR, SECOND, TestCluster, TestEnv, condition},
    },
    report,
    suite::tests,
};

tests![
    f28_a_wall_clock_that_jumps_10_minutes,
    f33_ten_thousand_resources_fit_into_64_mib,
    f34_unrelated_secrets_that_change_500_times_a_second,
];

async fn create_many(env: &TestEnv, numbers: std::ops::Range<usize>) -> Result<()> {
    let create = async |number: usize| {
        let object: StaticAwsCredentials = serde_json::from_value(json!({
            "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
            "metadata": { "name": format!("many-{number:05}") },
            "spec": { "secretRef": { "name": "pair" }, "region": "eu-west-1" },
        }))?;
        let parameters = PostParams::default();
        env.resources.create(&parameters, &object).await?;
        anyhow::Ok(())
    };
    let all = stream::iter(numbers.map(create));
    all.buffer_unordered(16).try_collect::<()>().await
}

/// One by one: a deletion of the whole collection takes longer than the request timeout of the API server.
pub async fn delete_all(env: &TestEnv) -> Result<()> {
    let all = ListParams::default();
    let all = env.resources.list_metadata(&all).await?.items;
    let delete = async |name: String| {
        let none = DeleteParams::default();
        env.resources.delete(&name, &none).await?;
        anyhow::Ok(())
    };
    let names = all.into_iter().filter_map(|it| it.metadata.name);
    let deletions = stream::iter(names.map(delete));
    deletions.buffer_unordered(16).try_collect::<()>().await
}

/// Waits until `count` resources are published. The time limit of [`TestEnv::until`] is meant for a single resource, so
/// it starts again with each further resource.
pub async fn until_published(env: &TestEnv, count: usize) -> Result<()> {
    let mut published = 0;
    while published < count {
        let more = async || {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let now = published_now(env).await?;
            Ok((now > published).then_some(now))
        };
        published = env.until("one more target is published", more).await?;
    }
    env.until_idle().await?;
    Ok(())
}

async fn published_now(env: &TestEnv) -> Result<usize> {
    let objects = env.resources.list(&ListParams::default()).await?.items;
    let ready = objects.iter().filter(|object| {
        condition(object, "Ready").is_some_and(|(_, reason)| reason == "Published")
    });
    Ok(ready.count())
}

/// The quick form extrapolates the memory of 1,000 resources to 10,000; the long form creates all 10,000.
async fn f33_ten_thousand_resources_fit_into_64_mib(test_cluster: Arc<TestCluster>) -> Result<()> {
    let (warm, count) = if report::thorough() {
        (1_000, MANY)
    } else {
        (300, 1_300)
    };
    let mut env = TestEnv::before_start(cluster_for_load(test_cluster).await?).await?;
    env.flag("--log", "warn");
    env.start_operator().await?;
    env.source("pair", PAIR).await?;
    let peak = Peak::of(&env)?;
    create_many(&env, 0..warm).await?;
    until_published(&env, warm).await?;
    let before = memory(env.operator()?.pid())?;
    create_many(&env, warm..count).await?;
    until_published(&env, count).await?;
    let after = memory(env.operator()?.pid())?;
    let most = peak.end();
    assert_eq!(env.sts.calls().len(), 1);

    env.stop_operator();
    env.launch()?;
    let peak = Peak::of(&env)?;
    env.ready().await?;
    env.until_idle().await?;
    let restarted = peak.end();
    let each = (after - before).max(0.0) / number_of(count - warm) * 1024.0;
    let what = format!(
        "resources: {before:.1} MiB with {warm}, {after:.1} with {count}, {most:.1} at most, {restarted:.1} at most after a restart; {each:.1} KiB each"
    );
    let further = number_of(MANY.saturating_sub(count)) * each / 1024.0;
    let limit = LIMIT - further;
    assert!(most <= limit && restarted <= limit, "{count} {what}");
    let test = "f33_ten_thousand_resources_fit_into_64_mib";
    survived(test, count, &what);
    delete_all(&env).await
}

const CHURNED: usize = 50;

async fn f34_unrelated_secrets_that_change_500_times_a_second(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled_with(cluster_for_load(test_cluster).await?, json!({})).await?;
    let span = Duration::from_secs(if report::thorough() { 60 } else { 4 });
    let mark = env.proxy.mark();
    let began = Instant::now();
    let total = 500 * usize::try_from(span.as_secs())?;
    let change = async |number: usize| {
        let due = began + span.mul_f64(number_of(number) / number_of(total));
        tokio::time::sleep_until(due.into()).await;
        churn(&env.secrets, number).await
    };
    let changes = stream::iter((0..total).map(change));
    changes.buffer_unordered(64).try_collect::<()>().await?;
    let took = began.elapsed().as_secs_f64();
    let costs = env.costs(mark).await?;
    assert_silent(&costs);
    assert_eq!((costs.lists, costs.other), (0, 0), "{costs:?}");
    assert_eq!(env.sts.calls().len(), 1);
    // The watch still delivers changes of the source.
    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;
    let what = format!("changes of unrelated Secrets in {took:.1} s");
    let test = "f34_unrelated_secrets_that_change_500_times_a_second";
    survived(test, total, &what);
    Ok(())
}

/// Creates, replaces or deletes one of 50 Secrets, in turn.
async fn churn(secrets: &Api<Secret>, number: usize) -> Result<()> {
    let name = format!("unrelated-{}", number % CHURNED);
    let content = number.to_string().into_bytes();
    let secret = Secret {
        metadata: ObjectMeta {
            name: Some(name.clone()),
            ..ObjectMeta::default()
        },
        data: Some([("turn".to_owned(), ByteString(content))].into()),
        ..Secret::default()
    };
    let parameters = PostParams::default();
    let done = match (number / CHURNED) % 8 {
        0 => secrets.create(&parameters, &secret).await.map(drop),
        7 => {
            let deleted = secrets.delete(&name, &DeleteParams::default()).await;
            deleted.map(drop)
        }
        _ => secrets.replace(&name, &parameters, &secret).await.map(drop),
    };
    match done {
        // Requests for the same name overlap.
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
        done => Ok(done?),
    }
}

/// A clock that libfaketime reads from a file at each call, so that a test can set it while the process runs.
struct Clock(std::path::PathBuf);

impl Clock {
    fn set(&self, seconds: i64) -> Result<()> {
        Ok(std::fs::write(&self.0, format!("{seconds:+}s\n"))?)
    }

    async fn environment(&self) -> Result<Vec<(String, String)>> {
        let skewed = tokio::task::spawn_blocking(|| skewed_by(0)).await??;
        // The variable would take precedence over the file.
        let mut environment: Vec<_> = skewed
            .into_iter()
            .filter(|(name, _)| name != "FAKETIME")
            .collect();
        environment.push((
            "FAKETIME_TIMESTAMP_FILE".to_owned(),
            self.0.display().to_string(),
        ));
        environment.push(("FAKETIME_NO_CACHE".to_owned(), "1".to_owned()));
        Ok(environment)
    }
}

async fn f28_a_wall_clock_that_jumps_10_minutes(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::before_start(test_cluster).await?;
    let directory = env.test_cluster.cluster().directory();
    let clock = Clock(directory.join(format!("{}-clock", env.namespace)));
    clock.set(0)?;
    let flags = ["--leader-election", "--lease-namespace", &env.namespace];
    let replica = Replica::start_with(&env, &flags, &clock.environment().await?).await?;
    replica.until_it_leads(&env, true).await?;
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_converged("orders").await?;
    for (number, jump) in [600, -600].into_iter().enumerate() {
        clock.set(jump)?;
        rests_and_rotates(&env, &replica, [SECOND, PAIR][number]).await?;
        settles_as_long_as_ever(&env, &clock, number, -jump).await?;
        clock.set(0)?;
        rests_and_rotates(&env, &replica, [SECOND, PAIR][number]).await?;
    }
    let test = "f28_a_wall_clock_that_jumps_10_minutes";
    survived(test, 6, "jumps of the wall clock");
    Ok(())
}

/// No verification is brought forward, the replica keeps the lease, and a new pair is published.
async fn rests_and_rotates(env: &TestEnv, replica: &Replica, pair: (&str, &str)) -> Result<()> {
    let (mark, calls) = (replica.proxy.mark(), env.sts.calls().len());
    tokio::time::sleep(Duration::from_secs(3)).await;
    let work = replica.work(mark);
    assert!(work.is_empty(), "{work:?}");
    assert_eq!(env.sts.calls().len(), calls);
    assert!(replica.leads().await?);
    env.source("pair", pair).await?;
    let object = env.until_converged("orders").await?;
    assert!(condition(&object, "Stalled").is_none());
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], pair.0);
    Ok(())
}

/// Setting the clock does not shorten the time for which AWS is asked about a pair that it does not know yet.
async fn settles_as_long_as_ever(
    env: &TestEnv,
    clock: &Clock,
    number: usize,
    jump: i64,
) -> Result<()> {
    let (id, secret) = numbered(number);
    env.sts.answer(&id, Answer::unknown_key());
    env.source("pair", (&id, &secret)).await?;
    env.until_reconciling("orders", "Settling").await?;
    clock.set(jump)?;
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let object = env.resources.get("orders").await?;
        let awaited = condition(&object, "Reconciling").map(|(_, reason)| reason);
        assert_eq!(awaited.as_deref(), Some("Settling"), "{object:#?}");
    }
    env.accept((&id, &secret));
    env.until_converged("orders").await?;
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], id);
    Ok(())
}
