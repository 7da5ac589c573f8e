//! Answers of STS, or of something in its place, and the reason that each leads to.

use std::time::Duration;

use cluster::sts::{Answer, Identity};

use crate::harness::test_env::{ACCOUNT, ARN};

/// An answer.
pub struct Row {
    /// Its description.
    pub what: &'static str,
    /// The answer itself.
    pub answer: Answer,
    /// The reason why a new pair is not published.
    pub reason: &'static str,
    /// The reason in `Verified` for a published pair that is verified again, before a rejection is confirmed.
    pub doubt: &'static str,
    /// Whether the pair stays rejected until it is replaced.
    pub is_final: bool,
}

fn row(what: &'static str, answer: Answer, reason: &'static str) -> Row {
    Row {
        what,
        answer,
        reason,
        doubt: reason,
        is_final: false,
    }
}

/// Answers of AWS in its own words: the rows of the verdict table except for the acceptance.
pub fn answers() -> Vec<Row> {
    let error = |status, code| Answer::error(status, code, "in other words");
    let skewed = "Signature not yet current: 20300101T000000Z is still later than 20200101T000000Z";
    let refused = |what, answer, reason| Row {
        what,
        answer,
        reason,
        doubt: "RejectionUnconfirmed",
        is_final: reason != "Settling",
    };
    vec![
        refused("unknown key", Answer::unknown_key(), "Settling"),
        Row {
            // IAM never changes the secret of a key, so this mismatch of a verified pair means an altered request.
            doubt: "StsRequestAltered",
            ..refused(
                "wrong secret",
                error(403, "SignatureDoesNotMatch"),
                "SignatureMismatch",
            )
        },
        refused("expired", error(400, "ExpiredToken"), "CredentialsExpired"),
        row(
            "skew",
            Answer::error(403, "SignatureDoesNotMatch", skewed),
            "ClockSkew",
        ),
        row(
            "region disabled",
            error(403, "RegionDisabledException"),
            "RegionDisabled",
        ),
        row("opt-in", error(403, "OptInRequired"), "OptInRequired"),
        row("denied", error(403, "AccessDenied"), "StsAccessDenied"),
        row(
            "a code that nobody knows",
            error(400, "Surprise"),
            "StsUnexpectedResponse",
        ),
        row("throttled with 400", Answer::Throttle, "StsThrottled"),
        row("throttled with 429", Answer::Html(429), "StsThrottled"),
        row("throttled with 503", error(503, "SlowDown"), "StsThrottled"),
    ]
}

/// Everything else that a network does. The endpoint is at fault then, not the pair.
pub fn outages() -> Vec<Row> {
    let mut rows = failures();
    rows.extend(pages());
    rows
}

fn failures() -> Vec<Row> {
    let error = |status, code| Answer::error(status, code, "in other words");
    vec![
        row("500", error(500, "InternalFailure"), "StsUnavailable"),
        row("503", error(503, "ServiceUnavailable"), "StsUnavailable"),
        row(
            "a refusal with 500",
            error(500, "InvalidClientTokenId"),
            "StsUnavailable",
        ),
        row(
            "a refusal with 200",
            error(200, "InvalidClientTokenId"),
            "StsUnexpectedResponse",
        ),
    ]
}

/// Answers that do not come from AWS.
fn pages() -> Vec<Row> {
    const UNEXPECTED: &str = "StsUnexpectedResponse";
    let whole = success(&format!(
        "<Arn>{ARN}</Arn><UserId>A</UserId><Account>{ACCOUNT}</Account>"
    ));
    let bomb = format!(
        "<!DOCTYPE a [<!ENTITY a \"{}\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>{whole}",
        "a".repeat(1000)
    );
    let deep = format!("{}{whole}", "<a>".repeat(15_000));
    let attributes = format!("<a b=\"{}\">{whole}</a>", "c".repeat(50_000));
    let twice = success(&format!(
        "<Arn>{ARN}</Arn><Account>{ACCOUNT}</Account><Account>210987654321</Account>"
    ));
    let foreign = success(&format!("<Arn>{ARN}</Arn><Account>210987654321</Account>"));
    let compressed = |encoding| Answer::Custom {
        status: 200,
        headers: vec![("content-encoding".to_owned(), String::from(encoding))],
        body: [vec![0x1f, 0x8b, 8, 0], vec![0; 60_000]].concat(),
    };
    let identity = Identity {
        account: ACCOUNT.to_owned(),
        arn: ARN.to_owned(),
        user_id: "AIDAQUAIL".to_owned(),
    };
    vec![
        row("cut", Answer::Cut, "StsUnreachable"),
        row("silence", Answer::Hang, "StsUnreachable"),
        row(
            "a byte a second",
            Answer::SlowDrip(identity, Duration::from_secs(1)),
            "StsUnreachable",
        ),
        row("a body without end", Answer::Huge, UNEXPECTED),
        row("compressed", compressed("gzip"), UNEXPECTED),
        row("compressed otherwise", compressed("br"), UNEXPECTED),
        row(
            "a redirect",
            Answer::Redirect("http://127.0.0.1:9/".to_owned()),
            UNEXPECTED,
        ),
        row("a page with 200", Answer::Html(200), UNEXPECTED),
        row("a page with 403", Answer::Html(403), "StsAccessDenied"),
        row("bytes", Answer::Garbage, UNEXPECTED),
        row("nothing", custom(String::new()), UNEXPECTED),
        row(
            "half",
            custom(whole[..whole.len() / 2].to_owned()),
            UNEXPECTED,
        ),
        row("entities", custom(bomb), UNEXPECTED),
        row("depth", custom(deep), UNEXPECTED),
        row("a huge attribute", custom(attributes), UNEXPECTED),
        row("two accounts", custom(twice), UNEXPECTED),
        row(
            "an account that is not the user's",
            custom(foreign),
            UNEXPECTED,
        ),
    ]
}

fn success(fields: &str) -> String {
    format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>{fields}</GetCallerIdentityResult></GetCallerIdentityResponse>"
    )
}

fn custom(body: String) -> Answer {
    Answer::Custom {
        status: 200,
        headers: Vec::new(),
        body: body.into_bytes(),
    }
}
