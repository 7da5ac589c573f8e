//! Replies that accept the pair: which identities are believed.

use static_aws_credentials::{
    api::{Identity, Reason::StsUnexpectedResponse},
    domain::verdict::Answer,
    sts::{Outcome, classify},
};

const ACCOUNT: &str = "123456789012";

const ARN: &str = "arn:aws:iam::123456789012:user/connectors/orders";

fn accepted(account: Option<&str>, arn: Option<&str>) -> Answer {
    classify(Outcome::Accepted { account, arn })
}

#[test]
fn whoever_aws_names_is_accepted() {
    for arn in [
        ARN,
        "arn:aws:iam::123456789012:root",
        "arn:aws-cn:iam::123456789012:user/a",
        "arn:aws-us-gov:iam::123456789012:user/a/b/c+=,.@_-",
        "arn:aws-iso-b:iam::123456789012:user/x",
        "arn:aws:sts::123456789012:assumed-role/r/s",
        "arn:aws:sts::123456789012:federated-user/a:b",
    ] {
        let identity = Identity {
            account_id: ACCOUNT.to_owned(),
            arn: arn.to_owned(),
        };
        assert_eq!(
            accepted(Some(ACCOUNT), Some(arn)),
            Answer::Identity(identity),
            "{arn}"
        );
    }
}

#[test]
fn a17_what_names_nobody_is_not_accepted() {
    let long = format!("arn:aws:iam::{ACCOUNT}:user/{}", "a".repeat(2048));
    let rows = [
        (None, None),
        (Some(ACCOUNT), None),
        (None, Some(ARN)),
        (Some(""), Some(ARN)),
        (Some("12345678901"), Some(ARN)),
        (Some("1234567890123"), Some(ARN)),
        (Some("12345678901x"), Some(ARN)),
        (Some("١٢٣٤٥٦٧٨٩٠١٢"), Some(ARN)),
        (Some(" 23456789012"), Some(ARN)),
        (Some("210987654321"), Some(ARN)),
        (Some(ACCOUNT), Some("")),
        (Some(ACCOUNT), Some("orders")),
        (Some(ACCOUNT), Some("arn:aws:iam::123456789012:")),
        (Some(ACCOUNT), Some("arn:aws:iam::123456789012")),
        (Some(ACCOUNT), Some("urn:aws:iam::123456789012:user/a")),
        (Some(ACCOUNT), Some("arn:evil:iam::123456789012:user/a")),
        (Some(ACCOUNT), Some("arn:aws:s3::123456789012:user/a")),
        (
            Some(ACCOUNT),
            Some("arn:aws:iam:eu-west-1:123456789012:user/a"),
        ),
        (
            Some(ACCOUNT),
            Some("arn:aws:iam::123456789012:user/a\n{\"level\":\"INFO\"}"),
        ),
        (
            Some(ACCOUNT),
            Some("arn:aws:iam::123456789012:user/\u{1b}[31m"),
        ),
        (
            Some(ACCOUNT),
            Some("arn:aws:iam::123456789012:user/\u{202e}a"),
        ),
        (Some(ACCOUNT), Some("arn:aws:iam::123456789012:user/a b")),
        (
            Some(ACCOUNT),
            Some("\u{feff}arn:aws:iam::123456789012:user/a"),
        ),
        (Some(ACCOUNT), Some(long.as_str())),
    ];
    for (account, arn) in rows {
        assert_eq!(
            accepted(account, arn),
            Answer::Outage(StsUnexpectedResponse),
            "{account:?} {arn:?}"
        );
    }
}
