//! A published pair that AWS rejects.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use cluster::{
    proxy::{Fault, Verb},
    sts::Answer,
};
use futures::FutureExt;
use serde_json::{Value, json};

use crate::{
    scene::{PAIR, SECOND, Scene, Stage, Test, condition, message},
    steps::{ANSWER_STANDS, TARGET, assert_holds},
};

const ELSEWHERE: &str = "eu-central-1";

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        (
            "a_published_pair_that_is_refused_counts_after_a_second_answer_and_stays",
            |stage| kept(stage).boxed_local(),
        ),
        (
            "a_published_pair_that_is_refused_once_stays_ready",
            |stage| refused_once(stage).boxed_local(),
        ),
        (
            "a_refused_pair_is_withdrawn_and_not_restored_until_aws_accepts_it",
            |stage| withdrawn(stage).boxed_local(),
        ),
        (
            "a_withdrawal_spares_a_secret_that_took_the_place_of_the_target",
            |stage| spared(stage).boxed_local(),
        ),
        (
            "a_refused_new_pair_does_not_withdraw_the_published_one",
            |stage| not_withdrawn(stage).boxed_local(),
        ),
        (
            "published_pairs_of_several_accounts_that_are_refused_at_once_stay_ready",
            |stage| mass(stage).boxed_local(),
        ),
        (
            "a_refused_pair_that_no_other_can_be_compared_with_is_not_withdrawn",
            |stage| alone(stage).boxed_local(),
        ),
    ]
}

/// From now on AWS does not know the pair. The change of the region causes a call to STS.
pub async fn refuse(scene: &Scene, name: &str, pair: (&str, &str)) -> Result<()> {
    scene.forget(pair);
    scene.change(name, json!({ "region": ELSEWHERE })).await?;
    scene.until_doubted(name, "RejectionUnconfirmed").await?;
    Ok(())
}

pub fn withdraw() -> Value {
    json!({ "validation": { "onRejected": "Withdraw" } })
}

/// `bills` publishes a pair of another account, which AWS accepts.
pub async fn beside(scene: &Scene) -> Result<()> {
    accept_other(scene);
    scene.source("other-pair", SECOND).await?;
    scene.resource("bills", "other-pair", withdraw()).await?;
    scene.until_ready("bills").await?;
    scene.until_idle().await?;
    Ok(())
}

fn accept_other(scene: &Scene) {
    let (account, arn) = ("210987654321", "arn:aws:iam::210987654321:user/bills");
    let sts = &scene.sts;
    sts.accept_pair(SECOND.0, SECOND.1, account, arn, "AIDAOTHER");
}

async fn alone(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, withdraw()).await?;
    let before = scene.snapshot(TARGET).await?;
    scene.forget(PAIR);
    scene.touch("pair").await?;
    scene
        .change("orders", json!({ "region": ELSEWHERE }))
        .await?;
    let object = scene.until_stalled("orders", "AccessKeyUnknown").await?;
    assert_holds(&object, "Published", "True", "Published");
    assert!(message(&object, "Verified").contains("the target is kept"));
    let uid = |secret: Option<k8s_openapi::api::core::v1::Secret>| secret?.metadata.uid;
    assert_eq!(uid(scene.snapshot(TARGET).await?), uid(before));
    let metrics = scene.get_http("/metrics").await?;
    let none = r#"staticawscredentials_control_questions_total{result="no_pair"} 1"#;
    assert!(metrics.contains(none), "{metrics}");
    Ok(())
}

async fn kept(stage: Arc<Stage>) -> Result<()> {
    let mut scene = Scene::open_published(stage, json!({})).await?;
    refuse(&scene, "orders", PAIR).await?;
    let before = scene.snapshot(TARGET).await?;
    scene.until_idle().await?;
    let mark = scene.proxy.mark();
    let object = scene.until_stalled("orders", "AccessKeyUnknown").await?;
    assert_holds(&object, "Verified", "False", "AccessKeyUnknown");
    assert_holds(&object, "Published", "True", "Published");
    let calls = scene.sts.calls_for(PAIR.0);
    let regions: Vec<&str> = calls.iter().map(|call| call.region.as_str()).collect();
    assert_eq!(regions, ["eu-west-1", ELSEWHERE, ELSEWHERE]);
    let apart = calls[2].at - calls[1].at;
    assert!(
        apart > Duration::from_secs(58),
        "two answers {apart:?} apart"
    );
    let costs = scene.costs(mark).await?;
    assert_eq!(costs.written(), 1, "{costs:?}");
    assert_eq!(scene.snapshot(TARGET).await?, before);

    // An unreachable AWS does not end a rejection.
    let refused = scene.witness.history("orders").await?.len();
    for restart in [false, true] {
        tokio::time::sleep(ANSWER_STANDS).await;
        scene.sts.answer(PAIR.0, Answer::Cut);
        if restart {
            scene.stop_operator();
        }
        let calls = scene.sts.calls().len();
        scene.touch("pair").await?;
        if restart {
            scene.start_operator().await?;
        }
        scene.until_spoken_of("orders").await?;
        assert!(scene.sts.calls().len() > calls);
        for version in &scene.witness.history("orders").await?[refused..] {
            let ready = condition(version, "Ready").map(|(status, _)| status);
            assert_eq!(ready.as_deref(), Some("False"), "restart: {restart}");
        }
        assert_eq!(scene.snapshot(TARGET).await?, before);
    }

    scene.accept(PAIR);
    scene.touch("pair").await?;
    let object = scene.until_ready("orders").await?;
    assert_eq!(object.status.context("no status")?.settling, None);
    assert_eq!(scene.snapshot(TARGET).await?, before);
    Ok(())
}

async fn refused_once(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, withdraw()).await?;
    refuse(&scene, "orders", PAIR).await?;
    let before = scene.snapshot(TARGET).await?;
    scene.accept(PAIR);
    let object = scene
        .until_status("orders", "Verified", "True", "IdentityVerified")
        .await?;
    assert_eq!(object.status.context("no status")?.settling, None);
    assert_eq!(scene.sts.calls_for(PAIR.0).len(), 3);
    assert_eq!(scene.snapshot(TARGET).await?, before);
    for version in scene.witness.history("orders").await? {
        assert_eq!(condition(&version, "Stalled"), None);
    }
    Ok(())
}

async fn withdrawn(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, withdraw()).await?;
    beside(&scene).await?;
    refuse(&scene, "orders", PAIR).await?;
    scene.until_idle().await?;
    let mark = scene.proxy.mark();
    let object = scene.until_stalled("orders", "AccessKeyUnknown").await?;
    assert_holds(&object, "Published", "False", "Withdrawn");
    let status = object.status.context("no status")?;
    assert_eq!((status.published, status.binding), (None, None));
    assert_eq!(scene.snapshot(TARGET).await?, None);
    let costs = scene.costs(mark).await?;
    assert_eq!(costs.written(), 2, "{costs:?}");

    // The pair is still rejected, so nothing restores the target.
    scene.touch("pair").await?;
    let object = scene.until_stalled("orders", "AccessKeyUnknown").await?;
    assert_holds(&object, "Published", "False", "Withdrawn");
    scene
        .change("orders", json!({ "target": { "layouts": ["Env"] } }))
        .await?;
    scene.until_stalled("orders", "AccessKeyUnknown").await?;
    scene.until_idle().await?;
    assert_eq!(scene.snapshot(TARGET).await?, None);

    scene.accept_again(PAIR).await;
    scene.touch("pair").await?;
    let object = scene.until_ready("orders").await?;
    assert_eq!(scene.key_id(TARGET).await?, PAIR.0);
    let status = object.status.context("no status")?;
    assert_eq!(status.binding.context("no binding")?.name, TARGET);
    Ok(())
}

async fn spared(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, withdraw()).await?;
    beside(&scene).await?;
    refuse(&scene, "orders", PAIR).await?;
    let met = Arc::new(tokio::sync::Notify::new());
    let meeting = Arc::clone(&met);
    scene.proxy.set_fault(Box::new(move |head| {
        if head.verb == Verb::Delete && head.resource == "secrets" {
            meeting.notify_one();
            return Fault::Delay(Duration::from_secs(5));
        }
        Fault::Pass
    }));
    tokio::time::timeout(Duration::from_secs(150), met.notified())
        .await
        .context("the target was not about to be withdrawn")?;
    scene.delete_secret(TARGET).await?;
    let foreign = scene.secret(TARGET, &[("of", b"somebody else")]).await?;
    scene.until_stalled("orders", "AccessKeyUnknown").await?;
    scene.until_idle().await?;
    assert_eq!(scene.snapshot(TARGET).await?, Some(foreign));
    Ok(())
}

async fn not_withdrawn(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, withdraw()).await?;
    let before = scene.snapshot(TARGET).await?;
    scene.forget(SECOND);
    scene.source("pair", SECOND).await?;
    let object = scene.until_stalled("orders", "AccessKeyUnknown").await?;
    assert_holds(&object, "Published", "True", "ServingLastKnownGood");
    scene.source("pair", (PAIR.0, SECOND.1)).await?;
    scene.until_stalled("orders", "SignatureMismatch").await?;
    scene.until_idle().await?;
    assert_eq!(scene.snapshot(TARGET).await?, before);
    Ok(())
}

async fn mass(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::open_published(stage, withdraw()).await?;
    beside(&scene).await?;
    refuse(&scene, "orders", PAIR).await?;
    refuse(&scene, "bills", SECOND).await?;
    let before = [
        scene.snapshot(TARGET).await?,
        scene.snapshot("bills-credentials").await?,
    ];
    for name in ["orders", "bills"] {
        scene.until_doubted(name, "MassRejection").await?;
    }
    scene.until_idle().await?;
    let after = [
        scene.snapshot(TARGET).await?,
        scene.snapshot("bills-credentials").await?,
    ];
    assert_eq!(after, before);
    let metrics = scene.get_http("/metrics").await?;
    let counted = metrics.lines().any(|line| {
        !line.starts_with('#') && line.contains("mass_rejection") && !line.ends_with(" 0")
    });
    assert!(counted, "no metric says so: {metrics}");

    scene.accept(PAIR);
    accept_other(&scene);
    for (name, source) in [("orders", "pair"), ("bills", "other-pair")] {
        scene.touch(source).await?;
        scene
            .until_status(name, "Verified", "True", "IdentityVerified")
            .await?;
        for version in scene.witness.history(name).await? {
            assert_eq!(condition(&version, "Stalled"), None);
        }
    }
    Ok(())
}
