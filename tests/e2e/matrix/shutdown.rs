//! The end of the process: SIGTERM, at once and without loss.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use cluster::{proxy::Fault, sts};
use rustix::process::Signal;
use serde_json::json;

use crate::{
    harness::{
        actions::TARGET,
        test_env::{PAIR, TestCluster, TestEnv},
    },
    suite::tests,
};

tests![
    sigterm_ends_an_idle_process_with_success_at_once,
    f31_sigterm_ends_a_process_whose_question_to_sts_hangs,
    sigterm_ends_a_process_that_has_not_listed_anything_yet,
    sigterm_loses_no_event_of_the_last_runs,
];

/// Sends SIGTERM, and returns the exit code and the time to the end.
async fn terminate(env: &TestEnv) -> Result<(Option<i32>, Duration)> {
    let began = Instant::now();
    env.operator()?.signal(Signal::TERM);
    env.until("the operator has ended", async || {
        Ok((!env.operator()?.is_running()).then_some(()))
    })
    .await?;
    Ok((env.operator()?.exit_code(), began.elapsed()))
}

async fn sigterm_ends_an_idle_process_with_success_at_once(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled(test_cluster).await?;
    let (code, took) = terminate(&env).await?;
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(3), "{took:?}");
    Ok(())
}

async fn f31_sigterm_ends_a_process_whose_question_to_sts_hangs(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    env.sts.answer(PAIR.0, sts::Answer::Hang);
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.sts.called(PAIR.0, 1).await;
    let (code, took) = terminate(&env).await?;
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(env.secrets.get_opt(TARGET).await?.is_none());
    Ok(())
}

async fn sigterm_ends_a_process_that_has_not_listed_anything_yet(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    env.proxy.set_fault(Box::new(|_| Fault::Hang));
    env.launch()?;
    env.until_unready("waiting for the list").await?;
    let (code, took) = terminate(&env).await?;
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(5), "{took:?}");
    Ok(())
}

/// The second event waits behind the first, which the API server delays.
async fn sigterm_loses_no_event_of_the_last_runs(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    env.proxy.set_fault(Box::new(|head| match &*head.resource {
        "events" => Fault::Delay(Duration::from_millis(500)),
        _ => Fault::Pass,
    }));
    env.source("pair", PAIR).await?;
    let names = ["orders", "billing"];
    for name in names {
        env.resource(name, "pair", json!({})).await?;
    }
    for name in names {
        env.until_converged(name).await?;
    }
    let (code, _) = terminate(&env).await?;
    assert_eq!(code, Some(0));
    for name in names {
        let reasons = env.event_reasons(name).await?;
        assert!(
            reasons.contains(&"Published".to_owned()),
            "{name}: {reasons:?}"
        );
    }
    Ok(())
}
