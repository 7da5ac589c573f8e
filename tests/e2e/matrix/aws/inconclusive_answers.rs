//! Inconclusive answers of STS.

use std::time::Duration;

use cluster::sts::{Answer, Identity};

use crate::harness::test_env::{ACCOUNT, ARN};

/// Inconclusive answers about a pair, and the reason for each in the status.
pub fn inconclusive_answers() -> Vec<(Answer, &'static str)> {
    let page = |status| Answer::Html(status);
    let skewed = |text| Answer::error(403, "SignatureDoesNotMatch", text);
    let drip = Answer::SlowDrip(of(ACCOUNT, ARN), Duration::from_secs(1));
    vec![
        (Answer::Cut, "StsUnreachable"),
        (Answer::Hang, "StsUnreachable"),
        (drip, "StsUnreachable"),
        (page(500), "StsUnavailable"),
        (
            Answer::error(503, "ServiceUnavailable", "later"),
            "StsUnavailable",
        ),
        (Answer::Throttle, "StsThrottled"),
        (page(429), "StsThrottled"),
        (
            Answer::error(403, "AccessDenied", "by an endpoint policy"),
            "StsAccessDenied",
        ),
        (page(403), "StsAccessDenied"),
        (page(200), "StsUnexpectedResponse"),
        (Answer::Garbage, "StsUnexpectedResponse"),
        (Answer::Huge, "StsUnexpectedResponse"),
        (
            Answer::Redirect("http://127.0.0.1:9/".to_owned()),
            "StsUnexpectedResponse",
        ),
        (
            skewed("Signature expired: 20200101T000000Z is now earlier than 20200101T001000Z"),
            "ClockSkew",
        ),
        (
            skewed(
                "Signature not yet current: 20300101T000000Z is still later than 20200101T000000Z",
            ),
            "ClockSkew",
        ),
    ]
}

fn of(account: &str, arn: &str) -> Identity {
    Identity {
        account: account.to_owned(),
        arn: arn.to_owned(),
        user_id: "AIDAQUAIL".to_owned(),
    }
}
