//! The partial metadata of a Secret contains every field that decisions use.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::{domain::index::SecretVersion, runtime::partial_meta::PartialMeta};
use k8s_openapi::api::{apps::v1::Deployment, core::v1::Secret};
use kube::{Resource, ResourceExt, core::PartialObjectMeta};
use serde_json::{Value, json};

fn partial_meta(metadata: &Value) -> PartialMeta {
    let object = json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
    });
    serde_json::from_str(&object.to_string()).unwrap()
}

fn metadata(with: &Value) -> Value {
    let mut metadata = json!({
        "name": "orders-aws",
        "namespace": "shop",
        "uid": "d2f1f3c5-63c8-4a5e-9c56-0f5a1c2b3d4e",
        "resourceVersion": "4711",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [{
            "manager": "static-aws-credentials",
            "operation": "Update",
            "apiVersion": "v1",
            "time": "2026-01-01T00:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": { "f:data": { ".": {}, "f:config": {} } },
        }],
    });
    for (key, value) in with.as_object().unwrap() {
        metadata[key] = value.clone();
    }
    metadata
}

fn owner(controller: bool) -> Value {
    json!([{
        "apiVersion": "awscredentials.dev/v1alpha1",
        "kind": "StaticAwsCredentials",
        "name": "orders",
        "uid": "11111111-2222-3333-4444-555555555555",
        "controller": controller,
    }])
}

#[test]
fn every_field_that_decisions_use_is_read() {
    let marked = json!({ "awscredentials.dev/uid": "11111111-2222-3333-4444-555555555555" });
    let all = [
        json!({}),
        json!({ "labels": null, "annotations": null, "ownerReferences": null }),
        json!({ "labels": marked }),
        json!({ "labels": marked, "ownerReferences": owner(true) }),
        json!({ "labels": marked, "ownerReferences": owner(false) }),
        json!({ "labels": { "team": "a" }, "ownerReferences": owner(true) }),
        json!({ "annotations": {} }),
        json!({ "annotations": { "awscredentials.dev/adopt-by": "orders" } }),
        json!({ "annotations": { "note": "a \"quoted\" \u{1F600} value\n" } }),
        json!({ "finalizers": ["example.com/keep"] }),
        json!({ "deletionTimestamp": "2026-01-01T00:00:00Z" }),
        json!({ "resourceVersion": "not a number" }),
        json!({ "uid": null }),
    ];
    let mut seen = Vec::new();
    for with in &all {
        let metadata = metadata(with);
        let partial_meta = partial_meta(&metadata);
        let full: PartialObjectMeta<Secret> =
            serde_json::from_value(json!({ "metadata": metadata })).unwrap();
        assert_eq!(
            SecretVersion::of(partial_meta.meta()),
            SecretVersion::of(&full.metadata),
            "{with}"
        );
        assert_eq!(partial_meta.meta().name, full.metadata.name);
        assert_eq!(partial_meta.meta().namespace, full.metadata.namespace);
        seen.push(SecretVersion::of(partial_meta.meta()));
    }
    let marked =
        |seen: &&Option<SecretVersion>| seen.as_ref().is_some_and(|seen| seen.owner_uid.is_some());
    assert_eq!(seen.iter().filter(marked).count(), 1);
    let plain =
        |seen: &&Option<SecretVersion>| seen.as_ref().is_some_and(|seen| seen.only_our_metadata);
    assert_eq!(seen.iter().filter(plain).count(), 7);
    assert_eq!(seen.iter().filter(|seen| seen.is_none()).count(), 2);
}

#[test]
fn fields_that_no_decision_uses_are_not_kept() {
    let value = "x".repeat(200_000);
    let partial_meta = partial_meta(&metadata(&json!({ "annotations": { "note": value } })));
    let kept = serde_json::to_string(partial_meta.meta()).unwrap();
    assert!(
        kept.contains("note") && kept.len() < 300,
        "{} bytes",
        kept.len()
    );
    assert!(partial_meta.meta().managed_fields.is_none());
}

#[test]
fn only_metadata_is_requested() {
    assert!(<PartialMeta>::metadata_api());
    assert_eq!(
        <PartialMeta>::url_path(&(), Some("shop")),
        Secret::url_path(&(), Some("shop"))
    );
}

#[test]
fn a_response_to_a_write_may_be_of_any_kind() {
    let answer = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": metadata(&json!({})),
        "spec": { "replicas": 3 },
        "status": { "replicas": "not a number" },
    });
    let partial_meta: PartialMeta<Deployment> = serde_json::from_value(answer).unwrap();
    assert_eq!(partial_meta.resource_version().as_deref(), Some("4711"));
    assert_eq!(
        PartialMeta::<Deployment>::url_path(&(), Some("shop")),
        Deployment::url_path(&(), Some("shop"))
    );
}

#[test]
fn an_invalid_object_is_an_error() {
    for text in ["{}", "[]", r#"{"metadata":3}"#, r#"{"metadata":{"uid":1}}"#] {
        assert!(serde_json::from_str::<PartialMeta>(text).is_err(), "{text}");
    }
}
