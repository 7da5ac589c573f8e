//! Changes of a target that belongs to the resource.

use std::time::Duration;

use crate::sim::{SOURCE, TARGET, World, alpha, beta, data};
use k8s_openapi::ByteString;

const READY: &str =
    "Ready=True Published, Verified=True IdentityVerified, Published=True Published";

fn scribble(world: &mut World) {
    world.store.edit(TARGET, |secret| {
        let data = secret.data.as_mut().unwrap();
        data.insert(
            "AWS_ACCESS_KEY_ID".to_owned(),
            ByteString(b"scribble".to_vec()),
        );
    });
}

#[test]
fn a_deleted_target_is_restored_without_a_question() {
    let mut world = World::published();
    world.store.delete(TARGET, None).unwrap();
    world.settle_twice();
    assert_eq!(world.state(), READY);
    assert_eq!(world.target(), Some(alpha()));
    assert_eq!(world.questions(), 1);
    assert_eq!(
        world.requests(),
        "get orders-key-pair, confirm orders, create orders-credentials, status orders"
    );
    assert_eq!(world.status().published.unwrap().revision, 1);
}

/// The resource may be deleted too, and its watch later than that of the Secrets.
#[test]
fn a_deleted_target_gets_another_pair_only_if_the_resource_still_asks_for_it() {
    let mut world = World::published();
    world.fill(SOURCE, &beta());
    world.store.delete(TARGET, None).unwrap();
    world.settle_twice();
    assert_eq!(world.target(), Some(beta()));
    let requests = world.requests();
    let confirmed = requests.find("confirm orders").unwrap();
    assert!(
        confirmed < requests.find("create orders-credentials").unwrap(),
        "{requests}"
    );
}

#[test]
fn an_edited_target_is_restored_without_a_question() {
    let mut world = World::published();
    scribble(&mut world);
    world.settle_twice();
    assert_eq!(world.state(), READY);
    assert_eq!(world.target(), Some(alpha()));
    assert_eq!(world.questions(), 1);
    assert_eq!(
        world.requests(),
        "get orders-key-pair, get orders-credentials, confirm orders, replace orders-credentials, status orders"
    );
}

#[test]
fn a_further_key_and_a_missing_mark_are_edits_too() {
    let edits: [fn(&mut World); 3] = [
        |world| {
            world.store.edit(TARGET, |secret| {
                secret
                    .data
                    .as_mut()
                    .unwrap()
                    .extend(data(&[("further", "1")]));
            });
        },
        |world| {
            world
                .store
                .edit(TARGET, |secret| secret.metadata.annotations = None);
        },
        |world| {
            world.store.edit(TARGET, |secret| {
                let labels = secret.metadata.labels.as_mut().unwrap();
                labels.insert("app.kubernetes.io/managed-by".to_owned(), "me".to_owned());
            });
        },
    ];
    for edit in edits {
        let mut world = World::published();
        let before = world.store.secret(TARGET).unwrap().clone();
        edit(&mut world);
        world.settle_twice();
        assert_eq!(world.state(), READY);
        let after = world.store.secret(TARGET).unwrap();
        assert_eq!(after.data, before.data);
        assert_eq!(after.metadata.labels, before.metadata.labels);
        assert_eq!(after.metadata.annotations, before.metadata.annotations);
    }
}

#[test]
fn foreign_labels_and_annotations_stay_and_the_version_is_refreshed() {
    let mut world = World::published();
    world.store.edit(TARGET, |secret| {
        secret
            .metadata
            .labels
            .as_mut()
            .unwrap()
            .insert("team".to_owned(), "orders".to_owned());
    });
    world.settle_twice();
    assert_eq!(
        world.requests(),
        "get orders-key-pair, get orders-credentials, status orders"
    );
    assert_eq!(world.state(), READY);
    let secret = world.store.secret(TARGET).unwrap();
    let published = world.status().published.unwrap();
    assert_eq!(
        Some(published.resource_version),
        secret.metadata.resource_version
    );
    assert_eq!(secret.metadata.labels.as_ref().unwrap()["team"], "orders");
}

#[test]
fn foreign_labels_survive_a_new_pair() {
    let mut world = World::published();
    world.store.edit(TARGET, |secret| {
        secret
            .metadata
            .labels
            .as_mut()
            .unwrap()
            .insert("team".to_owned(), "orders".to_owned());
    });
    world.settle();
    world.fill(SOURCE, &crate::sim::beta());
    world.settle_twice();
    let secret = world.store.secret(TARGET).unwrap();
    assert_eq!(secret.metadata.labels.as_ref().unwrap()["team"], "orders");
    assert_eq!(world.target(), Some(crate::sim::beta()));
}

#[test]
fn a_target_that_is_lost_while_the_source_is_bad_is_reported() {
    let mut world = World::published();
    world.fill(SOURCE, &crate::sim::beta().with_wrong_secret());
    world.settle();
    world.store.delete(TARGET, None).unwrap();
    world.settle_twice();
    assert_eq!(
        world.state(),
        "Ready=False SignatureMismatch, Verified=False SignatureMismatch, Published=False TargetLost, Stalled"
    );
    world.fill(SOURCE, &alpha());
    world.settle_twice();
    assert_eq!(world.state(), READY);
}

#[test]
fn a_target_that_is_edited_while_the_source_is_absent_is_left_alone_and_reported() {
    let mut world = World::published();
    world.store.delete(SOURCE, None).unwrap();
    world.settle();
    scribble(&mut world);
    let edited = world.store.secret(TARGET).cloned();
    world.settle_twice();
    assert_eq!(
        world.state(),
        "Ready=False SourceNotFound, Verified=Unknown SourceNotFound, Published=False TargetModified, Reconciling"
    );
    assert_eq!(world.store.secret(TARGET).cloned(), edited);
    world.fill(SOURCE, &alpha());
    world.settle_twice();
    assert_eq!(world.state(), READY);
    assert_eq!(world.target(), Some(alpha()));
}

#[test]
fn a_label_on_the_target_of_a_bad_source_is_no_edit() {
    let mut world = World::published();
    world.store.delete(SOURCE, None).unwrap();
    world.settle();
    world.store.edit(TARGET, |secret| {
        secret
            .metadata
            .labels
            .as_mut()
            .unwrap()
            .insert("team".to_owned(), "orders".to_owned());
    });
    world.settle_twice();
    assert!(
        world
            .state()
            .contains("Published=True ServingLastKnownGood"),
        "{}",
        world.state()
    );
}

#[test]
fn an_immutable_target_needs_a_person() {
    let mut world = World::published();
    world
        .store
        .edit(TARGET, |secret| secret.immutable = Some(true));
    world.settle_twice();
    assert!(
        world.state().starts_with("Ready=False TargetImmutable"),
        "{}",
        world.state()
    );
    assert!(
        world
            .state()
            .ends_with("Published=False TargetImmutable, Stalled")
    );
    world.fill(SOURCE, &crate::sim::beta());
    world.settle_twice();
    assert_eq!(world.target(), Some(alpha()));
    world.store.delete(TARGET, None).unwrap();
    world.settle_twice();
    assert_eq!(world.state(), READY);
    assert_eq!(world.target(), Some(crate::sim::beta()));
}

#[test]
fn a_target_of_another_type_needs_a_person() {
    let mut world = World::published();
    let mut secret = world.store.secret(TARGET).unwrap().clone();
    world.store.delete(TARGET, None).unwrap();
    secret.type_ = Some("kubernetes.io/basic-auth".to_owned());
    world.store.create(secret, "somebody").unwrap();
    world.settle_twice();
    assert!(
        world.state().starts_with("Ready=False TargetTypeMismatch"),
        "{}",
        world.state()
    );
    assert!(world.state().ends_with("Stalled"));
}

#[test]
fn somebody_who_edits_the_target_again_and_again_is_answered_more_and_more_slowly() {
    let mut world = World::published();
    for _ in 0..60 {
        scribble(&mut world);
        world.advance(Duration::from_secs(1));
    }
    let restores = world
        .log
        .iter()
        .filter(|request| request.starts_with("replace"));
    let restores = restores.count();
    assert!(
        (4..12).contains(&restores),
        "{restores} restores in a minute"
    );
    world.advance(Duration::from_mins(6));
    assert_eq!(world.state(), READY);
    assert_eq!(world.target(), Some(alpha()));
    assert_eq!(world.questions(), 1);
}

#[test]
fn a_target_with_a_finalizer_is_awaited_when_it_is_deleted() {
    let mut world = World::published();
    world.store.edit(TARGET, |secret| {
        secret.metadata.finalizers = Some(vec!["a/b".to_owned()]);
    });
    world.settle();
    world.store.delete(TARGET, None).unwrap();
    world.settle_twice();
    assert!(
        world.state().starts_with("Ready=False TargetTerminating"),
        "{}",
        world.state()
    );
    assert!(world.state().ends_with("Reconciling"));
    world
        .store
        .edit(TARGET, |secret| secret.metadata.finalizers = None);
    world.store.delete(TARGET, None).unwrap();
    world.settle_twice();
    assert_eq!(world.state(), READY);
}
