//! Changes of the source.

use crate::sim::{SOURCE, World, alpha, beta, data, foreign_account, resource};
use static_aws_credentials::api::{ConditionType, Reason};

const READY: &str =
    "Ready=True Published, Verified=True IdentityVerified, Published=True Published";

#[test]
fn a_good_pair_is_published_with_two_writes_and_one_question() {
    let mut world = World::new();
    world.fill(SOURCE, &alpha());
    world.store.apply(resource("orders"));
    world.settle_twice();
    assert_eq!(world.state(), READY);
    assert_eq!(world.target(), Some(alpha()));
    assert_eq!(
        world.requests(),
        "get orders-key-pair, ask eu-west-1, create orders-credentials, status orders"
    );
    let published = world.status().published.unwrap();
    assert_eq!(
        (published.revision, published.key_id_suffix.as_str()),
        (1, alpha().suffix())
    );
    assert_eq!(world.status().identity.unwrap().arn, alpha().arn);
}

#[test]
fn an_absent_source_is_awaited_and_read_once() {
    let mut world = World::new();
    world.store.apply(resource("orders"));
    world.settle_twice();
    assert_eq!(
        world.state(),
        "Ready=False SourceNotFound, Verified=Unknown SourceNotFound, Published=False NotPublished, Reconciling"
    );
    assert_eq!(world.requests(), "get orders-key-pair, status orders");
    assert_eq!(world.next_look("orders"), None);
    world.fill(SOURCE, &alpha());
    world.settle_twice();
    assert_eq!(world.state(), READY);
}

#[test]
fn a_source_that_goes_leaves_the_target_as_it_is() {
    let mut world = World::published();
    world.store.delete(SOURCE, None).unwrap();
    world.settle_twice();
    assert_eq!(
        world.state(),
        "Ready=False SourceNotFound, Verified=Unknown SourceNotFound, Published=True ServingLastKnownGood, Reconciling"
    );
    assert_eq!(world.target(), Some(alpha()));
    assert_eq!(world.questions(), 1);
}

#[test]
fn a_source_that_comes_back_with_the_same_bytes_is_believed_without_a_question() {
    let mut world = World::published();
    world.store.delete(SOURCE, None).unwrap();
    world.settle();
    world.requests();
    world.fill(SOURCE, &alpha());
    world.settle_twice();
    assert_eq!(world.state(), READY);
    assert_eq!(world.questions(), 1);
    assert_eq!(world.requests(), "get orders-key-pair, status orders");
    assert_eq!(world.status().published.unwrap().revision, 1);
}

#[test]
fn a_source_without_a_key_is_named_and_the_last_good_pair_stays() {
    let mut world = World::published();
    world.store.edit(SOURCE, |secret| {
        secret
            .data
            .as_mut()
            .unwrap()
            .remove("AWS_SECRET_ACCESS_KEY");
    });
    world.settle_twice();
    assert_eq!(
        world.state(),
        "Ready=False SourceKeyMissing, Verified=False SourceKeyMissing, Published=True ServingLastKnownGood, Stalled"
    );
    assert_eq!(world.target(), Some(alpha()));
    let version = world
        .store
        .secret(SOURCE)
        .unwrap()
        .metadata
        .resource_version
        .clone();
    assert_eq!(
        world.status().source.unwrap().resource_version,
        version.unwrap()
    );
    assert_eq!(world.requests(), "get orders-key-pair, status orders");
}

#[test]
fn a_malformed_pair_costs_no_question_and_a_restart_over_it_costs_nothing() {
    let mut world = World::published();
    world.store.edit(SOURCE, |secret| {
        secret.data = Some(data(&[
            ("AWS_ACCESS_KEY_ID", &alpha().id),
            ("AWS_SECRET_ACCESS_KEY", "ends with a line break\n"),
        ]));
    });
    world.settle_twice();
    assert_eq!(world.requests(), "get orders-key-pair, status orders");
    assert_eq!(
        world.state(),
        "Ready=False TrailingNewline, Verified=False TrailingNewline, Published=True ServingLastKnownGood, Stalled"
    );
    world.restart();
    world.settle_twice();
    assert_eq!(world.requests(), "");
    assert_eq!(world.questions(), 1);
}

#[test]
fn a_touched_source_is_read_and_nothing_else_happens_to_the_target() {
    let mut world = World::published();
    world.store.edit(SOURCE, |secret| {
        secret.metadata.labels = Some([("a".to_owned(), "b".to_owned())].into());
    });
    world.settle_twice();
    assert_eq!(world.requests(), "get orders-key-pair, status orders");
    assert_eq!(world.questions(), 1);
    assert_eq!(world.state(), READY);
}

#[test]
fn the_target_of_one_resource_is_refused_as_the_source_of_another() {
    let mut world = World::published();
    let mut second = resource("second");
    second.spec.secret_ref.name = "orders-credentials".to_owned();
    world.store.apply(second);
    world.settle_twice();
    assert!(
        world
            .state_of("second")
            .starts_with("Ready=False SourceIsTarget")
    );
    assert!(world.state_of("second").ends_with("Stalled"));
    assert_eq!(world.state(), READY);
    assert!(world.store.secret("second-credentials").is_none());
}

#[test]
fn naming_a_source_as_target_does_not_block_the_source() {
    let mut world = World::published();
    let mut second = resource("second");
    second.spec.target.name = Some(SOURCE.to_owned());
    world.fill("second-key-pair", &beta());
    world.store.apply(second);
    world.settle_twice();
    assert!(
        world
            .state_of("second")
            .starts_with("Ready=False TargetConflict")
    );
    world.fill(SOURCE, &foreign_account());
    world.settle_twice();
    assert_eq!(world.state(), READY);
    assert_eq!(world.target(), Some(foreign_account()));
}

#[test]
fn a_secret_of_a_forbidden_type_is_no_source() {
    let mut world = World::new();
    world.store.edit(SOURCE, |secret| {
        secret.data = Some(alpha().data());
        secret.type_ = Some("kubernetes.io/service-account-token".to_owned());
    });
    world.store.apply(resource("orders"));
    world.settle_twice();
    assert!(world.state().starts_with("Ready=False SourceTypeForbidden"));
    assert_eq!(world.questions(), 0);
}

#[test]
fn a_message_names_the_secret_and_what_to_do() {
    let mut world = World::new();
    world.store.apply(resource("orders"));
    world.settle();
    assert_eq!(
        world.message(ConditionType::Ready),
        "spec.secretRef: Secret \"orders-key-pair\" does not exist; create it with the key pair"
    );
    world.fill(SOURCE, &alpha());
    world.settle();
    assert_eq!(
        world.message(ConditionType::Ready),
        "Secret \"orders-credentials\" holds the proven pair of Secret \"orders-key-pair\""
    );
    assert_eq!(Reason::parse("Published"), Some(Reason::Published));
}
