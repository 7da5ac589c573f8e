//! Random changes in the cluster, with their weights, and the resources that result.

use crate::{
    domain::{index::tests::TEAM, resource::Undecodable},
    runtime::watch::WatchedCredentials,
};
use kube::api::ObjectMeta;
use proptest::prelude::*;
use serde_json::json;

use super::{RESOURCES, SECRETS};

/// A change in the cluster, or an event of the two watches.
#[derive(Clone, Debug)]
pub enum Change {
    Resource(ResourceChange),
    ResourceGone(usize),
    Secret(usize, Option<(usize, u8)>),
    SecretGone(usize),
    BreakResources,
    BreakSecrets,
    ListResources,
    ListSecrets,
}

/// A resource that is created, updated or replaced.
#[derive(Clone, Debug)]
pub struct ResourceChange {
    pub resource: usize,
    pub is_replaced: bool,
    created: i64,
    target: usize,
    published: bool,
    decodable: bool,
}

/// Any change.
pub fn changes() -> impl Strategy<Value = Change> {
    let resource = (
        0..3_usize,
        prop::bool::weighted(0.2),
        0..3_i64,
        0..3_usize,
        prop::bool::ANY,
        prop::bool::weighted(0.8),
    );
    let owner = prop::option::of((0..3_usize, 0..3_u8));
    prop_oneof![
        8 => resource.prop_map(|(resource, is_replaced, created, target, published, decodable)| {
            Change::Resource(ResourceChange {
                resource, is_replaced, created, target, published, decodable,
            })
        }),
        2 => (0..3_usize).prop_map(Change::ResourceGone),
        4 => (0..3_usize, owner).prop_map(|(secret, owner)| Change::Secret(secret, owner)),
        1 => (0..3_usize).prop_map(Change::SecretGone),
        1 => Just(Change::BreakResources),
        1 => Just(Change::BreakSecrets),
        2 => Just(Change::ListResources),
        1 => Just(Change::ListSecrets),
    ]
}

impl ResourceChange {
    /// A decodable resource, or an undecodable one with metadata only.
    pub fn object(&self, incarnation: u8, version: u64) -> WatchedCredentials {
        let (name, target) = (RESOURCES[self.resource], SECRETS[self.target]);
        let metadata = json!({
            "name": name, "namespace": TEAM, "uid": uid_of(self.resource, incarnation),
            "resourceVersion": version.to_string(),
            "creationTimestamp": format!("2026-01-01T00:00:0{}Z", self.created),
        });
        let status = json!({ "published": {
            "secretName": target, "uid": "u", "resourceVersion": "1", "keyIdSuffix": "QUA5",
            "revision": 1, "time": "2026-01-01T00:00:00Z",
        }});
        let object = json!({
            "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
            "metadata": metadata,
            "spec": { "secretRef": { "name": "source" }, "target": { "name": target } },
            "status": self.published.then_some(status),
        });
        if self.decodable {
            return WatchedCredentials(Ok(serde_json::from_value(object).unwrap()));
        }
        let metadata: ObjectMeta = serde_json::from_value(object["metadata"].clone()).unwrap();
        let error = "it cannot be decoded".to_owned();
        WatchedCredentials(Err(Box::new(Undecodable {
            error,
            metadata,
            status: None,
        })))
    }
}

/// The UID of an incarnation of a resource.
pub fn uid_of(resource: usize, incarnation: u8) -> String {
    format!("{}-{incarnation}", RESOURCES[resource])
}
