//! The rows for the source.

use serde_json::{Value, json};

use super::{
    bounds::{Bound, bound, longest},
    cases::{Case, KEYS, MATERIAL, NO_KEYS, case},
};

fn name(name: &str) -> Value {
    json!({"spec": {"secretRef": {"name": name}}})
}

fn id(key: &str) -> Value {
    json!({"spec": {"secretRef": {"accessKeyIdKey": key}}})
}

fn secret(key: &str) -> Value {
    json!({"spec": {"secretRef": {"secretAccessKeyKey": key}}})
}

pub fn bounds() -> Vec<Bound> {
    let a = |length: usize| "a".repeat(length);
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
        longest("spec.secretRef.name", 253, &a(253), &a(254)),
        longest("spec.secretRef.accessKeyIdKey", 253, &a(253), &a(254)),
        longest("spec.secretRef.secretAccessKeyKey", 253, &a(253), &a(254)),
    ]
}

pub fn cases() -> Vec<Case> {
    let mut cases = keys();
    cases.push(case(
        "spec.secretRef.name must be the name of a Secret",
        [name("a"), name("a.b-c.7"), name(&"a".repeat(253))],
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
        .map(name),
    ));
    cases
}

fn keys() -> Vec<Case> {
    vec![
        case(
            "spec.secretRef.accessKeyIdKey must be a key of a Secret",
            KEYS.map(id),
            NO_KEYS.map(id),
        ),
        case(
            "spec.secretRef.accessKeyIdKey must be the name of a key",
            KEYS.map(id),
            MATERIAL.map(id),
        ),
        case(
            "spec.secretRef.secretAccessKeyKey must be a key of a Secret",
            KEYS.map(secret),
            NO_KEYS.map(secret),
        ),
        case(
            "spec.secretRef.secretAccessKeyKey must be the name of a key",
            KEYS.map(secret),
            MATERIAL.map(secret),
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
