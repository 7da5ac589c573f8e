//! A restart with another `--credential-process-ttl`.

use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::json;

use crate::{
    actions::{TARGET, assert_costs, tests},
    scene::{PAIR, Scene, Stage},
};

tests![another_ttl_is_written_at_the_start_without_a_question];

async fn another_ttl_is_written_at_the_start_without_a_question(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::before_start(stage).await?;
    let namespace = scene.namespace.clone();
    scene.flag("--credential-process-ttl", "1200");
    scene.start_operator().await?;
    scene.source("pair", PAIR).await?;
    let spec = json!({ "target": { "layouts": ["CredentialProcess"] } });
    scene.resource("orders", "pair", spec).await?;
    scene.until_agreed("orders").await?;
    assert_eq!(written(&scene).await?, (1200, 1));

    for (ttl, writes) in [(1080, 2), (1080, 0)] {
        scene.stop_operator();
        scene.serve(&[&namespace]);
        scene.flag("--credential-process-ttl", &ttl.to_string());
        let mark = scene.proxy.mark();
        scene.start_operator().await?;
        scene
            .until("the target says so", async || {
                let (says, _) = written(&scene).await?;
                Ok((says == ttl).then_some(()))
            })
            .await?;
        scene.until_agreed("orders").await?;
        assert_eq!(written(&scene).await?, (ttl, 1), "no new pair");
        assert_costs(&scene.costs(mark).await?, writes, writes);
    }
    assert_eq!(scene.sts.calls().len(), 1);
    Ok(())
}

/// The TTL in target and status, or 0 if they differ, and the revision.
async fn written(scene: &Scene) -> Result<(i64, i64)> {
    let config = scene.content(TARGET).await?["config-process"].clone();
    let published = scene.published("orders").await?;
    let ttl = published
        .credential_process_ttl_seconds
        .context("no time in the status")?;
    let ends = config.trim_end().ends_with(&format!("--ttl {ttl}"));
    Ok((if ends { ttl } else { 0 }, published.revision))
}
