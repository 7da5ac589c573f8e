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
    excerpt::{columns, ready_in},
    ground::{Ground, PATIENCE},
    manifests::{RESOURCE, SOURCE, TARGET, suffix},
    resource::Seen,
    screen::Screen,
    story::{Stage, seconds, unexpected},
    workload::try_once,
};

/// Step 6: a bad edit.
pub(crate) async fn bad_edit(stage: &Stage, screen: Screen) -> Result<()> {
    screen.step(
        6,
        "A bad edit: a line break gets into the secret access key",
    );
    let (ground, first) = (stage.ground()?, stage.cloud()?.first()?);
    let before = target(ground).await?;
    let bad = KeyPair {
        id: first.id.clone(),
        secret: format!("{}\n", first.secret),
    };
    edit_source(ground, &bad).await?;
    let seen = Seen::until_settled(ground).await?;
    let (reason, message) = seen.why();
    ensure!(
        !seen.is_ready() && reason == "TrailingNewline",
        "the edit is not refused for its line break but: {reason}: {message}"
    );
    let described = ground
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
    let after = target(ground).await?;
    ensure!(
        before.resource_version() == after.resource_version(),
        "the target was written"
    );
    screen.held(&format!(
        "refused; Secret {TARGET} is still at resourceVersion {}",
        after.resource_version().unwrap_or_default()
    ));
    still_reads(stage, screen, suffix(first)).await
}

/// Step 7: a rotation.
pub(crate) async fn rotate(stage: &mut Stage, screen: Screen) -> Result<()> {
    let cloud = stage.cloud.as_mut().context("there is no AWS")?;
    let Some(second) = cloud.second().await? else {
        screen.step(7, "A rotation: left out, since you gave one pair only");
        let (ground, first) = (stage.ground()?, stage.cloud()?.first()?);
        edit_source(ground, first).await?;
        Seen::until_settled(ground).await?.expect_ready(1)?;
        screen.held("the good pair is back in the source, and the resource is ready again");
        return Ok(());
    };
    screen.step(7, "A rotation: the source gets the user's second key pair");
    let ground = stage.ground()?;
    edit_source(ground, &second).await?;
    let seen = Seen::until_settled(ground).await?;
    seen.expect_ready(2)?;
    let key = suffix(&second);
    ensure!(seen.key() == key, "another key was published");
    let args = ["get", "awscreds", RESOURCE, "-o", "wide"];
    let table = ground.shown(screen, &args).await?;
    screen.block(&columns(&table, &["NAME", "READY", "KEY", "VERIFIED"]));
    screen.held("proven, and published as revision 2");
    if let Some(workload) = &stage.workload {
        screen.doing("waiting until the files change (usually 3 s)");
        workload.reads(ground, key).await?;
        let reads = workload.without_refusal(ground)?;
        workload.show_last(ground, screen).await?;
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
pub(crate) async fn deactivate(stage: &Stage, screen: Screen) -> Result<()> {
    let (ground, cloud) = (stage.ground()?, stage.cloud()?);
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
    let outcome = try_once(ground, first, bucket, cloud.endpoint()).await?;
    let Outcome::Refused { code } = outcome else {
        return unexpected("the first key is to be refused", &format!("{outcome:?}"));
    };
    screen.held(&format!(
        "a client that still uses …{} is refused: {code}",
        suffix(first)
    ));
    let seen = Seen::now(ground).await?;
    seen.expect_ready(2)?;
    let key = seen.key().to_owned();
    still_reads(stage, screen, &key).await
}

/// Step 9: the target is deleted and restored.
pub(crate) async fn delete_target(stage: &Stage, screen: Screen) -> Result<()> {
    screen.step(9, "The target is deleted by hand");
    let (ground, cloud) = (stage.ground()?, stage.cloud()?);
    let (before, asked) = (target(ground).await?, cloud.sts_calls().await?);
    let secrets = ground.objects::<Secret>();
    let start = std::time::Instant::now();
    let written = ground.shown(screen, &["delete", "secret", TARGET]).await?;
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
    let mut told = format!("back after {}, byte for byte", seconds(took));
    if let (Some(before), Some(after)) = (asked, cloud.sts_calls().await?) {
        ensure!(before == after, "STS was asked {} times", after - before);
        told.push_str(", and STS was not asked");
    }
    screen.held(&told);
    let seen = Seen::until_settled(ground).await?;
    ensure!(
        seen.is_ready(),
        "the resource is not ready: {:?}",
        seen.why()
    );
    let key = seen.key().to_owned();
    still_reads(stage, screen, &key).await
}

async fn target(ground: &Ground) -> Result<Secret> {
    let target = ground.objects::<Secret>().get(TARGET).await;
    target.context("there is no target")
}

/// Uses the API and not `kubectl`, on whose command line the secret would be visible.
async fn edit_source(ground: &Ground, pair: &KeyPair) -> Result<()> {
    let patch = Patch::Merge(json!({ "stringData": {
        "AWS_ACCESS_KEY_ID": pair.id,
        "AWS_SECRET_ACCESS_KEY": pair.secret,
    }}));
    let (secrets, params) = (ground.objects::<Secret>(), PatchParams::default());
    let patched = secrets.patch(SOURCE, &params, &patch).await;
    patched.context("cannot edit the source")?;
    Ok(())
}

async fn still_reads(stage: &Stage, screen: Screen, key: &str) -> Result<()> {
    let Some(workload) = &stage.workload else {
        return Ok(());
    };
    let ground = stage.ground()?;
    workload.reads(ground, key).await?;
    workload.without_refusal(ground)?;
    workload.show_last(ground, screen).await?;
    screen.held(&format!("{} still reads", workload.name()));
    Ok(())
}
