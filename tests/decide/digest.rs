//! Without its source, the target is checked against the digest of the published data, not by its writer.

use std::time::Duration;

use k8s_openapi::{ByteString, api::core::v1::Secret};

use crate::sim::{SOURCE, TARGET, World, alpha, resource};
use static_aws_credentials::{
    api::{ConditionType, Layout, StaticAwsCredentialsStatus},
    domain::{fingerprint, pair::SecretBytes},
};

/// Another process writes the target in the name of the operator's field manager.
fn write_as_the_operator(world: &mut World, change: impl FnOnce(&mut Secret)) {
    let mut secret = world.store.secret(TARGET).unwrap().clone();
    change(&mut secret);
    world.store.replace(secret).unwrap();
}

/// Another secret with the same ID, so that the suffix of the ID shows no difference.
fn swap_secret(secret: &mut Secret) {
    let other = alpha().with_wrong_secret();
    for value in secret.data.as_mut().unwrap().values_mut() {
        let text = String::from_utf8(value.0.clone()).unwrap();
        value.0 = text.replace(&alpha().secret, &other.secret).into_bytes();
    }
}

fn without_source() -> World {
    let mut world = World::published();
    world.store.delete(SOURCE, None).unwrap();
    world.settle();
    world
}

fn published(world: &World) -> String {
    let state = world.state();
    let mut parts = state.split(", ");
    let part = parts.find(|part| part.starts_with("Published="));
    part.unwrap().to_owned()
}

fn report(world: &mut World, change: impl FnOnce(&mut StaticAwsCredentialsStatus)) {
    let mut status = world.status();
    change(&mut status);
    let version = &world.store.resources["orders"].metadata.resource_version;
    let version = version.clone().unwrap();
    world
        .store
        .write_status("orders", &version, &status)
        .unwrap();
}

#[test]
fn what_another_process_wrote_under_our_name_is_not_the_proven_pair() {
    for restarts in [false, true] {
        let mut world = without_source();
        write_as_the_operator(&mut world, swap_secret);
        if restarts {
            world.restart();
        }
        world.settle_twice();
        assert_eq!(published(&world), "Published=False TargetModified");
        let message = world.message(ConditionType::Published);
        assert!(
            message.contains("other data than was last published"),
            "{message}"
        );
        world.fill(SOURCE, &alpha());
        world.settle_twice();
        assert_eq!(world.target(), Some(alpha()));
        assert_eq!(published(&world), "Published=True Published");
    }
}

#[test]
fn a_target_whose_data_are_as_published_is_the_proven_one_whoever_wrote() {
    let edits: [fn(&mut Secret); 2] = [
        |secret| {
            let labels = secret.metadata.labels.get_or_insert_default();
            labels.insert("team".to_owned(), "storage".to_owned());
        },
        |secret| {
            let annotations = secret.metadata.annotations.get_or_insert_default();
            annotations.insert("note".to_owned(), "x".to_owned());
        },
    ];
    for edit in edits {
        let mut world = without_source();
        world.respecify(|spec| spec.target.layouts = vec![Layout::Mendix]);
        world.settle();
        world.store.edit(TARGET, edit);
        world.restart();
        world.settle_twice();
        assert_eq!(published(&world), "Published=True ServingLastKnownGood");
    }
}

#[test]
fn an_edit_that_was_undone_is_none() {
    let mut world = without_source();
    let before = world.store.secret(TARGET).unwrap().data.clone();
    world.store.edit(TARGET, swap_secret);
    world.settle_twice();
    assert_eq!(published(&world), "Published=False TargetModified");
    world.store.edit(TARGET, |secret| secret.data = before);
    world.settle_twice();
    assert_eq!(published(&world), "Published=True ServingLastKnownGood");
}

#[test]
fn what_an_older_release_published_gets_its_digest_with_the_next_proof() {
    let mut world = World::published();
    let digest = world.status().published.unwrap().content_digest;
    assert!(digest.is_some());
    report(&mut world, |status| {
        status.published.as_mut().unwrap().content_digest = None;
    });
    world.requests();
    world.restart();
    world.settle_twice();
    assert_eq!(world.requests(), "");
    world.advance(Duration::from_mins(70));
    assert_eq!(
        world.requests(),
        "get orders-key-pair, ask eu-west-1, status orders"
    );
    assert_eq!(world.status().published.unwrap().content_digest, digest);
}

#[test]
fn what_an_older_release_published_is_no_false_alarm_while_the_source_is_away() {
    let mut world = without_source();
    report(&mut world, |status| {
        status.published.as_mut().unwrap().content_digest = None;
    });
    world.restart();
    world.store.edit(TARGET, |secret| {
        let labels = secret.metadata.labels.get_or_insert_default();
        labels.insert("team".to_owned(), "storage".to_owned());
    });
    world.settle_twice();
    assert_eq!(published(&world), "Published=True ServingLastKnownGood");
    world.store.edit(TARGET, swap_secret);
    world.settle_twice();
    assert_eq!(published(&world), "Published=False TargetModified");
}

/// An ID that has the suffix of the published ID in another place is another ID.
#[test]
fn what_an_older_release_published_is_recognized_by_the_end_of_the_key_id_alone() {
    let mut world = without_source();
    report(&mut world, |status| {
        status.published.as_mut().unwrap().content_digest = None;
    });
    write_as_the_operator(&mut world, |secret| {
        let id = alpha().id;
        let (beginning, suffix) = id.split_at(id.len() - 4);
        let other = format!("{suffix}{beginning}");
        for value in secret.data.as_mut().unwrap().values_mut() {
            let text = String::from_utf8(value.0.clone()).unwrap();
            value.0 = text.replace(&id, &other).into_bytes();
        }
    });
    world.restart();
    world.settle_twice();
    assert_eq!(published(&world), "Published=False TargetModified");
}

#[test]
fn no_two_resources_share_a_digest_and_a_target_that_is_restored_keeps_it() {
    let mut world = World::published();
    let digest = |world: &World, name: &str| {
        let published = world.status_of(name).published;
        published.unwrap().content_digest.unwrap()
    };
    let mut second = resource("second");
    second.spec.secret_ref.name = SOURCE.to_owned();
    world.store.apply(second);
    world.settle_twice();
    let before = digest(&world, "orders");
    assert_ne!(before, digest(&world, "second"));
    world.store.delete(TARGET, None).unwrap();
    world.settle_twice();
    assert_eq!(digest(&world, "orders"), before);
    world.respecify(|spec| spec.target.layouts = vec![Layout::Mendix]);
    world.settle_twice();
    assert_ne!(digest(&world, "orders"), before);
}

#[test]
fn a_secret_that_could_be_guessed_has_no_digest() {
    let mut world = World::published_with(|spec| {
        spec.validation.level = static_aws_credentials::api::ValidationLevel::Format;
    });
    world.store.edit(SOURCE, |secret| {
        let data = secret.data.as_mut().unwrap();
        let short = ByteString(b"a-secret-of-a-person".to_vec());
        data.insert("AWS_SECRET_ACCESS_KEY".to_owned(), short);
    });
    world.settle_twice();
    let published = world.status().published.unwrap();
    assert_eq!((published.revision, published.content_digest), (2, None));
}

#[test]
fn where_a_key_ends_and_a_value_begins_is_part_of_a_digest() {
    let data = |entries: &[(&str, &str)]| {
        let entry = |(key, value): &(&str, &str)| {
            (
                (*key).to_owned(),
                SecretBytes::new(value.as_bytes().to_vec()),
            )
        };
        fingerprint::of_content("uid", &entries.iter().map(entry).collect())
    };
    let all = [
        data(&[("a", "bc")]),
        data(&[("ab", "c")]),
        data(&[("a", "b"), ("c", "")]),
        data(&[("a", ""), ("bc", "")]),
        data(&[("a", "bc"), ("d", "")]),
    ];
    let distinct: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), all.len());
    assert!(all.iter().all(|digest| digest.len() == 32), "{all:?}");
}
