//! The rows for the reference to a class.

use serde_json::{Value, json};

use super::{
    bounds::{Bound, bound},
    cases::{Case, case},
};

fn class(name: &str) -> Value {
    json!({"spec": {"region": null, "classRef": {"name": name}}})
}

/// A resource of a class with a field that only AWS has.
fn beside(field: &str, spec: &Value) -> [Value; 1] {
    let mut spec = spec.clone();
    spec["classRef"] = json!({"name": "minio"});
    if field != "region" {
        spec["region"] = Value::Null;
    }
    [json!({ "spec": spec })]
}

pub fn bounds() -> Vec<Bound> {
    let a = |length: usize| "a".repeat(length);
    vec![
        bound(
            "spec.classRef",
            "required",
            json!(["name"]),
            [class("minio")],
            [json!({"spec": {"region": null, "classRef": {}}})],
        ),
        bound(
            "spec.classRef.name",
            "maxLength",
            json!(253),
            [class(&a(253))],
            [class(&a(254))],
        ),
    ]
}

pub fn cases() -> Vec<Case> {
    let account = json!({"validation": {"accountId": "123456789012"}});
    let arn = json!({"validation": {"arn": "arn:aws:iam::123456789012:user/orders"}});
    vec![
        case(
            "spec.classRef.name must be the name of an AwsCredentialsClass",
            ["minio", "minio.eu-1", "7"].map(class),
            ["", "Minio", "a_b", "-a", "a..b", "a/b"].map(class),
        ),
        case(
            "spec.region must be absent beside spec.classRef",
            [class("minio")],
            beside("region", &json!({"region": "eu-west-1"})),
        )
        .parsed_again(),
        case(
            "spec.validation.accountId must be absent beside spec.classRef",
            [class("minio")],
            beside("accountId", &account),
        )
        .parsed_again(),
        case(
            "spec.validation.arn must be absent beside spec.classRef",
            [class("minio")],
            beside("arn", &arn),
        )
        .parsed_again(),
    ]
}
