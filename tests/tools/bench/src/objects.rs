//! The objects that are written: sources and resources as users write them, targets and status as the operator does.

use k8s_openapi::{
    ByteString, api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use serde_json::{Value, json};

use crate::requests::Metadata;

pub const REGION: &str = "eu-west-1";
pub const ACCOUNT: &str = "123456789012";
pub const ARN: &str = "arn:aws:iam::123456789012:user/connectors/orders";
const API_VERSION: &str = "awscredentials.dev/v1alpha1";
const KIND: &str = "StaticAwsCredentials";

pub fn source_name(number: usize) -> String {
    format!("orders-{number:05}-key-pair")
}

pub fn resource_name(number: usize) -> String {
    format!("orders-{number:05}")
}

/// The operator's default name, for a spec without one.
pub fn target_name(number: usize) -> String {
    format!("orders-{number:05}-credentials")
}

pub fn source(number: usize, pair: &(String, String)) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": { "name": source_name(number) },
        "stringData": string_data(pair),
    })
}

/// The patch with which a user rotates.
pub fn rotated(pair: &(String, String)) -> Value {
    json!({ "stringData": string_data(pair) })
}

fn string_data((id, secret): &(String, String)) -> Value {
    json!({ "AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret })
}

pub fn resource(number: usize) -> Value {
    json!({
        "apiVersion": API_VERSION, "kind": KIND,
        "metadata": { "name": resource_name(number) },
        "spec": { "secretRef": { "name": source_name(number) }, "region": REGION },
    })
}

/// The target with the layouts that a resource has by default; `replaces` is the version that is overwritten.
pub fn target(
    number: usize,
    (id, secret): &(String, String),
    owner: &Metadata,
    replaces: Option<&Metadata>,
) -> Value {
    let credentials =
        format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    let data = [
        ("AWS_ACCESS_KEY_ID", id.clone()),
        ("AWS_SECRET_ACCESS_KEY", secret.clone()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_DEFAULT_REGION", REGION.to_owned()),
        ("credentials", credentials),
        ("config", format!("[default]\nregion = {REGION}\n")),
    ];
    let data = data.map(|(key, value)| (key.to_owned(), ByteString(value.into_bytes())));
    let secret = Secret {
        metadata: ObjectMeta {
            name: Some(target_name(number)),
            uid: replaces.map(|target| target.uid.clone()),
            resource_version: replaces.map(|target| target.resource_version.clone()),
            ..ObjectMeta::default()
        },
        data: Some(data.into()),
        type_: Some("Opaque".to_owned()),
        ..Secret::default()
    };
    let mut target = json!(secret);
    let marks = json!({
        "labels": {
            "app.kubernetes.io/managed-by": "static-aws-credentials",
            "awscredentials.dev/uid": owner.uid,
        },
        "annotations": { "awscredentials.dev/adopt-by": owner.name },
        "ownerReferences": [{
            "apiVersion": API_VERSION, "kind": KIND, "controller": true,
            "name": owner.name, "uid": owner.uid,
        }],
    });
    if let (Some(Value::Object(metadata)), Value::Object(marks)) =
        (target.get_mut("metadata"), marks)
    {
        metadata.extend(marks);
    }
    target
}

/// The status for a version of a resource, about as long as the operator's.
pub fn status(number: usize, resource: &str, source: &Metadata, target: &Metadata) -> Value {
    let now = "2026-01-01T00:00:00Z";
    let condition = |kind: &str, reason: &str, message: &str| {
        json!({
            "type": kind, "status": "True", "reason": reason, "message": message,
            "lastTransitionTime": now,
        })
    };
    let ready = format!("Secret \"{}\" holds the key pair", target_name(number));
    json!({
        "metadata": { "resourceVersion": resource },
        "status": {
            "observedGeneration": 1,
            "conditions": [
                condition("Ready", "Published", &ready),
                condition("Verified", "Accepted", &format!("AWS accepted it as {ARN}")),
                condition("Published", "Published", &ready),
            ],
            "source": { "uid": source.uid, "resourceVersion": source.resource_version },
            "published": {
                "secretName": target_name(number), "uid": target.uid,
                "resourceVersion": target.resource_version, "keyIdSuffix": "AAAA",
                "revision": 1, "time": now,
            },
            "identity": { "accountId": ACCOUNT, "arn": ARN },
            "lastVerifiedTime": now, "settling": null,
            "binding": { "name": target_name(number) },
        },
    })
}
