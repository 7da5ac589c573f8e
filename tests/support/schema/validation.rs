//! The rows for the verification of the pair, with its region.

use serde_json::{Value, json};

use super::{
    bounds::{Bound, longest, one_of},
    cases::{Case, case},
};

pub fn bounds() -> Vec<Bound> {
    let arn = |length: usize| format!("{:a<length$}", "arn:aws:iam::123456789012:user/");
    let a = |length: usize| "a".repeat(length);
    vec![
        longest(
            "spec.region",
            32,
            &format!("us-{}-1", a(27)),
            &format!("us-{}-1", a(28)),
        ),
        longest(
            "spec.validation.accountId",
            12,
            "123456789012",
            "1234567890123",
        ),
        longest("spec.validation.arn", 640, &arn(640), &arn(641)),
        longest(
            "spec.validation.interval",
            18,
            "0168h00000m000000s",
            "00168h00000m000000s",
        ),
        one_of("spec.validation.level", &["Identity", "Format"]),
        one_of("spec.validation.rootUser", &["Deny", "Allow"]),
        one_of("spec.validation.onRejected", &["Keep", "Withdraw"]),
    ]
}

pub fn cases() -> Vec<Case> {
    [regions(), pins()].into_iter().flatten().collect()
}

fn regions() -> Vec<Case> {
    let region = |region: &str| json!({"spec": {"region": region}});
    let pinned = |(region, partition): (&str, &str)| {
        let arn = format!("arn:{partition}:iam::*:user/a");
        json!({"spec": {"region": region, "validation": {"arn": arn}}})
    };
    let keys = |keys: Value, region: &Value| {
        json!({"spec": {
            "region": region, "validation": {"level": "Format"}, "target": {"keys": keys},
        }})
    };
    vec![
        case(
            "spec.region must be an AWS region",
            [
                "eu-west-1",
                "us-gov-east-1",
                "us-isob-east-1",
                "cn-north-1",
                "ap-southeast-12",
                "eusc-de-east-1",
            ]
            .map(region),
            [
                "",
                "eu",
                "eu-west",
                "EU-WEST-1",
                "eu-west-1a",
                " eu-west-1",
                "eu-west-1\n",
                "x.evil.example",
                "eu-west-123",
            ]
            .map(region),
        )
        .parsed_again(),
        case(
            "spec.region must be set when spec.validation.level is Identity",
            [json!({"spec": {"region": null, "validation": {"level": "Format"}}})],
            [
                json!({"spec": {"region": null}}),
                json!({"spec": {"region": null, "validation": {}}}),
                json!({"spec": {"region": null, "validation": {"level": "Identity"}}}),
            ],
        )
        .parsed_again(),
        case(
            "spec.region must be set when spec.target.keys has a key for Region or ConfigFile",
            [
                keys(json!({"a": "CredentialsFile"}), &json!(null)),
                keys(
                    json!({"a": "Region", "b": "ConfigFile"}),
                    &json!("eu-west-1"),
                ),
            ],
            ["Region", "ConfigFile"].map(|value| keys(json!({"a": value}), &json!(null))),
        )
        .parsed_again(),
        case(
            "spec.validation.arn must lie in the partition of spec.region",
            [
                ("eu-west-1", "aws"),
                ("cn-north-1", "aws-cn"),
                ("us-gov-west-1", "aws-us-gov"),
                ("us-iso-east-1", "aws-iso"),
                ("us-isob-east-1", "aws-iso-b"),
                ("eu-isoe-west-1", "aws-iso-e"),
                ("us-isof-south-1", "aws-iso-f"),
                ("eusc-de-east-1", "aws-eusc"),
            ]
            .map(pinned),
            [
                ("eu-west-1", "aws-cn"),
                ("cn-north-1", "aws"),
                ("us-gov-west-1", "aws"),
                ("us-isob-east-1", "aws-iso"),
                ("us-iso-east-1", "aws-iso-b"),
            ]
            .map(pinned),
        ),
    ]
}

fn pins() -> Vec<Case> {
    let account = |id: &str| json!({"spec": {"validation": {"accountId": id}}});
    let arn = |arn: &str| json!({"spec": {"validation": {"arn": arn}}});
    let both = |id: &str, arn: &str| json!({"spec": {"validation": {"accountId": id, "arn": arn}}});
    let interval = |interval: &str| json!({"spec": {"validation": {"interval": interval}}});
    vec![
        case(
            "spec.validation.accountId must be an AWS account ID",
            ["123456789012", "000000000000"].map(account),
            [
                "",
                "12345678901",
                "12345678901a",
                "123-456-789",
                "12345678901\n",
            ]
            .map(account),
        ),
        case(
            "spec.validation.arn must be the ARN of an IAM user or root user",
            [
                "arn:aws:iam::123456789012:user/connectors/*",
                "arn:aws:iam::*:user/a+=,.@_-Z9",
                "arn:aws:iam::*:user/!#$%&'()~/[x]/a:b/a",
                "arn:aws:iam::123456789012:root",
            ]
            .map(arn),
            [
                "",
                "*",
                "arn:aws:iam::123456789012:role/a",
                "arn:aws:sts::123456789012:user/a",
                "arn:aws:iam::12345678901:user/a",
                "arn:aws:iam::1234*:user/a",
                "arn:aws:iam::123456789012:user/",
                "arn:aws:iam::123456789012:user/a:b",
                "arn:aws:iam::123456789012:user/a\n",
                "arn:aws:iam:eu-west-1:123456789012:user/a",
            ]
            .map(arn),
        )
        .parsed_again(),
        case(
            "spec.validation.arn must be absent unless spec.validation.level is Identity",
            [arn("arn:aws:iam::123456789012:user/a")],
            [json!({"spec": {"validation": {"level": "Format", "arn": "arn:aws:iam::*:user/a"}}})],
        ),
        case(
            "spec.validation.arn must name the account in spec.validation.accountId",
            [
                both("123456789012", "arn:aws:iam::123456789012:user/a"),
                both("123456789012", "arn:aws:iam::*:root"),
            ],
            [both(
                "123456789012",
                "arn:aws:iam::210987654321:user/123456789012",
            )],
        ),
        case(
            "spec.validation.interval must be 5m to 168h",
            [
                "5m",
                "300s",
                "168h",
                "1h30m",
                "4m60s",
                "10080m",
                "167h59m60s",
            ]
            .map(interval),
            [
                "", "299s", "4m59s", "168h1s", "169h", "1d", "5", "-5m", "1.5h", "30m1h", "5m ",
                "5m\n", "0h",
            ]
            .map(interval),
        )
        .parsed_again(),
    ]
}
