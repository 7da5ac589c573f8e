//! The control requests before a rejection of a published pair counts.

use std::sync::Arc;

use anyhow::Result;
use cluster::sts::Answer;

use crate::{
    harness::{
        steps::{TARGET, numbered},
        test_env::{PAIR, SECOND, TestCluster, TestEnv},
    },
    matrix::rejected::{beside, refuse, withdraw},
    suite::tests,
};

tests![a_new_source_overtakes_the_question_about_other_pairs,];

/// STS gives no answer about the other pair until the new pair is published.
async fn a_new_source_overtakes_the_question_about_other_pairs(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, withdraw()).await?;
    beside(&env).await?;
    refuse(&env, "orders", PAIR).await?;
    let asked = env.sts.calls_for(SECOND.0).len();
    env.sts.answer(SECOND.0, Answer::Hang);
    env.sts.called(SECOND.0, asked + 1).await;

    let (id, secret) = numbered(0);
    env.accept((&id, &secret));
    env.source("pair", (&id, &secret)).await?;
    let published = async || Ok((env.key_id(TARGET).await? == id).then_some(()));
    env.until("the new pair is published", published).await?;
    let metrics = env.get_http("/metrics").await?;
    let ended = metrics
        .lines()
        .filter(|line| line.starts_with("staticawscredentials_control_questions_total{"))
        .filter(|line| !line.ends_with(" 0"));
    assert_eq!(ended.collect::<Vec<_>>(), Vec::<&str>::new());
    Ok(())
}
