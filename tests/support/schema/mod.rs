//! The promises of the definition's schema, as data: `tests/repository/crds` tests them on the definition alone,
//! `tests/api_server/crd` on a real API server.

pub mod bounds;
pub mod cases;
mod class_ref;
pub mod definition;
#[path = "../layouts.rs"]
mod layouts;
mod rotation;
mod source;
mod status_bounds;
mod target;
mod validation;

use serde_json::{Value, json};

/// The smallest valid object.
pub fn valid() -> Value {
    json!({
        "apiVersion": "awscredentials.dev/v1alpha1",
        "kind": "StaticAwsCredentials",
        "metadata": {"name": "orders"},
        "spec": {"secretRef": {"name": "orders-key-pair"}, "region": "eu-west-1"},
    })
}

/// The spec of [`valid`] with every default, as the API server stores it.
pub fn defaulted_spec() -> Value {
    json!({
        "secretRef": {
            "name": "orders-key-pair",
            "accessKeyIdKey": "AWS_ACCESS_KEY_ID",
            "secretAccessKeyKey": "AWS_SECRET_ACCESS_KEY",
        },
        "region": "eu-west-1",
        "validation": {"level": "Identity", "rootUser": "Deny", "interval": "1h", "onRejected": "Keep"},
        "target": {"layouts": ["Env", "SharedCredentialsFile"], "deletionPolicy": "Delete"},
        "suspend": false,
    })
}

/// [`valid`], changed by a JSON merge patch.
pub fn changed(patch: &Value) -> Value {
    let mut object = valid();
    merge(&mut object, patch);
    object
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            target.as_object_mut().and_then(|map| map.remove(key));
        } else {
            merge(&mut target[key], value);
        }
    }
}
