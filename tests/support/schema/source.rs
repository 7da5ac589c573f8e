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
    let file = |file: Value| json!({"spec": {"secretRef": {"credentialsFile": file}}});
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
        bound(
            "spec.secretRef.credentialsFile.key",
            "maxLength",
            json!(253),
            [file(json!({"key": a(253)}))],
            [file(json!({"key": a(254)}))],
        ),
        bound(
            "spec.secretRef.credentialsFile.profile",
            "maxLength",
            json!(128),
            [file(json!({"key": "cloud", "profile": a(128)}))],
            [file(json!({"key": "cloud", "profile": a(129)}))],
        ),
        bound(
            "spec.secretRef.credentialsFile",
            "required",
            json!(["key"]),
            [file(json!({"key": "cloud"}))],
            [file(json!({"profile": "default"}))],
        ),
    ]
}

pub fn cases() -> Vec<Case> {
    let mut cases = keys();
    cases.extend(files());
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

fn files() -> Vec<Case> {
    let reference = |reference: Value| json!({"spec": {"secretRef": reference}});
    let key = |key: &str| reference(json!({"credentialsFile": {"key": key}}));
    let profile =
        |profile: &str| reference(json!({"credentialsFile": {"key": "cloud", "profile": profile}}));
    vec![
        case(
            "spec.secretRef.credentialsFile.key must be a key of a Secret",
            KEYS.map(key),
            NO_KEYS.map(key),
        ),
        case(
            "spec.secretRef.credentialsFile.key must be the name of a key",
            KEYS.map(key),
            MATERIAL.map(key),
        ),
        case(
            "spec.secretRef.credentialsFile.profile must be the name of a profile",
            ["default", "orders-prod", "a.b_c/d%e@f:g+h"].map(profile),
            [
                "",
                "two words",
                "[default]",
                "a\n",
                "profil\u{e9}",
                "a#b",
                "a=b",
            ]
            .map(profile),
        ),
        case(
            "spec.secretRef.credentialsFile.profile must be the name of a key",
            ["default", "orders"].map(profile),
            MATERIAL.map(profile),
        ),
        case(
            "spec.secretRef.credentialsFile must not be set beside",
            [
                key("cloud"),
                reference(json!({
                    "credentialsFile": {"key": "cloud"}, "accessKeyIdKey": "AWS_ACCESS_KEY_ID",
                })),
            ],
            [
                reference(json!({"credentialsFile": {"key": "cloud"}, "accessKeyIdKey": "id"})),
                reference(json!({"credentialsFile": {"key": "cloud"}, "secretAccessKeyKey": "s"})),
            ],
        ),
    ]
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
