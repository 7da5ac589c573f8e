//! One row for each CEL rule of the definition: accepted examples, rejected examples, and the message.

use serde_json::{Value, json};

use super::{
    rotation,
    spec_cases::{target, validation, whole_spec},
};

/// A rule and its examples, each a merge patch of [`super::valid`].
pub struct Case {
    /// Start of the rule's message. The first word is the rejected field.
    pub message: &'static str,
    pub accepted: Vec<Value>,
    /// Examples that violate this rule and no other.
    pub refused: Vec<Value>,
}

impl Case {
    pub fn field(&self) -> &'static str {
        self.message.split_whitespace().next().unwrap_or_default()
    }
}

pub fn cases() -> Vec<Case> {
    [
        names(),
        data_keys(),
        whole_spec(),
        validation(),
        target(),
        rotation::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub fn case<const A: usize, const R: usize>(
    message: &'static str,
    accepted: [Value; A],
    refused: [Value; R],
) -> Case {
    Case {
        message,
        accepted: accepted.into(),
        refused: refused.into(),
    }
}

fn names() -> Vec<Case> {
    let source = |name: &str| json!({"spec": {"secretRef": {"name": name}}});
    let target = |name: &str| json!({"spec": {"target": {"name": name}}});
    let own = |name: &str| json!({"metadata": {"name": name}});
    vec![
        case(
            "spec.secretRef.name must be the name of a Secret",
            [source("a"), source("a.b-c.7"), source(&"a".repeat(253))],
            [
                "",
                "Upper",
                "under_score",
                "-a",
                "a-",
                "a..b",
                "a.-b",
                "a b",
                "a\n",
                "other/name",
                "../other",
                "/api/v1/namespaces/other",
                "other:name",
                "%2e%2e%2fother",
                "a\u{0}",
                "оrders",
                "a\u{2215}b",
                "a\u{202e}b",
            ]
            .map(source),
        ),
        case(
            "spec.target.name must be the name of a Secret",
            [target("a"), target("a.b-c.7"), target(&"a".repeat(253))],
            ["", "Upper", "../other", "other/name", "a.", ".a"].map(target),
        ),
        case(
            "spec.target.name must be set when metadata.name has more than 241 characters",
            [
                own(&"a".repeat(241)),
                json!({"metadata": {"name": "a".repeat(242)}, "spec": {"target": {"name": "a"}}}),
            ],
            [own(&"a".repeat(242)), own(&"a".repeat(253))],
        ),
        case(
            "spec.target.name must be set when its default",
            [
                source("orders"),
                json!({"spec": {
                    "secretRef": {"name": "orders-credentials"}, "target": {"name": "other"},
                }}),
            ],
            [source("orders-credentials")],
        ),
        case(
            "spec.target.name must differ from spec.secretRef.name",
            [target("orders-key-pairs")],
            [target("orders-key-pair")],
        ),
    ]
}

fn data_keys() -> Vec<Case> {
    let id = |key: &str| json!({"spec": {"secretRef": {"accessKeyIdKey": key}}});
    let secret = |key: &str| json!({"spec": {"secretRef": {"secretAccessKeyKey": key}}});
    let further = |key: &str| json!({"spec": {"target": {"keys": {key: "AccessKeyId"}}}});
    let usual = ["id", "a.b_c-D7", ".hidden", "a..b", "AWSSECRETACCESSKEY"];
    let no_keys = ["", ".", "..", "..data", "a/b", "a b", "schlüssel", "a\n"];
    let material = [
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
        "key-AKIAIOSFODNN7EXAMPLE.txt",
        "wJalrXUtnFEMIxK7MDENGxbPxRfiCYEXAMPLEKEY",
    ];
    vec![
        case(
            "spec.secretRef.accessKeyIdKey must be a key of a Secret",
            usual.map(id),
            no_keys.map(id),
        ),
        case(
            "spec.secretRef.accessKeyIdKey must be the name of a key",
            usual.map(id),
            material.map(id),
        ),
        case(
            "spec.secretRef.secretAccessKeyKey must be a key of a Secret",
            usual.map(secret),
            no_keys.map(secret),
        ),
        case(
            "spec.secretRef.secretAccessKeyKey must be the name of a key",
            usual.map(secret),
            material.map(secret),
        ),
        case(
            "spec.target.keys must have keys of at most 253 characters",
            [further(&"k".repeat(253)), further("k")],
            [254, 5_000, 500_000].map(|length| further(&"k".repeat(length))),
        ),
        case(
            "spec.target.keys must have only valid keys of a Secret",
            usual.map(further),
            no_keys.map(further),
        ),
        case(
            "spec.target.keys must have names for its keys",
            usual.map(further),
            material.map(further),
        ),
        case(
            "spec.secretRef.secretAccessKeyKey must differ from spec.secretRef.accessKeyIdKey",
            [json!({"spec": {"secretRef": {"accessKeyIdKey": "id", "secretAccessKeyKey": "Id"}}})],
            [
                json!({"spec": {"secretRef": {"accessKeyIdKey": "id", "secretAccessKeyKey": "id"}}}),
                id("AWS_SECRET_ACCESS_KEY"),
            ],
        ),
    ]
}
