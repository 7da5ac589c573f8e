#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use serde_json::json;

use super::*;

fn class(spec: serde_json::Value) -> AwsCredentialsClass {
    let mut spec = spec;
    spec["proof"] = json!("S3");
    serde_json::from_value(json!({
        "apiVersion": "awscredentials.dev/v1alpha1",
        "kind": "AwsCredentialsClass",
        "metadata": { "name": "minio", "uid": "u1", "generation": 3 },
        "spec": spec,
    }))
    .unwrap()
}

fn https(further: &serde_json::Value) -> AwsCredentialsClass {
    let mut spec = json!({ "endpoint": { "url": "https://minio.example.com" } });
    for (field, value) in further.as_object().unwrap() {
        spec[field] = value.clone();
    }
    class(spec)
}

#[test]
fn a_class_with_its_required_fields_has_the_defaults_of_a_store() {
    let parsed = Class::parse(&https(&json!({}))).unwrap();
    let store = &parsed.store;
    assert_eq!((store.class.as_str(), store.generation), ("minio", 3));
    assert_eq!(store.region, "us-east-1");
    assert_eq!(store.settling, Duration::from_mins(1));
    assert!(!store.any_key_id);
}

#[test]
fn nobody_may_use_a_class_that_allows_no_namespace() {
    let parsed = Class::parse(&https(&json!({}))).unwrap();
    let finding = parsed.for_namespace("orders").unwrap_err();
    assert_eq!(finding.reason, Reason::ClassNotAllowed);
    assert!(finding.message.contains("namespace orders"));
}

#[test]
fn an_empty_selection_allows_all_namespaces_and_a_list_its_own_alone() {
    let all = Class::parse(&https(&json!({ "allowedNamespaces": {} }))).unwrap();
    assert!(all.for_namespace("orders").is_ok());
    let listed = json!({ "allowedNamespaces": { "names": ["orders"] } });
    let listed = Class::parse(&https(&listed)).unwrap();
    assert!(listed.for_namespace("orders").is_ok());
    assert!(listed.for_namespace("orders-test").is_err());
}

#[test]
fn plain_http_needs_consent() {
    let endpoint = json!({ "endpoint": { "url": "http://minio.example.com" } });
    let finding = Class::parse(&class(endpoint.clone())).unwrap_err();
    assert_eq!(finding.reason, Reason::ClassInvalid);
    let mut consented = endpoint;
    consented["allowPlainHttp"] = json!(true);
    assert!(Class::parse(&class(consented)).is_ok());
}

#[test]
fn the_settling_time_has_an_upper_bound() {
    for (settling, is_valid) in [
        ("0s", true),
        ("10m", true),
        ("10m1s", false),
        ("soon", false),
    ] {
        let parsed = Class::parse(&https(&json!({ "settling": settling })));
        assert_eq!(parsed.is_ok(), is_valid, "{settling}");
    }
}
