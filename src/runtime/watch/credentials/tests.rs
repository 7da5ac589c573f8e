//! Decoding of watched resources: the fields that decisions need, and the identity of a resource that cannot be
//! decoded.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::{api::StaticAwsCredentials, runtime::watch::WatchedCredentials};
use kube::{Resource, ResourceExt, core::WatchEvent};
use serde_json::{Value, json};

fn resource() -> Value {
    json!({
        "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
        "metadata": {
            "name": "orders", "namespace": "shop", "uid": "11111111-2222-3333-4444-555555555555",
            "resourceVersion": "4711", "generation": 3,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "deletionTimestamp": "2026-01-02T00:00:00Z", "labels": { "team": "a" },
        },
        "spec": {
            "secretRef": { "name": "orders-aws" }, "region": "eu-west-1",
            "rotation": { "restart": { "scope": "Consumers" } },
        },
        "status": {
            "observedGeneration": 3,
            "conditions": [{
                "type": "Ready", "status": "True", "reason": "Published", "message": "it is",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }],
            "published": {
                "secretName": "orders-credentials", "uid": "u", "resourceVersion": "7",
                "keyIdSuffix": "AAAA", "revision": 1, "time": "2026-01-01T00:00:00Z",
            },
        },
    })
}

fn watched(object: &Value) -> WatchedCredentials {
    serde_json::from_str(&object.to_string()).unwrap()
}

/// A resource with another value at a pointer.
fn with(pointer: &str, value: Value) -> Value {
    let mut object = resource();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    object.pointer_mut(parent).unwrap()[name] = value;
    object
}

#[test]
fn a_decodable_resource_equals_its_full_decoding() {
    for object in [
        resource(),
        with("/spec/region", Value::Null),
        with("/status", Value::Null),
        with("/status", json!({})),
        with("/status/aFieldOfANewerVersion", json!({ "a": 1 })),
        with("/metadata/deletionTimestamp", Value::Null),
    ] {
        let full: StaticAwsCredentials = serde_json::from_value(object.clone()).unwrap();
        assert_eq!(watched(&object).0.unwrap(), full, "{object}");
    }
}

#[test]
fn fields_that_no_decision_needs_are_skipped() {
    let mut object = resource();
    object["metadata"]["managedFields"] = json!([{ "time": "not a time", "fieldsV1": 5 }]);
    object["metadata"]["annotations"] = json!({ "note": "x".repeat(200_000) });
    object["metadata"]["labels"] = json!({ "team": "a" });
    let decoded = watched(&object);
    assert_eq!(decoded.meta().annotations, None);
    let full: StaticAwsCredentials = serde_json::from_value(resource()).unwrap();
    assert_eq!(decoded.0.unwrap(), full);
}

#[test]
fn an_undecodable_resource_keeps_its_error_and_its_identity() {
    for (object, why) in [
        (
            with("/spec/secretRef", json!(3)),
            "invalid type: integer `3`",
        ),
        (
            with("/spec", json!({ "region": "eu-west-1" })),
            "missing field `secretRef`",
        ),
        (with("/spec", Value::Null), "invalid type: null"),
        (
            with("/status/conditions", json!("x")),
            "invalid type: string \"x\"",
        ),
    ] {
        let decoded = watched(&object);
        assert_eq!(decoded.name_any(), "orders");
        assert_eq!(decoded.namespace().as_deref(), Some("shop"));
        let uid = decoded.uid();
        let invalid = decoded.0.unwrap_err();
        assert!(invalid.error.contains(why), "{}", invalid.error);
        assert_eq!(invalid.metadata.uid, uid);
        assert_eq!(invalid.metadata.resource_version.as_deref(), Some("4711"));
    }
}

#[test]
fn a_resource_without_a_spec_is_undecodable() {
    let mut object = resource();
    object.as_object_mut().unwrap().remove("spec");
    assert!(watched(&object).0.is_err());
}

#[test]
fn other_resources_of_the_same_watch_are_not_affected() {
    let event = |object: Value| json!({ "type": "MODIFIED", "object": object }).to_string();
    let read =
        |text: String| serde_json::from_str::<WatchEvent<WatchedCredentials>>(&text).unwrap();
    let decoded = |event: WatchEvent<WatchedCredentials>| match event {
        WatchEvent::Modified(object) => object.0.is_ok(),
        other => panic!("{other:?}"),
    };
    assert!(!decoded(read(event(with("/spec", json!([]))))));
    assert!(decoded(read(event(resource()))));
}

#[test]
fn watches_and_writes_use_the_same_path() {
    assert_eq!(
        WatchedCredentials::url_path(&(), Some("shop")),
        StaticAwsCredentials::url_path(&(), Some("shop"))
    );
    assert!(!WatchedCredentials::metadata_api());
}

#[test]
fn an_object_without_metadata_is_an_error() {
    for text in ["{}", "[]", r#"{"spec":{}}"#, r#"{"metadata":{"uid":1}}"#] {
        assert!(
            serde_json::from_str::<WatchedCredentials>(text).is_err(),
            "{text}"
        );
    }
}

/// Older definitions had no bound for the keys of a map.
#[test]
fn a_spec_that_is_larger_than_any_valid_one_is_not_kept() {
    let keys = |length: usize| {
        with(
            "/spec/target",
            json!({ "keys": { "k".repeat(length): "AccessKeyId" } }),
        )
    };
    assert!(watched(&keys(40_000)).0.is_ok());
    let error = watched(&keys(500_000)).0.unwrap_err().error;
    assert!(error.starts_with("spec has 500"), "{error}");
    assert!(error.contains("spec.target.keys") && error.len() < 200);
}

#[test]
fn a_decoding_error_is_short() {
    let layouts = json!({ "layouts": ["k".repeat(40_000)] });
    let error = watched(&with("/spec/target", layouts)).0.unwrap_err().error;
    assert!(
        error.starts_with("unknown variant") && error.len() <= 1024,
        "{error}"
    );
}

/// The largest spec that the schema accepts is far below the bound.
#[test]
fn a_spec_with_everything_as_long_as_it_may_be_is_decoded() {
    let longest = "k".repeat(253);
    let keys: serde_json::Map<String, Value> = (0..16)
        .map(|n| {
            (
                format!("{n:02}{}", "k".repeat(251)),
                json!("SecretAccessKey"),
            )
        })
        .collect();
    let workloads: Vec<Value> = (0..64)
        .map(|n| json!({ "kind": "StatefulSet", "name": format!("{n:02}{}", "k".repeat(251)) }))
        .collect();
    let mut object = with("/spec/target", json!({ "name": longest, "keys": keys }));
    object["spec"]["secretRef"] = json!({
        "name": longest, "accessKeyIdKey": longest, "secretAccessKeyKey": longest,
    });
    object["spec"]["rotation"]["restart"]["workloads"] = json!(workloads);
    assert!(watched(&object).0.is_ok());
}

#[test]
fn the_status_of_a_resource_whose_spec_cannot_be_decoded_is_kept() {
    let mut object = with("/spec", json!([]));
    let condition = json!({ "type": "Verified", "status": "True", "reason": "IdentityVerified",
        "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z" });
    object["status"] = json!({ "observedGeneration": 7, "conditions": [condition] });
    let status = watched(&object).0.unwrap_err().status.unwrap();
    assert_eq!(status.observed_generation, 7);
    assert_eq!(status.conditions[0].type_, "Verified");
    object["status"]["published"] = json!([]);
    let status = watched(&object).0.unwrap_err().status.unwrap();
    assert_eq!(
        (status.observed_generation, status.conditions.len()),
        (0, 1)
    );
    object["status"] = json!("lost");
    assert!(watched(&object).0.unwrap_err().status.is_none());
}
