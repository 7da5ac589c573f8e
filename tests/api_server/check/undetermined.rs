//! An answer without information about the pair neither rejects nor verifies the pair.

use std::sync::Arc;

use anyhow::Result;
use cluster::sts::{Answer, Sts};

use crate::{
    check::{
        program::check,
        test_cluster::{ACCOUNT, ARN, PAIR, TestCluster, secret, sts},
        verdicts::{asking, with},
    },
    suite::tests,
};

tests![
    what_says_nothing_is_undetermined,
    a_certificate_that_is_not_trusted_is_undetermined,
];

async fn what_says_nothing_is_undetermined(_: Arc<TestCluster>) -> Result<()> {
    let skew = "Signature expired: 20261123T070000Z is now earlier than 20261123T071000Z";
    let identity = Answer::error(403, "SignatureDoesNotMatch", skew);
    let scope = "Credential should be scoped to a valid region, not 'eu-west-1'. ";
    let cases = [
        (
            Answer::Throttle,
            "StsThrottled",
            "asks to slow down; try again",
        ),
        (Answer::Html(503), "StsUnavailable", "fails; try again"),
        (
            Answer::Cut,
            "StsUnreachable",
            "cannot be reached; check DNS, egress and TLS between this machine and STS; no proxy is used, since --sts-proxy names none or the endpoint is a loopback address; try again",
        ),
        (
            identity,
            "ClockSkew",
            "says that the request's time is wrong; set the clock of this machine",
        ),
        (
            Answer::error(403, "SignatureDoesNotMatch", scope),
            "StsRegionMismatch",
            "was not asked: the endpoint that --sts-endpoint names serves another region; write {region} in its host, or choose the region of the endpoint as --region; try again",
        ),
        (
            Answer::Html(403),
            "StsAccessDenied",
            "was refused on the way, by an endpoint policy or a proxy; let sts:GetCallerIdentity through",
        ),
        (
            Answer::Garbage,
            "StsUnexpectedResponse",
            "gave an answer that is not one of STS; check what stands between this machine and STS; try again",
        ),
        (
            Answer::Redirect("https://sts.example.com/".to_owned()),
            "StsUnexpectedResponse",
            "gave an answer that is not one of STS; check what stands between this machine and STS; try again",
        ),
        (
            Answer::error(403, "RegionDisabledException", "STS is not activated"),
            "RegionDisabled",
            "is switched off for the account; activate STS there in the account settings or choose another --region",
        ),
        (
            Answer::error(403, "OptInRequired", "subscribe"),
            "OptInRequired",
            "needs a subscription of the account; enable the region or choose another --region",
        ),
    ];
    for (answer, reason, message) in cases {
        let sts = sts().await?;
        sts.answer(PAIR.0, answer);
        let text = format!(
            "undetermined: {reason}, Secret orders-key-pair
  AWS STS in eu-west-1 {message}
  key ID   …L2A3
  region   eu-west-1
"
        );
        check(asking(&sts))
            .input(secret(PAIR.0, PAIR.1))
            .prints(2, &text)
            .await?;
    }
    Ok(())
}

async fn a_certificate_that_is_not_trusted_is_undetermined(_: Arc<TestCluster>) -> Result<()> {
    let (sts, ca) = Sts::start_tls().await?;
    sts.accept_pair(PAIR.0, PAIR.1, ACCOUNT, ARN, "AIDAQUAIL");
    let run = check(asking(&sts))
        .input(secret(PAIR.0, PAIR.1))
        .run()
        .await?;
    assert_eq!(run.code, 2, "{}", run.output());
    assert!(run.out.contains("StsUnreachable"), "{}", run.output());
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), ca)?;
    let path = file.path().display().to_string();
    let run = check(with(asking(&sts), &["--sts-ca-file", &path])).input(secret(PAIR.0, PAIR.1));
    let run = run.run().await?;
    assert_eq!(run.code, 0, "{}", run.output());
    Ok(())
}
