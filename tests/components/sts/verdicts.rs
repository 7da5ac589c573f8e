//! The meaning of each outcome of a call for the pair: the verdict table, row by row.

use static_aws_credentials::{
    api::{Reason, Reason::*},
    domain::verdict::Answer,
    sts::{Outcome, classify},
};

const WRONG: &str =
    "The request signature we calculated does not match the signature you provided.";

fn refused(status: u16, code: Option<&str>, message: &str) -> Answer {
    classify(Outcome::Refused {
        status,
        code,
        message: Some(message),
    })
}

#[test]
fn s1_codes_that_speak_of_the_pair() {
    let rows = [
        (
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
            Answer::UnknownKey,
        ),
        // The S3 interface of Ceph, MinIO and others, and Ceph for the keys of a suspended user.
        ("InvalidAccessKeyId", "", Answer::UnknownKey),
        ("UserSuspended", "", Answer::UnknownKey),
        ("SignatureDoesNotMatch", WRONG, Answer::SignatureMismatch),
        ("SignatureDoesNotMatch", "", Answer::SignatureMismatch),
        (
            "ExpiredToken",
            "The security token included in the request is expired",
            Answer::Expired,
        ),
        ("ExpiredTokenException", "", Answer::Expired),
    ];
    for (code, message, answer) in rows {
        for status in [400, 403] {
            assert_eq!(
                refused(status, Some(code), message),
                answer,
                "{status} {code} {message}"
            );
        }
    }
}

#[test]
fn s1_s2_codes_that_say_nothing_of_the_pair() {
    let rows: &[(&[u16], &[&str], &str, Reason)] = &[
        (
            &[403],
            &["SignatureDoesNotMatch"],
            "Signature expired: 20260101T000000Z is now earlier than 20260101T010000Z (20260101T011500Z - 15 min.)",
            ClockSkew,
        ),
        (
            &[403],
            &["SignatureDoesNotMatch"],
            "Signature not yet current: 20260101T020000Z is still later than 20260101T011500Z",
            ClockSkew,
        ),
        (
            &[400, 403],
            &["RequestExpired", "RequestTimeTooSkewed"],
            "",
            ClockSkew,
        ),
        (
            &[403],
            &["SignatureDoesNotMatch"],
            "Credential should be scoped to a valid region, not 'eu-west-1'. ",
            StsRegionMismatch,
        ),
        (
            &[403],
            &["RegionDisabled", "RegionDisabledException"],
            "STS is not activated in this region",
            RegionDisabled,
        ),
        (&[403], &["OptInRequired"], "", OptInRequired),
        (
            &[400, 403, 429, 503],
            &[
                "Throttling",
                "ThrottlingException",
                "ThrottledException",
                "RequestThrottled",
                "RequestThrottledException",
                "RequestLimitExceeded",
                "TooManyRequestsException",
                "LimitExceededException",
                "BandwidthLimitExceeded",
                "SlowDown",
            ],
            "Rate exceeded",
            StsThrottled,
        ),
        (
            &[403],
            &["AccessDenied", "AccessDeniedException"],
            "no VPC endpoint policy allows it",
            StsAccessDenied,
        ),
        (
            &[403],
            &[
                "AuthFailure",
                "MissingAuthenticationToken",
                "UnrecognizedClientException",
                "WhoKnows",
            ],
            "",
            StsAccessDenied,
        ),
        (
            &[400],
            &["IncompleteSignature", "MalformedQueryString", "WhoKnows"],
            "",
            StsUnexpectedResponse,
        ),
        (&[404], &["InvalidAction"], "", StsUnexpectedResponse),
        (
            &[400, 408],
            &["RequestTimeout", "RequestTimeoutException"],
            "",
            StsUnavailable,
        ),
        (
            &[400, 500, 503],
            &["InternalFailure", "InternalError", "ServiceUnavailable"],
            "",
            StsUnavailable,
        ),
    ];
    for (statuses, codes, message, reason) in rows {
        for status in *statuses {
            for code in *codes {
                assert_eq!(
                    refused(*status, Some(code), message),
                    undetermined(*reason),
                    "{status} {code} {message}"
                );
            }
        }
    }
}

/// AWS has answered, unless the reason is its own failure.
fn undetermined(reason: Reason) -> Answer {
    match reason {
        StsUnavailable => Answer::Outage(reason),
        _ => Answer::Undetermined(reason),
    }
}

/// Not an answer of AWS: a gateway sits before STS for all pairs. A gateway that throttles is working.
#[test]
fn s3_replies_without_a_code() {
    let rows: &[(&[u16], Reason)] = &[
        (&[401, 403, 407], StsAccessDenied),
        (&[429], StsThrottled),
        (&[408, 500, 502, 503, 504, 599], StsUnavailable),
        (
            &[
                100, 200, 204, 301, 302, 303, 307, 308, 400, 404, 405, 413, 418, 451,
            ],
            StsUnexpectedResponse,
        ),
    ];
    for (statuses, reason) in rows {
        for status in *statuses {
            let expected = match reason {
                StsThrottled => Answer::Undetermined(*reason),
                _ => Answer::Outage(*reason),
            };
            assert_eq!(refused(*status, None, ""), expected, "{status}");
        }
    }
}

/// A gateway may add any body to its own failures, redirects and successes.
#[test]
fn a_code_counts_in_a_refusal_alone() {
    for code in [
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "ExpiredToken",
    ] {
        for status in [100, 200, 204, 302, 307, 408, 429, 500, 502, 503] {
            assert!(
                refused(status, Some(code), WRONG).undetermined().is_some(),
                "{status} {code}"
            );
        }
    }
}

#[test]
fn s3_no_reply_that_could_be_read() {
    assert_eq!(
        classify(Outcome::Unreachable),
        Answer::Outage(StsUnreachable)
    );
    assert_eq!(
        classify(Outcome::Unreadable),
        Answer::Outage(StsUnexpectedResponse)
    );
}

#[test]
fn the_text_of_sts_goes_no_further() {
    let echo = "The Canonical String should have been POST wJalrXUtnFEMI";
    for code in [
        None,
        Some("SignatureDoesNotMatch"),
        Some("AccessDenied"),
        Some(echo),
    ] {
        for status in [200, 302, 400, 403, 500] {
            let answer = format!("{:?}", refused(status, code, echo));
            assert!(!answer.contains("wJalr"), "{answer}");
        }
    }
}
