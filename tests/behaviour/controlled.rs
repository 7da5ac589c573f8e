//! The control requests before a rejection of a published pair counts.

use std::sync::Arc;

use anyhow::Result;
use cluster::sts::Answer;

use crate::{
    actions::tests,
    rejected::{beside, refuse, withdraw},
    scene::{PAIR, SECOND, Scene, Stage},
    steps::{TARGET, numbered},
};

tests![a_new_source_overtakes_the_question_about_other_pairs,];

/// STS gives no answer about the other pair until the new pair is published.
async fn a_new_source_overtakes_the_question_about_other_pairs(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, withdraw()).await?;
    beside(&scene).await?;
    refuse(&scene, "orders", PAIR).await?;
    let asked = scene.sts.calls_for(SECOND.0).len();
    scene.sts.answer(SECOND.0, Answer::Hang);
    scene.sts.called(SECOND.0, asked + 1).await;

    let (id, secret) = numbered(0);
    scene.accept((&id, &secret));
    scene.source("pair", (&id, &secret)).await?;
    let published = async || Ok((scene.key_id(TARGET).await? == id).then_some(()));
    scene.until("the new pair is published", published).await?;
    let metrics = scene.get_http("/metrics").await?;
    let ended = metrics
        .lines()
        .filter(|line| line.starts_with("staticawscredentials_control_questions_total{"))
        .filter(|line| !line.ends_with(" 0"));
    assert_eq!(ended.collect::<Vec<_>>(), Vec::<&str>::new());
    Ok(())
}
