//! A restart with another `--credential-process-ttl`.

use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::json;

use crate::{
    harness::{
        actions::{TARGET, assert_costs},
        test_env::{PAIR, TestCluster, TestEnv},
    },
    suite::tests,
};

tests![another_ttl_is_written_at_the_start_without_a_question];

async fn another_ttl_is_written_at_the_start_without_a_question(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    let namespace = env.namespace.clone();
    env.flag("--credential-process-ttl", "1200");
    env.start_operator().await?;
    env.source("pair", PAIR).await?;
    let spec = json!({ "target": { "layouts": ["CredentialProcess"] } });
    env.resource("orders", "pair", spec).await?;
    env.until_converged("orders").await?;
    assert_eq!(written(&env).await?, (1200, 1));

    for (ttl, writes) in [(1080, 2), (1080, 0)] {
        env.stop_operator();
        env.serve(&[&namespace]);
        env.flag("--credential-process-ttl", &ttl.to_string());
        let mark = env.proxy.mark();
        env.start_operator().await?;
        env.until("the target says so", async || {
            let (says, _) = written(&env).await?;
            Ok((says == ttl).then_some(()))
        })
        .await?;
        env.until_converged("orders").await?;
        assert_eq!(written(&env).await?, (ttl, 1), "no new pair");
        assert_costs(&env.costs(mark).await?, writes, writes);
    }
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

/// The TTL in target and status, or 0 if they differ, and the revision.
async fn written(env: &TestEnv) -> Result<(i64, i64)> {
    let config = env.content(TARGET).await?["config-process"].clone();
    let published = env.published("orders").await?;
    let ttl = published
        .credential_process_ttl_seconds
        .context("no time in the status")?;
    let ends = config.trim_end().ends_with(&format!("--ttl {ttl}"));
    Ok((if ends { ttl } else { 0 }, published.revision))
}
