//! One row for each bound, pattern and enumeration of the definition outside the CEL rules.

use serde_json::{Value, json};

use super::{
    rotation,
    status_bounds::{conditions, status},
};

/// A keyword of the schema at a field, with examples on both sides of the limit.
pub struct Bound {
    /// As in [`super::definition::Node`].
    pub path: String,
    pub keyword: &'static str,
    pub limit: Value,
    /// Merge patches of [`super::valid`].
    pub accepted: Vec<Value>,
    pub refused: Vec<Value>,
}

/// Keywords that need a row at every field where they occur.
pub const KEYWORDS: [&str; 8] = [
    "maxLength",
    "minLength",
    "pattern",
    "enum",
    "minItems",
    "maxItems",
    "maxProperties",
    "required",
];

pub fn bounds() -> Vec<Bound> {
    [
        spec_strings(),
        spec_rest(),
        rotation::bounds(),
        conditions(),
        status(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether only the status subresource accepts the field.
pub fn of_status(bound: &Bound) -> bool {
    bound.path.starts_with("status")
}

fn spec_strings() -> Vec<Bound> {
    let arn = |length: usize| format!("{:a<length$}", "arn:aws:iam::123456789012:user/");
    let a = |length: usize| "a".repeat(length);
    vec![
        longest("spec.secretRef.name", 253, &a(253), &a(254)),
        longest("spec.secretRef.accessKeyIdKey", 253, &a(253), &a(254)),
        longest("spec.secretRef.secretAccessKeyKey", 253, &a(253), &a(254)),
        longest("spec.target.name", 253, &a(253), &a(254)),
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
        one_of("spec.target.deletionPolicy", &["Delete", "Retain"]),
    ]
}

fn spec_rest() -> Vec<Bound> {
    let layouts = |layouts: &[&str]| json!({"spec": {"target": {"layouts": layouts}}});
    let keys = |count: usize| {
        let keys: serde_json::Map<_, _> = (0..count)
            .map(|n| (format!("k{n}"), json!("AccessKeyId")))
            .collect();
        json!({"spec": {"target": {"keys": keys}}})
    };
    let one_more: Vec<&str> = LAYOUTS.into_iter().chain(["Env"]).collect();
    vec![
        bound("", "required", json!(["spec"]), [], [json!({"spec": null})]),
        bound(
            "spec",
            "required",
            json!(["secretRef"]),
            [],
            [json!({"spec": {"secretRef": null}})],
        ),
        bound(
            "spec.secretRef",
            "required",
            json!(["name"]),
            [],
            [json!({"spec": {"secretRef": {"name": null}}})],
        ),
        bound(
            "spec.target.layouts",
            "maxItems",
            json!(8),
            [layouts(&LAYOUTS)],
            [layouts(&one_more)],
        ),
        bound(
            "spec.target.layouts[]",
            "enum",
            json!(LAYOUTS),
            LAYOUTS.map(|layout| layouts(&[layout])),
            [layouts(&["env"]), layouts(&["Env", ""])],
        ),
        bound(
            "spec.target.keys",
            "maxProperties",
            json!(16),
            [keys(16)],
            [keys(17)],
        ),
        bound(
            "spec.target.keys{}",
            "enum",
            json!(["AccessKeyId", "SecretAccessKey"]),
            ["AccessKeyId", "SecretAccessKey"]
                .map(|half| json!({"spec": {"target": {"keys": {"k": half}}}})),
            ["", "{{ .id }}", "Region"]
                .map(|half| json!({"spec": {"target": {"keys": {"k": half}}}})),
        ),
    ]
}

/// Every layout, in the order of the documentation.
pub const LAYOUTS: [&str; 8] = [
    "Env",
    "SharedCredentialsFile",
    "ProcessJson",
    "CredentialProcess",
    "ServiceBinding",
    "Mendix",
    "MendixStorage",
    "CloudCredential",
];

pub fn longest(path: &str, limit: usize, accepted: &str, refused: &str) -> Bound {
    bound(
        path,
        "maxLength",
        json!(limit),
        [at(path, json!(accepted))],
        [at(path, json!(refused))],
    )
}

pub fn one_of(path: &str, values: &[&str]) -> Bound {
    Bound {
        path: path.to_owned(),
        keyword: "enum",
        limit: json!(values),
        accepted: values.iter().map(|value| at(path, json!(value))).collect(),
        refused: vec![at(path, json!("")), at(path, json!(values.concat()))],
    }
}

/// A merge patch that sets one field.
pub fn at(path: &str, value: Value) -> Value {
    path.rsplit('.')
        .fold(value, |value, name| json!({name: value}))
}

pub fn bound<const A: usize, const R: usize>(
    path: &str,
    keyword: &'static str,
    limit: Value,
    accepted: [Value; A],
    refused: [Value; R],
) -> Bound {
    Bound {
        path: path.to_owned(),
        keyword,
        limit,
        accepted: accepted.into(),
        refused: refused.into(),
    }
}
