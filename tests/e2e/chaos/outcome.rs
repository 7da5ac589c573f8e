//! The final state of a namespace without UIDs, versions and times, which differ from run to run.
//! Used to compare two runs of the same scenario.

use std::{collections::BTreeMap, fmt};

use anyhow::Result;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client, ResourceExt, api::ListParams};
use serde_json::{Value, json};
use static_aws_credentials::api::{Published, StaticAwsCredentials};

use crate::harness::{actions::UID_LABEL, barrier};

/// Every resource and every Secret of a namespace, by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub resources: BTreeMap<String, Value>,
    pub secrets: BTreeMap<String, Value>,
}

impl Outcome {
    /// The present state.
    pub async fn of(client: Client, namespace: &str) -> Result<Self> {
        let resources: Api<StaticAwsCredentials> = Api::namespaced(client.clone(), namespace);
        let resources = resources.list(&ListParams::default()).await?.items;
        let secrets: Api<Secret> = Api::namespaced(client, namespace);
        let mut secrets = secrets.list(&ListParams::default()).await?.items;
        // The marker Secret comes from `until_idle` of the test, not from the scenario.
        secrets.retain(|secret| secret.name_any() != barrier::MARKER);
        let stood = |object: &StaticAwsCredentials| {
            (object.name_any(), essence_of_resource(object, &secrets))
        };
        let stored = |secret: &Secret| (secret.name_any(), essence_of_secret(secret, &resources));
        Ok(Self {
            resources: resources.iter().map(stood).collect(),
            secrets: secrets.iter().map(stored).collect(),
        })
    }

    /// A condition as `True Published`, or empty.
    pub fn condition(&self, name: &str, kind: &str) -> &str {
        let resource = self.resources.get(name);
        let condition = resource.and_then(|resource| resource["conditions"][kind].as_str());
        condition.unwrap_or_default()
    }

    /// Whether a resource's status refers to the present spec, source and target.
    pub fn is_current(&self, name: &str) -> bool {
        let resource = self.resources.get(name);
        resource.is_some_and(|resource| resource["current"] == json!([true, true, true]))
    }

    /// A value of a Secret, as text.
    pub fn value(&self, secret: &str, key: &str) -> Option<&str> {
        self.secrets.get(secret)?["data"][key].as_str()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, resource) in &self.resources {
            writeln!(formatter, "resource {name}: {resource}")?;
        }
        for (name, secret) in &self.secrets {
            writeln!(formatter, "secret {name}: {secret}")?;
        }
        Ok(())
    }
}

fn essence_of_resource(object: &StaticAwsCredentials, secrets: &[Secret]) -> Value {
    let status = object.status.clone().unwrap_or_default();
    let find = |name: &str| secrets.iter().find(|secret| secret.name_any() == name);
    let version = |secret: &Secret| (secret.uid(), secret.resource_version());
    let source = find(&object.spec.secret_ref.name).map(version);
    let seen = status.source.as_ref();
    let seen = seen.map(|seen| (Some(seen.uid.clone()), Some(seen.resource_version.clone())));
    let stands = |published: &Published| {
        let expected = (
            Some(published.uid.clone()),
            Some(published.resource_version.clone()),
        );
        find(&published.secret_name).map(version) == Some(expected)
    };
    let conditions: BTreeMap<&str, String> = status
        .conditions
        .iter()
        .map(|condition| {
            let says = format!("{} {}", condition.status, condition.reason);
            (condition.type_.as_str(), says)
        })
        .collect();
    let published = status.published.as_ref();
    json!({
        "conditions": conditions,
        "current": [
            Some(status.observed_generation) == object.metadata.generation,
            seen == source,
            published.is_none_or(stands),
        ],
        "published": published.map(|it| json!([it.secret_name, it.key_id_suffix, it.revision])),
        "identity": status.identity,
        "verified": status.last_verified_time.is_some(),
        "binding": status.binding.map(|binding| binding.name),
        "settling": status.settling.map(|settling| settling.key_id_suffix),
    })
}

fn essence_of_secret(secret: &Secret, resources: &[StaticAwsCredentials]) -> Value {
    let whose = |uid: &str| {
        let owner = resources.iter().find(|it| it.uid().as_deref() == Some(uid));
        owner.map_or_else(
            || "of nobody".to_owned(),
            |it| format!("of {}", it.name_any()),
        )
    };
    let mut labels = secret.labels().clone();
    if let Some(uid) = labels.get_mut(UID_LABEL) {
        *uid = whose(uid);
    }
    let owner = |by: &k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference| {
        json!([
            by.kind,
            by.name,
            whose(&by.uid),
            by.controller,
            by.block_owner_deletion
        ])
    };
    let data: BTreeMap<&String, String> = secret
        .data
        .iter()
        .flatten()
        .map(|(key, value)| (key, String::from_utf8_lossy(&value.0).into_owned()))
        .collect();
    json!({
        "type": secret.type_,
        "immutable": secret.immutable,
        "labels": labels,
        "annotations": secret.annotations(),
        "owners": secret.owner_references().iter().map(owner).collect::<Vec<_>>(),
        "finalizers": secret.finalizers(),
        "leaving": secret.metadata.deletion_timestamp.is_some(),
        "data": data,
    })
}
