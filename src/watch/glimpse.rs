//! What is read of a Secret that passes by. Values of annotations and the fields' managers may be
//! hundreds of kilobytes, and nothing is decided by them, so no memory is given to them.

use std::{borrow::Cow, collections::BTreeMap};

use k8s_openapi::{
    api::core::v1::Secret,
    apimachinery::pkg::apis::meta::v1::{OwnerReference, Time},
};
use kube::{Resource, api::ObjectMeta};
use serde::{Deserialize, Deserializer, de::IgnoredAny};

/// A Secret as the API server tells of its metadata. Its annotations have no values.
#[derive(Clone, Debug, Deserialize)]
pub struct Glimpse {
    #[serde(deserialize_with = "glance")]
    metadata: ObjectMeta,
}

/// What takes the place of a value.
struct Skipped(String);

impl<'de> Deserialize<'de> for Skipped {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(input).map(|_| Self(String::new()))
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, Skipped>>,
    owner_references: Option<Vec<OwnerReference>>,
    finalizers: Option<Vec<String>>,
    deletion_timestamp: Option<Time>,
}

fn glance<'de, D: Deserializer<'de>>(input: D) -> Result<ObjectMeta, D::Error> {
    let read = Metadata::deserialize(input)?;
    let without_values = |annotations: BTreeMap<String, Skipped>| {
        let all = annotations.into_iter();
        all.map(|(key, Skipped(nothing))| (key, nothing)).collect()
    };
    Ok(ObjectMeta {
        name: read.name,
        namespace: read.namespace,
        uid: read.uid,
        resource_version: read.resource_version,
        labels: read.labels,
        annotations: read.annotations.map(without_values),
        owner_references: read.owner_references,
        finalizers: read.finalizers,
        deletion_timestamp: read.deletion_timestamp,
        ..ObjectMeta::default()
    })
}

impl Resource for Glimpse {
    type DynamicType = ();
    type Scope = <Secret as Resource>::Scope;

    fn metadata_api() -> bool {
        true
    }

    fn kind((): &()) -> Cow<'_, str> {
        Secret::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        Secret::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        Secret::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        Secret::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
