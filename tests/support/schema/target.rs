//! The rows for the target.

use serde_json::{Value, json};

use super::{
    bounds::{Bound, bound, longest, one_of},
    cases::{Case, KEYS, MATERIAL, NO_KEYS, case},
    layouts::LAYOUTS,
};

const VALUES: [&str; 6] = [
    "AccessKeyId",
    "SecretAccessKey",
    "Region",
    "CredentialsFile",
    "ConfigFile",
    "ProcessJson",
];

fn layouts(layouts: &[&str]) -> Value {
    json!({"spec": {"target": {"layouts": layouts}}})
}

fn every_layout() -> Vec<&'static str> {
    LAYOUTS.iter().map(|written| written.layout).collect()
}

pub fn bounds() -> Vec<Bound> {
    let a = |length: usize| "a".repeat(length);
    let mut rows = vec![
        longest("spec.target.name", 253, &a(253), &a(254)),
        one_of("spec.target.deletionPolicy", &["Delete", "Retain"]),
    ];
    rows.extend(bounds_of_layouts());
    rows.extend(bounds_of_keys());
    rows
}

fn bounds_of_layouts() -> [Bound; 2] {
    let every = every_layout();
    let one_more = [every.as_slice(), &["Env"]].concat();
    [
        bound(
            "spec.target.layouts",
            "maxItems",
            json!(every.len()),
            [layouts(&every)],
            [layouts(&one_more)],
        ),
        Bound {
            path: "spec.target.layouts[]".to_owned(),
            keyword: "enum",
            limit: json!(every),
            accepted: every.iter().map(|layout| layouts(&[*layout])).collect(),
            refused: vec![layouts(&["env"]), layouts(&["Env", ""])],
        },
    ]
}

fn bounds_of_keys() -> [Bound; 2] {
    let keys = |count: usize| {
        let keys: serde_json::Map<_, _> = (0..count)
            .map(|n| (format!("k{n}"), json!("AccessKeyId")))
            .collect();
        json!({"spec": {"target": {"keys": keys}}})
    };
    [
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
            json!(VALUES),
            VALUES.map(|value| json!({"spec": {"target": {"keys": {"k": value}}}})),
            ["", "{{ .id }}", "Endpoint"]
                .map(|value| json!({"spec": {"target": {"keys": {"k": value}}}})),
        ),
    ]
}

pub fn cases() -> Vec<Case> {
    [names(), cases_of_keys(), cases_of_layouts()]
        .into_iter()
        .flatten()
        .collect()
}

fn names() -> Vec<Case> {
    let source = |name: &str| json!({"spec": {"secretRef": {"name": name}}});
    let target = |name: &str| json!({"spec": {"target": {"name": name}}});
    let own = |name: &str| json!({"metadata": {"name": name}});
    vec![
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

fn cases_of_keys() -> Vec<Case> {
    let further = |key: &str| json!({"spec": {"target": {"keys": {key: "AccessKeyId"}}}});
    vec![
        case(
            "spec.target.keys must have keys of at most 253 characters",
            [further(&"k".repeat(253)), further("k")],
            [254, 5_000, 500_000].map(|length| further(&"k".repeat(length))),
        ),
        case(
            "spec.target.keys must have only valid keys of a Secret",
            KEYS.map(further),
            NO_KEYS.map(further),
        ),
        case(
            "spec.target.keys must have names for its keys",
            KEYS.map(further),
            MATERIAL.map(further),
        ),
    ]
}

fn cases_of_layouts() -> Vec<Case> {
    let keys = |keys: Value| json!({"spec": {"target": {"layouts": [], "keys": keys}}});
    let beside = |layout: &str, key: &str| json!({"spec": {"target": {"layouts": [layout], "keys": {key: "SecretAccessKey"}}}});
    vec![
        case(
            "spec.target.layouts must name each layout once",
            [layouts(&every_layout()), layouts(&["Mendix"])],
            [layouts(&["Env", "Env"]), layouts(&["Env", "Mendix", "Env"])],
        ),
        case(
            "spec.target.layouts must name at least one layout, unless",
            [
                layouts(&["ProcessJson"]),
                keys(json!({"a": "AccessKeyId", "b": "SecretAccessKey"})),
                keys(json!({"cloud": "CredentialsFile"})),
                keys(json!({"creds": "ProcessJson"})),
                json!({"spec": {"target": {"keys": {"a": "AccessKeyId"}}}}),
            ],
            [
                layouts(&[]),
                keys(json!({})),
                keys(json!({"a": "AccessKeyId"})),
                keys(json!({"a": "SecretAccessKey", "b": "SecretAccessKey"})),
                keys(json!({"a": "ConfigFile", "b": "Region", "c": "AccessKeyId"})),
            ],
        ),
        Case {
            message: "spec.target.keys must not name a key that a layout in spec.target.layouts writes",
            accepted: vec![
                beside("Env", "credentials"),
                beside("SharedCredentialsFile", "AWS_ACCESS_KEY_ID"),
                keys(json!({"AWS_ACCESS_KEY_ID": "AccessKeyId", "credentials": "SecretAccessKey"})),
            ],
            refused: LAYOUTS
                .iter()
                .flat_map(|written| written.keys().map(move |key| beside(written.layout, key)))
                .chain([json!({"spec": {"target": {"keys": {"config": "AccessKeyId"}}}})])
                .collect(),
            parsed_again: false,
        },
    ]
}
