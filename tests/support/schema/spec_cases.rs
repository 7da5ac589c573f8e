//! The rows for the verification and for the target.

use serde_json::{Value, json};

use super::{
    bounds::LAYOUTS,
    cases::{Case, case},
};

pub fn whole_spec() -> Vec<Case> {
    let region = |region: &str| json!({"spec": {"region": region}});
    let pinned = |(region, partition): (&str, &str)| {
        let arn = format!("arn:{partition}:iam::*:user/a");
        json!({"spec": {"region": region, "validation": {"arn": arn}}})
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
        ),
        case(
            "spec.region must be set when spec.validation.level is Identity",
            [json!({"spec": {"region": null, "validation": {"level": "Format"}}})],
            [
                json!({"spec": {"region": null}}),
                json!({"spec": {"region": null, "validation": {}}}),
                json!({"spec": {"region": null, "validation": {"level": "Identity"}}}),
            ],
        ),
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

pub fn validation() -> Vec<Case> {
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
        ),
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
        ),
    ]
}

pub fn target() -> Vec<Case> {
    let layouts = |layouts: &[&str]| json!({"spec": {"target": {"layouts": layouts}}});
    let keys = |keys: Value| json!({"spec": {"target": {"layouts": [], "keys": keys}}});
    let beside = |layout: &str, key: &str| json!({"spec": {"target": {"layouts": [layout], "keys": {key: "SecretAccessKey"}}}});
    vec![
        case(
            "spec.target.layouts must name each layout once",
            [layouts(&LAYOUTS), layouts(&["Mendix"])],
            [layouts(&["Env", "Env"]), layouts(&["Env", "Mendix", "Env"])],
        ),
        case(
            "spec.target.layouts must name at least one layout, unless",
            [
                layouts(&["ProcessJson"]),
                keys(json!({"a": "AccessKeyId", "b": "SecretAccessKey"})),
                json!({"spec": {"target": {"keys": {"a": "AccessKeyId"}}}}),
            ],
            [
                layouts(&[]),
                keys(json!({})),
                keys(json!({"a": "AccessKeyId"})),
                keys(json!({"a": "SecretAccessKey", "b": "SecretAccessKey"})),
            ],
        ),
        Case {
            message: "spec.target.keys must not name a key that a layout in spec.target.layouts writes",
            accepted: vec![
                beside("Env", "credentials"),
                beside("SharedCredentialsFile", "AWS_ACCESS_KEY_ID"),
                keys(json!({"AWS_ACCESS_KEY_ID": "AccessKeyId", "credentials": "SecretAccessKey"})),
            ],
            refused: LAYOUT_KEYS
                .iter()
                .flat_map(|(layout, keys)| keys.iter().map(|key| beside(layout, key)))
                .chain([json!({"spec": {"target": {"keys": {"config": "AccessKeyId"}}}})])
                .collect(),
        },
    ]
}

/// The keys of each layout with a region, as documented.
pub const LAYOUT_KEYS: [(&str, &[&str]); 8] = [
    (
        "Env",
        &[
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_REGION",
            "AWS_DEFAULT_REGION",
        ],
    ),
    ("SharedCredentialsFile", &["credentials", "config"]),
    ("ProcessJson", &["credentials.json"]),
    ("CredentialProcess", &["credentials.json", "config-process"]),
    (
        "ServiceBinding",
        &[
            "type",
            "provider",
            "access-key-id",
            "secret-access-key",
            "region",
        ],
    ),
    (
        "Mendix",
        &[
            "mx-const-AWSAuthentication.AccessKey",
            "mx-const-AWSAuthentication.SecretAccessKey",
        ],
    ),
    (
        "MendixStorage",
        &["storage-access-key-id", "storage-secret-access-key"],
    ),
    (
        "CloudCredential",
        &["aws_access_key_id", "aws_secret_access_key", "credentials"],
    ),
];
