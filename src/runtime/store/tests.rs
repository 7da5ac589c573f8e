//! Content and size of a scope's store of resources.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::{
    api::StaticAwsCredentials,
    domain::{
        index::NamespacedName, reconcile::state::PendingStatus, resource::Undecodable, uid::Uid,
    },
    runtime::{compressed::CompressedObject, store::Store},
};
use serde_json::{Value, json};

const UID: &str = "5f8a7c1e-0b1d-4a52-9c3f-2f6f0a3b9d10";

fn condition(kind: &str, reason: &str, message: &str) -> Value {
    json!({
        "type": kind, "status": "True", "reason": reason, "message": message,
        "lastTransitionTime": "2026-11-25T12:34:56Z",
    })
}

/// A settled resource as the API server returns it.
fn settled(number: u32) -> StaticAwsCredentials {
    let mixed = number.wrapping_mul(2_654_435_761);
    let uid = |part: u32| format!("{mixed:08x}-0b1d-4a52-9c3f-2f6f{:08x}", mixed ^ part);
    let name = format!("resource-{number:05}");
    let object = json!({
        "apiVersion": "awscredentials.dev/v1alpha1",
        "kind": "StaticAwsCredentials",
        "metadata": {
            "name": name, "namespace": "team-a", "uid": uid(1), "generation": 2,
            "resourceVersion": (100_000 + number).to_string(),
            "creationTimestamp": "2026-11-25T12:34:50Z",
            "labels": { "app": "orders" },
            "annotations": { "kubectl.kubernetes.io/last-applied-configuration": "{}".repeat(500) },
            "managedFields": [{ "manager": "kubectl", "operation": "Apply" }],
        },
        "spec": { "secretRef": { "name": format!("{name}-key-pair") }, "region": "eu-west-1" },
        "status": {
            "observedGeneration": 2,
            "source": { "uid": uid(2), "resourceVersion": (90_000 + number).to_string() },
            "published": {
                "secretName": format!("{name}-credentials"), "uid": uid(3),
                "resourceVersion": (95_000 + number).to_string(),
                "keyIdSuffix": "QUA5", "revision": 1, "time": "2026-11-25T12:34:56Z",
            },
            "identity": {
                "accountId": "123456789012",
                "arn": format!("arn:aws:iam::123456789012:user/connectors/{name}"),
            },
            "lastVerifiedTime": "2026-11-25T12:34:56Z",
            "binding": { "name": format!("{name}-credentials") },
            "conditions": [
                condition("Ready", "Published", &format!("Secret \"{name}-credentials\" holds the key pair ending in QUA5")),
                condition("Verified", "Accepted", "AWS accepted the key pair"),
                condition("Published", "Published", &format!("Secret \"{name}-credentials\" holds what was last published")),
            ],
        },
    });
    serde_json::from_value(object).unwrap()
}

fn key(name: &str) -> NamespacedName {
    NamespacedName::new("team-a", name)
}

fn pruned(mut object: StaticAwsCredentials) -> StaticAwsCredentials {
    object.metadata.labels = None;
    object.metadata.annotations = None;
    object.metadata.managed_fields = None;
    object
}

fn value(object: &StaticAwsCredentials) -> Value {
    serde_json::to_value(object).unwrap()
}

#[test]
fn a_resource_comes_back_without_what_no_decision_needs() {
    for number in 0..100 {
        let object = settled(number);
        let unpacked = CompressedObject::new(&object, &[]).unpack().unwrap();
        assert_eq!(value(&unpacked), value(&pruned(object)));
    }
}

#[test]
fn a_resource_that_is_being_deleted_still_is() {
    let mut object = settled(1);
    object.metadata.deletion_timestamp = object.metadata.creation_timestamp.clone();
    let unpacked = CompressedObject::new(&object, &[]).unpack().unwrap();
    assert!(unpacked.metadata.deletion_timestamp.is_some());
}

#[test]
fn only_copied_labels_come_back() {
    let mut object = settled(1);
    let label = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    let labels = [("team", "storage"), ("helm.sh/chart", "orders-1")].map(label);
    object.metadata.labels = Some(labels.into());
    let keys = ["team".to_owned(), "absent".to_owned()];
    let unpacked = CompressedObject::new(&object, &keys).unpack().unwrap();
    assert_eq!(
        unpacked.metadata.labels,
        Some([label(("team", "storage"))].into())
    );
    let unpacked = CompressedObject::new(&object, &[]).unpack().unwrap();
    assert_eq!(unpacked.metadata.labels, None);
}

/// The store grows with each resource; 10,000 resources must fit.
#[test]
fn a_settled_resource_takes_few_bytes() {
    let total: usize = (0..1000)
        .map(|number| CompressedObject::new(&settled(number), &[]).size())
        .sum();
    println!("figure: {} bytes for each packed resource", total / 1000);
    assert!(total / 1000 <= 640, "{} bytes", total / 1000);
}

/// The status that this process wrote last overrides an older watch event, and is dropped when the watch delivers it,
/// since it would be a second copy.
#[test]
fn a_written_status_is_dropped_when_the_watch_delivers_it() {
    let mut store = Store::default();
    let (one, uid, object) = (key("one"), Uid::from(UID), settled(1));
    let version: u64 = object
        .metadata
        .resource_version
        .as_deref()
        .unwrap()
        .parse()
        .unwrap();
    let write = |store: &mut Store, version: u64| {
        let status = object.status.clone().unwrap();
        store.upsert(&one, uid.clone(), Ok(&object));
        store.with_state(&one, &uid, |state| {
            state.failures.credentials = 7;
            state.written = Some(Box::new(PendingStatus {
                version,
                status,
                epoch: 0,
            }));
        });
        store.upsert(&one, uid.clone(), Ok(&object));
        store.with_state(&one, &uid, |state| {
            (state.written.is_some(), state.failures.credentials)
        })
    };
    assert_eq!(
        write(&mut store, version + 1),
        (true, 7),
        "the watch is behind"
    );
    assert_eq!(write(&mut store, version), (false, 7));
    assert_eq!(write(&mut store, version - 1), (false, 7), "a later write");
}

#[test]
fn the_runtime_state_goes_with_the_resource() {
    let mut store = Store::default();
    let (one, uid) = (key("one"), Uid::from(UID));
    let fail = |store: &mut Store, uid: &Uid| {
        store.with_state(&one, uid, |state| {
            state.failures.credentials += 1;
            state.failures.credentials
        })
    };
    assert_eq!(fail(&mut store, &uid), 1);
    assert_eq!(
        fail(&mut store, &uid),
        1,
        "the store does not have the resource"
    );
    store.upsert(&one, uid.clone(), Ok(&settled(1)));
    assert_eq!((fail(&mut store, &uid), fail(&mut store, &uid)), (1, 2));
    store.upsert(&one, uid.clone(), Ok(&settled(2)));
    assert_eq!(fail(&mut store, &uid), 3, "a change of it changes nothing");
    store.clear_states();
    assert_eq!(fail(&mut store, &uid), 1);
    let other_uid = Uid::from("another");
    store.upsert(&one, other_uid.clone(), Ok(&settled(1)));
    assert_eq!(
        fail(&mut store, &uid),
        1,
        "a reconcile of the previous resource"
    );
    assert_eq!(
        (fail(&mut store, &other_uid), fail(&mut store, &other_uid)),
        (1, 2)
    );
    store.remove(&one);
    assert!(store.object(&one).is_none() && store.intern(&one).is_none());
    store.upsert(&one, other_uid.clone(), Ok(&settled(1)));
    assert_eq!(fail(&mut store, &other_uid), 1);
}

#[test]
fn an_undecodable_resource_is_kept_until_it_can_be_decoded() {
    let mut store = Store::default();
    let one = key("one");
    let invalid = Undecodable {
        error: "missing field `secretRef`".to_owned(),
        ..Undecodable::default()
    };
    store.upsert(&one, UID.into(), Err(Box::new(invalid)));
    let error = store.object(&one).unwrap().unwrap_err().error;
    assert_eq!(error, "missing field `secretRef`");
    store.upsert(&one, UID.into(), Ok(&settled(1)));
    assert!(store.object(&one).unwrap().is_ok());
    assert_eq!(store.keys().collect::<Vec<_>>(), [&one]);
}

#[test]
fn a_resource_that_a_list_lacks_is_removed_decoded_or_not() {
    let mut store = Store::default();
    let names = ["decoded", "never-decoded", "there"].map(key);
    let invalid = || Undecodable {
        error: "it cannot be decoded".to_owned(),
        ..Undecodable::default()
    };
    store.upsert(&names[0], UID.into(), Ok(&settled(1)));
    store.upsert(&names[1], UID.into(), Err(Box::new(invalid())));
    store.upsert(&names[2], UID.into(), Err(Box::new(invalid())));
    store.start_relist();
    store.upsert(&names[2], UID.into(), Err(Box::new(invalid())));
    assert_eq!(store.finish_relist(), [names[0].clone(), names[1].clone()]);
    assert_eq!(store.keys().collect::<Vec<_>>(), [&names[2]]);
}

#[test]
fn the_resources_that_aws_accepted_last_come_first_and_no_namespace_fills_the_list() {
    let mut store = Store::default();
    let mut keep = |namespace: &str, number: u32, minute: u32, ready: &str| {
        let mut object = serde_json::to_value(settled(number)).unwrap();
        object["metadata"]["namespace"] = json!(namespace);
        let at = format!("2026-11-25T12:{minute:02}:00Z");
        object["status"]["lastVerifiedTime"] = json!(at);
        object["status"]["conditions"][0]["status"] = json!(ready);
        let object: StaticAwsCredentials = serde_json::from_value(object).unwrap();
        let name = object.metadata.name.clone().unwrap();
        let key = NamespacedName::new(namespace, &name);
        store.upsert(&key, UID.into(), Ok(&object));
    };
    for number in 0..10 {
        keep("team-a", number, 30 + number, "True");
    }
    keep("team-b", 10, 20, "True");
    keep("team-c", 11, 59, "False");
    let accepted = store.accepted_lately(2);
    let names: Vec<String> = accepted.iter().map(|(_, key)| key.to_string()).collect();
    let last = [
        "team-a/resource-00009",
        "team-a/resource-00008",
        "team-b/resource-00010",
    ];
    assert_eq!(names, last);
}
