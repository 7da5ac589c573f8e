//! The owner of the Secret under the target's name.

use std::collections::BTreeMap;

use crate::sim::{SOURCE, TARGET, World, alpha, beta, data, resource};
use k8s_openapi::{api::core::v1::Secret, apimachinery::pkg::apis::meta::v1::OwnerReference};
use static_aws_credentials::{
    api::{ADOPT_BY_ANNOTATION, DeletionPolicy, UID_LABEL},
    domain::managers::{MANAGERS, Mark},
};

const READY: &str =
    "Ready=True Published, Verified=True IdentityVerified, Published=True Published";

type Cause = (&'static str, Box<dyn Fn(&mut Secret)>);

fn world_with(target: impl FnOnce(&mut Secret)) -> World {
    let mut world = World::new();
    world.fill(SOURCE, &alpha());
    world.store.edit(TARGET, |secret| {
        secret.data = Some(data(&[("precious", "data")]));
        target(secret);
    });
    world
}

fn consent(secret: &mut Secret) {
    let annotations = secret.metadata.annotations.get_or_insert_default();
    annotations.insert(ADOPT_BY_ANNOTATION.to_owned(), "orders".to_owned());
}

#[test]
fn a_foreign_secret_of_the_name_is_left_alone() {
    let mut world = world_with(|_| {});
    let before = world.store.secret(TARGET).cloned();
    world.store.apply(resource("orders"));
    world.settle_twice();
    assert_eq!(world.store.secret(TARGET).cloned(), before);
    assert_eq!(
        world.state(),
        "Ready=False TargetConflict, Verified=True IdentityVerified, Published=False TargetConflict, Stalled"
    );
    world.store.delete(TARGET, None).unwrap();
    world.settle_twice();
    assert_eq!(world.state(), READY);
    assert_eq!(world.questions(), 1);
}

#[test]
fn our_label_alone_makes_no_secret_ours() {
    let mut world = World::new();
    world.fill(SOURCE, &alpha());
    world.store.apply(resource("orders"));
    let uid = world.store.resources["orders"]
        .metadata
        .uid
        .clone()
        .unwrap();
    world.store.edit(TARGET, |secret| {
        secret.metadata.labels = Some(BTreeMap::from([(UID_LABEL.to_owned(), uid)]));
    });
    world.settle_twice();
    assert!(
        world.state().starts_with("Ready=False TargetConflict"),
        "{}",
        world.state()
    );
}

#[test]
fn a_secret_that_consents_is_taken_over_whole() {
    let mut world = world_with(|secret| {
        consent(secret);
        let labels = secret.metadata.labels.get_or_insert_default();
        labels.insert("replicate-to".to_owned(), "everywhere".to_owned());
    });
    world.store.apply(resource("orders"));
    world.settle_twice();
    assert_eq!(world.state(), READY);
    let secret = world.store.secret(TARGET).unwrap();
    assert!(
        !secret
            .metadata
            .labels
            .as_ref()
            .unwrap()
            .contains_key("replicate-to")
    );
    assert!(!secret.data.as_ref().unwrap().contains_key("precious"));
    assert_eq!(world.target(), Some(alpha()));
}

#[test]
fn a_secret_that_consents_is_not_touched_before_a_pair_is_proven() {
    let mut world = world_with(consent);
    world.fill(SOURCE, &alpha().with_wrong_secret());
    let before = world.store.secret(TARGET).cloned();
    world.store.apply(resource("orders"));
    world.settle_twice();
    assert_eq!(world.store.secret(TARGET).cloned(), before);
    assert!(world.state().starts_with("Ready=False SignatureMismatch"));
}

#[test]
fn consent_to_another_resource_is_none() {
    let mut world = world_with(consent);
    let mut second = resource("second");
    second.spec.target.name = Some(TARGET.to_owned());
    world.fill("second-key-pair", &beta());
    world.store.apply(second);
    world.settle_twice();
    assert!(
        world
            .state_of("second")
            .starts_with("Ready=False TargetConflict")
    );
}

#[test]
fn adoption_is_refused_with_its_cause() {
    let owner = OwnerReference {
        uid: "u".to_owned(),
        ..OwnerReference::default()
    };
    let causes: [Cause; 4] = [
        (
            "immutable",
            Box::new(|secret| secret.immutable = Some(true)),
        ),
        (
            "not of type Opaque",
            Box::new(|secret| secret.type_ = Some("a/b".to_owned())),
        ),
        (
            "a finalizer",
            Box::new(|secret| secret.metadata.finalizers = Some(vec!["a/b".to_owned()])),
        ),
        (
            "another owner",
            Box::new(move |secret| {
                secret.metadata.owner_references = Some(vec![owner.clone()]);
            }),
        ),
    ];
    for (cause, make) in causes {
        assert_refused(cause, make);
    }
}

#[test]
fn what_another_tool_manages_is_not_adopted_whether_a_label_or_an_annotation_says_so() {
    for manager in &MANAGERS {
        for mark in manager.marks {
            let (key, value) = match mark {
                Mark::Key(key) => ((*key).to_owned(), "x"),
                Mark::Value(key, value) => ((*key).to_owned(), *value),
                Mark::Prefix(prefix) => (format!("{prefix}some-mark"), "x"),
            };
            let entry = || (key.clone(), value.to_owned());
            assert_refused(manager.name, |secret| {
                let labels = &mut secret.metadata.labels;
                labels.get_or_insert_default().extend([entry()]);
            });
            assert_refused(manager.name, |secret| {
                let annotations = &mut secret.metadata.annotations;
                annotations.get_or_insert_default().extend([entry()]);
            });
        }
    }
}

#[test]
fn what_another_tool_was_told_to_leave_alone_is_adopted() {
    let mut world = world_with(|secret| {
        consent(secret);
        let annotations = secret.metadata.annotations.get_or_insert_default();
        for (key, value) in [
            ("configmanagement.gke.io/managed", "disabled"),
            ("argocd.argoproj.io/sync-options", "Prune=false"),
            ("kustomize.toolkit.fluxcd.io/prune", "disabled"),
        ] {
            annotations.insert(key.to_owned(), value.to_owned());
        }
    });
    world.store.apply(resource("orders"));
    world.settle_twice();
    assert_eq!(
        (world.state().as_str(), world.target()),
        (READY, Some(alpha()))
    );
}

fn assert_refused(cause: &str, make: impl FnOnce(&mut Secret)) {
    let mut world = world_with(|secret| {
        consent(secret);
        make(secret);
    });
    let before = world.store.secret(TARGET).cloned();
    world.store.apply(resource("orders"));
    world.settle_twice();
    assert_eq!(world.store.secret(TARGET).cloned(), before);
    let state = world.state();
    assert!(state.starts_with("Ready=False AdoptionRefused"), "{state}");
    let message = world.message(static_aws_credentials::api::ConditionType::Ready);
    assert!(message.contains(cause), "{message}");
}

#[test]
fn a_target_that_lost_its_owner_heals_by_its_consent() {
    let mut world = World::published();
    world
        .store
        .edit(TARGET, |secret| secret.metadata.owner_references = None);
    world.settle_twice();
    assert_eq!(world.state(), READY);
    let secret = world.store.secret(TARGET).unwrap();
    assert_eq!(secret.metadata.owner_references.as_ref().unwrap().len(), 1);
    assert_eq!(world.questions(), 1);
    assert_eq!(world.status().published.unwrap().revision, 1);
}

#[test]
fn a_resource_created_again_waits_for_the_target_of_its_namesake() {
    let mut world = World::published();
    world.store.delete_resource("orders");
    world.store.apply(resource("orders"));
    world.settle_twice();
    assert!(
        world.state().starts_with("Ready=False TargetTerminating"),
        "{}",
        world.state()
    );
    assert!(world.state().ends_with("Reconciling"));
    world.store.collect_garbage();
    world.settle_twice();
    assert_eq!(world.state(), READY);
    assert_eq!(world.target(), Some(alpha()));
}

#[test]
fn a_retained_target_outlives_its_resource_and_is_adopted_by_the_next() {
    let mut world =
        World::published_with(|spec| spec.target.deletion_policy = DeletionPolicy::Retain);
    assert_eq!(
        world
            .store
            .secret(TARGET)
            .unwrap()
            .metadata
            .owner_references,
        None
    );
    world.store.delete_resource("orders");
    world.settle();
    world.store.collect_garbage();
    world.settle_twice();
    assert_eq!(world.target(), Some(alpha()));
    world.store.apply(resource("orders"));
    world.settle_twice();
    assert_eq!(world.state(), READY);
    let owners = world
        .store
        .secret(TARGET)
        .unwrap()
        .metadata
        .owner_references
        .clone();
    assert_eq!(owners.unwrap().len(), 1);
}

#[test]
fn a_deletion_policy_that_changes_moves_the_owner_reference() {
    let mut world = World::published();
    for (policy, owners) in [(DeletionPolicy::Retain, 0), (DeletionPolicy::Delete, 1)] {
        world.respecify(|spec| spec.target.deletion_policy = policy);
        world.settle_twice();
        assert_eq!(world.state(), READY);
        let secret = world.store.secret(TARGET).unwrap();
        let references = secret
            .metadata
            .owner_references
            .as_deref()
            .unwrap_or_default();
        assert_eq!(references.len(), owners);
        assert_eq!(world.questions(), 1);
    }
}
