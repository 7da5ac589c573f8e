//! Labels that the operator copies from resources to their targets.

use std::collections::BTreeMap;

use crate::sim::{SOURCE, TARGET, World, alpha, beta, resource};
use static_aws_credentials::domain::managers::{MANAGERS, Mark, may_be_copied};

const READY: &str =
    "Ready=True Published, Verified=True IdentityVerified, Published=True Published";

fn label(world: &mut World, team: Option<&str>) {
    let orders = world.store.resources.get_mut("orders").unwrap();
    let labels = orders.metadata.labels.get_or_insert_default();
    labels.insert("argocd.argoproj.io/instance".to_owned(), "apps".to_owned());
    match team {
        Some(team) => labels.insert("team".to_owned(), team.to_owned()),
        None => labels.remove("team"),
    };
    let orders = orders.clone();
    world.store.put_resource(orders);
}

fn labels(world: &World) -> BTreeMap<String, String> {
    let target = world.store.secret(TARGET).unwrap();
    target.metadata.labels.clone().unwrap()
}

fn team(world: &World) -> Option<String> {
    labels(world).get("team").cloned()
}

/// The resource `orders` with a label that is copied.
fn labelled() -> World {
    let mut world = World::new();
    world.copied_labels = vec!["team".to_owned()];
    world.fill(SOURCE, &alpha());
    let mut orders = resource("orders");
    orders.metadata.labels = Some(BTreeMap::from([("team".to_owned(), "storage".to_owned())]));
    world.store.apply(orders);
    world.settle_twice();
    world.requests();
    world
}

#[test]
fn a_target_gets_the_labels_that_are_listed_and_no_others() {
    let mut world = labelled();
    assert_eq!(world.state(), READY);
    assert_eq!(team(&world).as_deref(), Some("storage"));
    label(&mut world, Some("storage"));
    world.settle_twice();
    assert_eq!(world.requests(), "");
    assert_eq!(labels(&world).len(), 3, "{:?}", labels(&world));
}

#[test]
fn a_label_that_changes_is_written_once_and_aws_is_not_asked() {
    let mut world = labelled();
    label(&mut world, Some("payments"));
    world.settle_twice();
    assert_eq!(
        world.requests(),
        "get orders-key-pair, get orders-credentials, replace orders-credentials, status orders"
    );
    assert_eq!(team(&world).as_deref(), Some("payments"));
    assert_eq!((world.state().as_str(), world.questions()), (READY, 1));
    assert_eq!(world.status().published.unwrap().revision, 1);
}

#[test]
fn a_label_that_the_resource_loses_stays_on_the_target() {
    let mut world = labelled();
    label(&mut world, None);
    world.settle_twice();
    assert_eq!(team(&world).as_deref(), Some("storage"));
    assert_eq!(world.state(), READY);
}

#[test]
fn a_label_that_changes_while_the_source_is_away_waits_for_it() {
    let mut world = labelled();
    world.store.delete(SOURCE, None).unwrap();
    world.settle_twice();
    label(&mut world, Some("payments"));
    world.settle_twice();
    assert_eq!(team(&world).as_deref(), Some("storage"));
    world.fill(SOURCE, &alpha());
    world.settle_twice();
    assert_eq!(team(&world).as_deref(), Some("payments"));
}

#[test]
fn a_list_that_changes_is_applied_at_the_next_start_which_else_costs_nothing() {
    let mut world = labelled();
    world.restart();
    world.settle_twice();
    assert_eq!(world.requests(), "");
    let mut unlisted = World::published();
    label(&mut unlisted, Some("storage"));
    unlisted.settle_twice();
    assert_eq!(team(&unlisted), None);
    unlisted.copied_labels = vec!["team".to_owned()];
    unlisted.restart();
    unlisted.settle_twice();
    assert_eq!(team(&unlisted).as_deref(), Some("storage"));
    assert_eq!(
        (unlisted.state().as_str(), unlisted.questions()),
        (READY, 1)
    );
}

#[test]
fn a_label_that_somebody_takes_off_the_target_is_restored_and_a_rotation_keeps_it() {
    let mut world = labelled();
    world.store.edit(TARGET, |secret| {
        secret.metadata.labels.as_mut().unwrap().remove("team");
    });
    world.settle_twice();
    assert_eq!(team(&world).as_deref(), Some("storage"));
    world.fill(SOURCE, &beta());
    world.settle_twice();
    assert_eq!(world.target(), Some(beta()));
    assert_eq!(team(&world).as_deref(), Some("storage"));
}

#[test]
fn no_label_is_copied_that_a_tool_acts_upon() {
    for manager in &MANAGERS {
        for mark in manager.marks {
            let key = match mark {
                Mark::Key(key) | Mark::Value(key, _) => (*key).to_owned(),
                Mark::Prefix(prefix) => format!("{prefix}mark"),
            };
            assert!(may_be_copied(&key).is_err(), "{key}");
        }
    }
    for key in [
        "awscredentials.dev/uid",
        "app.kubernetes.io/instance",
        "helm.sh/chart",
        "argocd.argoproj.io/secret-type",
        "kustomize.toolkit.fluxcd.io/namespace",
        "replicator.v1.mittwald.de/replicate-to",
        "reflector.v1.k8s.emberstack.com/reflection-allowed",
        "fleet.cattle.io/managed",
        "",
        "a key",
        "/team",
        "example.com/",
        "Example.com/team",
        "-team",
    ] {
        assert!(may_be_copied(key).is_err(), "{key}");
    }
    for key in [
        "team",
        "app.kubernetes.io/part-of",
        "example.com/cost-center",
        "velero.io/exclude-from-backup",
        "nothelm.sh/x",
    ] {
        assert_eq!(may_be_copied(key), Ok(()), "{key}");
    }
}
