//! The watched form of a resource: an undecodable resource does not stop the watch of the others.
//!
//! `Resource` is implemented here although [`PartialMeta`](crate::runtime::partial_meta::PartialMeta) implements it
//! alike: here the metadata is in one of 2 places, and one generic type for both would be longer.

use std::{borrow::Cow, collections::BTreeMap};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{Resource, api::ObjectMeta};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::{
    api::{StaticAwsCredentials, StaticAwsCredentialsSpec, StaticAwsCredentialsStatus},
    domain::{resource::Undecodable, words},
};

/// A resource, or why it cannot be decoded. `managedFields` and the last-applied annotation are
/// most of a stored object; no decision needs them, so they are skipped.
#[derive(Clone, Debug)]
pub struct WatchedCredentials(pub Result<StaticAwsCredentials, Box<Undecodable>>);

/// Spec and status are decoded after the metadata, so that a decoding error has a resource.
#[derive(Deserialize)]
struct Parts {
    metadata: Metadata,
    #[serde(default)]
    spec: Value,
    status: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    generation: Option<i64>,
    labels: Option<BTreeMap<String, String>>,
    creation_timestamp: Option<Time>,
    deletion_timestamp: Option<Time>,
}

impl<'de> Deserialize<'de> for WatchedCredentials {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let parts = Parts::deserialize(input)?;
        let metadata = ObjectMeta {
            name: parts.metadata.name,
            namespace: parts.metadata.namespace,
            uid: parts.metadata.uid,
            resource_version: parts.metadata.resource_version,
            generation: parts.metadata.generation,
            labels: parts.metadata.labels,
            creation_timestamp: parts.metadata.creation_timestamp,
            deletion_timestamp: parts.metadata.deletion_timestamp,
            ..ObjectMeta::default()
        };
        Ok(Self(match decode(parts.spec, parts.status) {
            Ok((spec, status)) => Ok(StaticAwsCredentials {
                metadata,
                spec,
                status,
            }),
            Err(undecoded) => {
                let (error, status) = *undecoded;
                Err(Box::new(Undecodable {
                    error: words::foreign(&error),
                    metadata,
                    status,
                }))
            }
        }))
    }
}

/// Larger than any spec that the schema accepts. A spec stored before the schema had its bounds may
/// be larger still, and would be kept, compressed and decoded again for each reconcile.
const LARGEST_SPEC: usize = 48 << 10;

type Status = Option<StaticAwsCredentialsStatus>;

/// Spec and status, or the decoding error with the decodable part of the status.
fn decode(
    spec: Value,
    status: Option<Value>,
) -> Result<(StaticAwsCredentialsSpec, Status), Box<(String, Status)>> {
    let conditions = status
        .as_ref()
        .and_then(|status| status.get("conditions"))
        .cloned();
    let status = match status.map(serde_json::from_value).transpose() {
        Ok(status) => status,
        Err(error) => {
            let conditions = conditions.and_then(|all| serde_json::from_value(all).ok());
            let status = conditions.map(|conditions| StaticAwsCredentialsStatus {
                conditions,
                ..StaticAwsCredentialsStatus::default()
            });
            return Err(Box::new((error.to_string(), status)));
        }
    };
    match decode_spec(spec) {
        Ok(spec) => Ok((spec, status)),
        Err(error) => Err(Box::new((error, status))),
    }
}

fn decode_spec(spec: Value) -> Result<StaticAwsCredentialsSpec, String> {
    let size = size(&spec);
    if size > LARGEST_SPEC {
        return Err(format!(
            "spec has {size} bytes, and none that the schema takes has more than {LARGEST_SPEC}; \
             shorten spec.target.keys, or what else is long"
        ));
    }
    serde_json::from_value(spec).map_err(|error| error.to_string())
}

/// The bytes of all strings and field names in a value, plus 1 for each value that is not a string.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum::<usize>() + 1,
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| name.len() + size(value));
            fields.sum::<usize>() + 1
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
    }
}

impl Resource for WatchedCredentials {
    type DynamicType = ();
    type Scope = <StaticAwsCredentials as Resource>::Scope;

    fn kind((): &()) -> Cow<'_, str> {
        StaticAwsCredentials::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        StaticAwsCredentials::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        StaticAwsCredentials::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        StaticAwsCredentials::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        match &self.0 {
            Ok(object) => &object.metadata,
            Err(invalid) => &invalid.metadata,
        }
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        match &mut self.0 {
            Ok(object) => &mut object.metadata,
            Err(invalid) => &mut invalid.metadata,
        }
    }
}

#[cfg(test)]
mod tests;
