//! A class as it is read: a class that this version cannot decode does not stop the watch of the others.
//!
//! kube's `DeserializeGuard` does the same by another intermediate form than JSON, which takes 0.2 MB of the program.

use std::borrow::Cow;

use kube::{Resource, api::ObjectMeta};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::{
    api::{AwsCredentialsClass, AwsCredentialsClassSpec},
    domain::words,
};

/// A class, or why it cannot be decoded.
#[derive(Clone, Debug)]
pub struct WatchedClass(pub Result<AwsCredentialsClass, UndecodableClass>);

/// A class that cannot be decoded.
#[derive(Clone, Debug)]
pub struct UndecodableClass {
    /// The decoding error.
    pub error: String,
    metadata: ObjectMeta,
}

#[derive(Deserialize)]
struct Parts {
    metadata: Metadata,
    #[serde(default)]
    spec: Value,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    name: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    generation: Option<i64>,
}

impl<'de> Deserialize<'de> for WatchedClass {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let Parts { metadata, spec } = Parts::deserialize(input)?;
        let metadata = ObjectMeta {
            name: metadata.name,
            uid: metadata.uid,
            resource_version: metadata.resource_version,
            generation: metadata.generation,
            ..ObjectMeta::default()
        };
        Ok(Self(
            match serde_json::from_value::<AwsCredentialsClassSpec>(spec) {
                Ok(spec) => Ok(AwsCredentialsClass { metadata, spec }),
                Err(error) => Err(UndecodableClass {
                    error: words::foreign(&error.to_string()),
                    metadata,
                }),
            },
        ))
    }
}

impl Resource for WatchedClass {
    type DynamicType = ();
    type Scope = <AwsCredentialsClass as Resource>::Scope;

    fn kind((): &()) -> Cow<'_, str> {
        AwsCredentialsClass::kind(&())
    }

    fn group((): &()) -> Cow<'_, str> {
        AwsCredentialsClass::group(&())
    }

    fn version((): &()) -> Cow<'_, str> {
        AwsCredentialsClass::version(&())
    }

    fn plural((): &()) -> Cow<'_, str> {
        AwsCredentialsClass::plural(&())
    }

    fn meta(&self) -> &ObjectMeta {
        match &self.0 {
            Ok(class) => &class.metadata,
            Err(invalid) => &invalid.metadata,
        }
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        match &mut self.0 {
            Ok(class) => &mut class.metadata,
            Err(invalid) => &mut invalid.metadata,
        }
    }
}
