//! The steps with changes, good and bad, while the consumer continues to read.

use anyhow::{Context, Result, ensure};
use cluster::{moto::KeyPair, s3client::Outcome};
use k8s_openapi::api::core::v1::Secret;
use kube::{
    ResourceExt,
    api::{Patch, PatchParams},
    runtime::wait::await_condition,
};
use serde_json::json;
use tokio::time::timeout;

use crate::{
    demo_cluster::{DemoCluster, PATIENCE},
    excerpt::{columns, ready_in},
    manifests::{RESOURCE, SOURCE, TARGET, suffix},
    resource::Seen,
    screen::Screen,
    steps::{Demo, seconds, unexpected},
    workload::try_once,
};

/// Step 6: a bad edit.
pub(crate) async fn bad_edit(demo: &Demo, screen: Screen) -> Result<()> {
    screen.step(
        6,
        "A bad edit: a line break gets into the secret access key",
    );
    let (demo_cluster, first) = (demo.cluster()?, demo.cloud()?.first()?);
    let before = target(demo_cluster).await?;
    let bad = KeyPair {
        id: first.id.clone(),
        secret: format!("{}\n", first.secret),
    };
    edit_source(demo_cluster, &bad).await?;
    let seen = Seen::until_settled(demo_cluster).await?;
    let (reason, message) = seen.why();
    ensure!(
        !seen.is_ready() && reason == "TrailingNewline",
        "the edit is not refused for its line break but: {reason}: {message}"
    );
    let described = demo_cluster
        .shown(screen, &["describe", "awscreds", RESOURCE])
        .await?;
    let shown = ready_in(&described).context("kubectl describe shows no condition Ready")?;
    screen.block(&shown);
    for pair in [first, &bad] {
        ensure!(
            !described.contains(pair.secret.trim()),
            "the secret is shown"
        );
    }
    let after = target(demo_cluster).await?;
    ensure!(
        before.resource_version() == after.resource_version(),
        "the target was written"
    );
    screen.held(&format!(
        "refused; Secret {TARGET} is still at resourceVersion {}",
        after.resource_version().unwrap_or_default()
    ));
    still_reads(demo, screen, suffix(first)).await
}

/// Step 7: a rotation.
pub(crate) async fn rotate(demo: &mut Demo, screen: Screen) -> Result<()> {
    let cloud = demo.cloud.as_mut().context("there is no AWS")?;
    let Some(second) = cloud.second().await? else {
        screen.step(7, "A rotation: left out, since you gave one pair only");
        let (demo_cluster, first) = (demo.cluster()?, demo.cloud()?.first()?);
        edit_source(demo_cluster, first).await?;
        Seen::until_settled(demo_cluster).await?.expect_ready(1)?;
        screen.held("the good pair is back in the source, and the resource is ready again");
        return Ok(());
    };
    screen.step(7, "A rotation: the source gets the user's second key pair");
    let demo_cluster = demo.cluster()?;
    edit_source(demo_cluster, &second).await?;
    let seen = Seen::until_settled(demo_cluster).await?;
    seen.expect_ready(2)?;
    let key = suffix(&second);
    ensure!(seen.key() == key, "another key was published");
    let args = ["get", "awscreds", RESOURCE, "-o", "wide"];
    let table = demo_cluster.shown(screen, &args).await?;
    screen.block(&columns(&table, &["NAME", "READY", "KEY", "VERIFIED"]));
    screen.held("proven, and published as revision 2");
    if let Some(workload) = &demo.workload {
        screen.doing("waiting until the files change (usually 3 s)");
        workload.reads(demo_cluster, key).await?;
        let reads = workload.without_refusal(demo_cluster)?;
        workload.show_last(demo_cluster, screen).await?;
        screen.held(&format!(
            "{} reads with the new key; none of its {reads} reads so far was refused",
            workload.name()
        ));
        screen.note(
            "it makes a new configuration for each read: an SDK client reads the file once, so one that \
             lives long has to be restarted, or built anew, after a rotation",
        );
    }
    Ok(())
}

/// Step 8: the first key is deactivated.
pub(crate) async fn deactivate(demo: &Demo, screen: Screen) -> Result<()> {
    let (demo_cluster, cloud) = (demo.cluster()?, demo.cloud()?);
    if cloud.moto().is_none() {
        screen.step(
            8,
            "The first key is deactivated: left out, since no key of yours is touched",
        );
        return Ok(());
    }
    screen.step(8, "The first key is deactivated in IAM");
    cloud.deactivate_first().await?;
    let (first, bucket) = (cloud.first()?, cloud.bucket().context("no bucket")?);
    let outcome = try_once(demo_cluster, first, bucket, cloud.endpoint()).await?;
    let Outcome::Refused { code } = outcome else {
        return unexpected("the first key is to be refused", &format!("{outcome:?}"));
    };
    screen.held(&format!(
        "a client that still uses …{} is refused: {code}",
        suffix(first)
    ));
    let seen = Seen::now(demo_cluster).await?;
    seen.expect_ready(2)?;
    let key = seen.key().to_owned();
    still_reads(demo, screen, &key).await
}

/// Step 9: the target is deleted and restored.
pub(crate) async fn delete_target(demo: &Demo, screen: Screen) -> Result<()> {
    screen.step(9, "The target is deleted by hand");
    let (demo_cluster, cloud) = (demo.cluster()?, demo.cloud()?);
    let (before, asked) = (target(demo_cluster).await?, cloud.sts_calls().await?);
    let secrets = demo_cluster.objects::<Secret>();
    let start = std::time::Instant::now();
    let written = demo_cluster
        .shown(screen, &["delete", "secret", TARGET])
        .await?;
    screen.block(&written);
    let uid = before.uid();
    let restored = |secret: Option<&Secret>| secret.is_some_and(|secret| secret.uid() != uid);
    let restored = await_condition(secrets, TARGET, restored);
    let after = timeout(PATIENCE, restored)
        .await
        .context("the target does not come back")??
        .context("the target is gone")?;
    let took = start.elapsed();
    ensure!(before.data == after.data, "the target holds something else");
    let mut text = format!("back after {}, byte for byte", seconds(took));
    if let (Some(before), Some(after)) = (asked, cloud.sts_calls().await?) {
        ensure!(before == after, "STS was asked {} times", after - before);
        text.push_str(", and STS was not asked");
    }
    screen.held(&text);
    let seen = Seen::until_settled(demo_cluster).await?;
    ensure!(
        seen.is_ready(),
        "the resource is not ready: {:?}",
        seen.why()
    );
    let key = seen.key().to_owned();
    still_reads(demo, screen, &key).await
}

async fn target(demo_cluster: &DemoCluster) -> Result<Secret> {
    let target = demo_cluster.objects::<Secret>().get(TARGET).await;
    target.context("there is no target")
}

/// Uses the API and not `kubectl`, on whose command line the secret would be visible.
async fn edit_source(demo_cluster: &DemoCluster, pair: &KeyPair) -> Result<()> {
    let patch = Patch::Merge(json!({ "stringData": {
        "AWS_ACCESS_KEY_ID": pair.id,
        "AWS_SECRET_ACCESS_KEY": pair.secret,
    }}));
    let (secrets, params) = (demo_cluster.objects::<Secret>(), PatchParams::default());
    let patched = secrets.patch(SOURCE, &params, &patch).await;
    patched.context("cannot edit the source")?;
    Ok(())
}

async fn still_reads(demo: &Demo, screen: Screen, key: &str) -> Result<()> {
    let Some(workload) = &demo.workload else {
        return Ok(());
    };
    let demo_cluster = demo.cluster()?;
    workload.reads(demo_cluster, key).await?;
    workload.without_refusal(demo_cluster)?;
    workload.show_last(demo_cluster, screen).await?;
    screen.held(&format!("{} still reads", workload.name()));
    Ok(())
}
