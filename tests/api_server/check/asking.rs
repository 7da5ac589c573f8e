//! Calls to AWS: one call, or repeated calls until the time of `--wait` is over.

use std::sync::Arc;

use anyhow::Result;
use cluster::sts::Answer;

use crate::{
    check::{
        program::check,
        test_cluster::{ACCOUNT, ARN, PAIR, TestCluster, secret, sts},
        verdicts::asking,
    },
    suite::tests,
};

tests![
    without_wait_aws_is_asked_once,
    a_key_that_aws_comes_to_know_is_accepted_within_the_wait,
    an_aws_that_comes_back_is_asked_again_within_the_wait,
    a_key_that_stays_unknown_is_rejected_when_the_wait_is_over,
    what_is_final_is_not_waited_for,
    a11_nothing_in_the_environment_has_a_say,
];

async fn without_wait_aws_is_asked_once(_: Arc<TestCluster>) -> Result<()> {
    for (answer, code) in [(Answer::unknown_key(), 1), (Answer::Throttle, 2)] {
        let sts = sts().await?;
        sts.answer(PAIR.0, answer);
        let run = check(asking(&sts))
            .input(secret(PAIR.0, PAIR.1))
            .run()
            .await?;
        assert_eq!((run.code, sts.calls().len()), (code, 1), "{}", run.output());
        assert_eq!(run.err, "");
    }
    Ok(())
}

fn waiting(sts: &cluster::sts::Sts, wait: &str) -> Vec<String> {
    let wait = ["--wait".to_owned(), wait.to_owned()];
    asking(sts).into_iter().chain(wait).collect()
}

fn verified() -> Answer {
    Answer::Verify {
        secret: PAIR.1.to_owned(),
        identity: cluster::sts::Identity {
            account: ACCOUNT.to_owned(),
            arn: ARN.to_owned(),
            user_id: "AIDAQUAIL".to_owned(),
        },
    }
}

async fn a_key_that_aws_comes_to_know_is_accepted_within_the_wait(
    _: Arc<TestCluster>,
) -> Result<()> {
    let sts = sts().await?;
    sts.answers(
        PAIR.0,
        [Answer::unknown_key(), Answer::unknown_key(), verified()],
    );
    let run = check(waiting(&sts, "60s"))
        .input(secret(PAIR.0, PAIR.1))
        .run()
        .await?;
    assert_eq!((run.code, sts.calls().len()), (0, 3), "{}", run.output());
    assert!(
        run.out.starts_with("accepted: IdentityVerified"),
        "{}",
        run.output()
    );
    assert!(
        run.err.starts_with("Settling: asking again for up to "),
        "{}",
        run.output()
    );
    assert_eq!(run.err.lines().count(), 1);
    Ok(())
}

async fn an_aws_that_comes_back_is_asked_again_within_the_wait(_: Arc<TestCluster>) -> Result<()> {
    let sts = sts().await?;
    sts.answers(PAIR.0, [Answer::Html(503), verified()]);
    let run = check(waiting(&sts, "1m"))
        .input(secret(PAIR.0, PAIR.1))
        .run()
        .await?;
    assert_eq!((run.code, sts.calls().len()), (0, 2), "{}", run.output());
    assert!(
        run.err.starts_with("StsUnavailable: asking again"),
        "{}",
        run.output()
    );
    Ok(())
}

async fn a_key_that_stays_unknown_is_rejected_when_the_wait_is_over(
    _: Arc<TestCluster>,
) -> Result<()> {
    let sts = sts().await?;
    sts.answer(PAIR.0, Answer::unknown_key());
    let run = check(waiting(&sts, "3s"))
        .input(secret(PAIR.0, PAIR.1))
        .run()
        .await?;
    assert_eq!(run.code, 1, "{}", run.output());
    assert!(
        run.out.starts_with("REJECTED: AccessKeyUnknown"),
        "{}",
        run.output()
    );
    assert!(run.out.contains("--wait 60s"), "{}", run.output());
    assert!((2..=4).contains(&sts.calls().len()), "{:?}", sts.calls());

    let run = check(waiting(&sts, "60s"))
        .input(secret(PAIR.0, PAIR.1))
        .run()
        .await?;
    assert_eq!(run.code, 1, "{}", run.output());
    assert!(!run.out.contains("--wait"), "{}", run.output());
    // At most as many calls as the operator makes for a settling key, plus the last one.
    assert!(sts.calls().len() <= 4 + 16, "{}", sts.calls().len());
    Ok(())
}

async fn what_is_final_is_not_waited_for(_: Arc<TestCluster>) -> Result<()> {
    let sts = sts().await?;
    let wrong = "wSecretThatIsNotThatOfTheKeyID+/wSecretT";
    let run = check(waiting(&sts, "10m"))
        .input(secret(PAIR.0, wrong))
        .run()
        .await?;
    assert_eq!((run.code, sts.calls().len()), (1, 1), "{}", run.output());
    let quoted = format!("\"{}\"", PAIR.1);
    let run = check(waiting(&sts, "10m"))
        .input(secret(PAIR.0, &quoted))
        .run()
        .await?;
    assert_eq!((run.code, sts.calls().len()), (1, 1), "{}", run.output());
    Ok(())
}

/// Credentials, profiles, proxies and endpoints in a pipeline's environment, and a variable of the operator.
async fn a11_nothing_in_the_environment_has_a_say(_: Arc<TestCluster>) -> Result<()> {
    let (sts, elsewhere) = (sts().await?, sts().await?);
    let mut program = check(asking(&sts)).input(secret(PAIR.0, PAIR.1));
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", "AKIAOTHERRRRRRRRRRRR"),
        ("AWS_SECRET_ACCESS_KEY", "of-another"),
        ("AWS_SESSION_TOKEN", "of-another"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_PROFILE", "other"),
        ("AWS_ENDPOINT_URL", elsewhere.url().as_str()),
        ("AWS_ENDPOINT_URL_STS", elsewhere.url().as_str()),
        ("HTTP_PROXY", elsewhere.url().as_str()),
        ("http_proxy", elsewhere.url().as_str()),
        ("ALL_PROXY", elsewhere.url().as_str()),
        ("AWSCREDS_STS_ENDPOINT", elsewhere.url().as_str()),
    ] {
        program = program.env(name, value);
    }
    let run = program.run().await?;
    assert_eq!((run.code, sts.calls().len()), (0, 1), "{}", run.output());
    assert!(elsewhere.calls().is_empty());
    Ok(())
}
