//! The version of a Secret that the index has, after events, lists and writes in any order.

use crate::domain::index::{Index, Observed, SecretVersion};

use super::{References, TEAM, index, key, marked, references, secret};

#[test]
fn a_secret_that_no_resource_references_is_not_kept_and_enqueues_nothing() {
    let mut index = index(&["a"]);
    let before = index.tracked_secrets();
    assert!(index.apply_secret(TEAM, "unrelated", secret(1)).is_empty());
    assert!(
        index
            .apply_secret("elsewhere", "a-source", secret(1))
            .is_empty()
    );
    index.start_relist();
    for number in 0..1000 {
        index.list_secret(TEAM, &format!("unrelated-{number}"), secret(number));
    }
    index.finish_relist();
    assert_eq!(index.tracked_secrets(), before);
}

#[test]
fn before_the_first_list_nothing_is_known_and_after_it_everything_is() {
    let mut index = index(&["a"]);
    assert_eq!(index.view(&key("a")).source, Observed::Unknown);
    index.start_relist();
    index.list_secret(TEAM, "a-source", secret(5));
    index.finish_relist();
    assert_eq!(index.view(&key("a")).source, Observed::Found(secret(5)));
    assert_eq!(index.view(&key("a")).target, Observed::NotFound);
}

#[test]
fn an_older_event_does_not_undo_a_newer_one() {
    let mut index = index(&["a"]);
    index.apply_secret(TEAM, "a-source", secret(7));
    index.apply_secret(TEAM, "a-source", secret(6));
    assert_eq!(index.view(&key("a")).source, Observed::Found(secret(7)));
    index.delete_secret(TEAM, "a-source", 6);
    assert_eq!(index.view(&key("a")).source, Observed::Found(secret(7)));
    index.delete_secret(TEAM, "a-source", 8);
    assert_eq!(index.view(&key("a")).source, Observed::NotFound);
}

#[test]
fn a_write_of_a_reconcile_is_known_before_the_watch_delivers_it() {
    let mut index = index(&["a"]);
    index.apply_secret(TEAM, "a-target", secret(3));
    let before = Observed::Found(secret(3));
    let _ = index.record(TEAM, "a-target", &before, &Observed::Found(secret(4)));
    index.apply_secret(TEAM, "a-target", secret(3));
    assert_eq!(index.view(&key("a")).target, Observed::Found(secret(4)));
}

/// Resources that share a source learn of a version from its first observation.
#[test]
fn a_version_concerns_every_resource_once_wherever_it_was_observed() {
    let mut index = index(&["a", "b"]);
    let shared = References {
        source: "a-source".into(),
        ..references("b")
    };
    index.apply_resource(&key("b"), shared);
    index.apply_secret(TEAM, "a-source", secret(3));
    let (before, after) = (Observed::Found(secret(3)), Observed::Found(secret(4)));
    let concerned = index.record(TEAM, "a-source", &before, &after);
    assert_eq!(concerned, [key("a"), key("b")]);
    assert!(index.record(TEAM, "a-source", &after, &after).is_empty());
    assert!(index.apply_secret(TEAM, "a-source", secret(4)).is_empty());
    assert_eq!(
        index.apply_secret(TEAM, "a-source", secret(5)),
        [key("a"), key("b")]
    );
}

#[test]
fn a_new_owner_learns_of_its_secret_from_the_reconcile_of_another() {
    let mut index = index(&["a", "b"]);
    index.apply_secret(TEAM, "a-target", secret(3));
    let before = Observed::Found(secret(3));
    let after = Observed::Found(marked(4, "b"));
    let concerned = index.record(TEAM, "a-target", &before, &after);
    assert_eq!(concerned, [key("a"), key("b")]);
}

#[test]
fn an_absence_that_was_read_before_a_newer_event_is_ignored() {
    let mut index = index(&["a"]);
    index.apply_secret(TEAM, "a-target", secret(4));
    let _ = index.record(TEAM, "a-target", &Observed::Unknown, &Observed::NotFound);
    assert_eq!(index.view(&key("a")).target, Observed::Found(secret(4)));
    let _ = index.record(
        TEAM,
        "a-target",
        &Observed::Found(secret(4)),
        &Observed::NotFound,
    );
    assert_eq!(index.view(&key("a")).target, Observed::NotFound);
}

#[test]
fn a_secret_that_was_deleted_while_it_was_read_does_not_come_back() {
    let mut index = index(&["a"]);
    index.apply_secret(TEAM, "a-target", secret(4));
    let before = Observed::Found(secret(4));
    index.delete_secret(TEAM, "a-target", 5);
    let _ = index.record(TEAM, "a-target", &before, &Observed::Found(secret(4)));
    assert_eq!(index.view(&key("a")).target, Observed::NotFound);
    // A Secret that this process has created since is found.
    let _ = index.record(
        TEAM,
        "a-target",
        &Observed::NotFound,
        &Observed::Found(secret(6)),
    );
    assert_eq!(index.view(&key("a")).target, Observed::Found(secret(6)));
}

#[test]
fn a_change_enqueues_the_referencing_resources_and_the_owner_of_the_marks() {
    let mut index = index(&["a", "b"]);
    let affected = |index: &mut Index, name: &str, secret: SecretVersion| {
        let mut affected = index.apply_secret(TEAM, name, secret);
        affected.sort();
        affected
    };
    assert_eq!(affected(&mut index, "a-source", secret(1)), [key("a")]);
    assert_eq!(affected(&mut index, "stray", marked(2, "b")), [key("b")]);
    assert_eq!(
        affected(&mut index, "a-target", marked(3, "b")),
        [key("a"), key("b")]
    );
}

#[test]
fn a_list_drops_what_is_not_in_it() {
    let mut index = index(&["a"]);
    index.apply_secret(TEAM, "a-source", secret(1));
    index.apply_secret(TEAM, "stray", marked(2, "a"));
    assert_eq!(
        index.view(&key("a")).stale_targets,
        [("stray".to_owned(), marked(2, "a"))]
    );
    index.start_relist();
    assert_eq!(
        index.view(&key("a")).source,
        Observed::Found(secret(1)),
        "until it is complete"
    );
    index.finish_relist();
    assert_eq!(index.view(&key("a")).source, Observed::NotFound);
    assert_eq!(index.view(&key("a")).stale_targets, []);
    assert_eq!(index.tracked_secrets(), 2);
}

#[test]
fn an_older_list_is_accepted_and_counted() {
    let mut index = index(&["a"]);
    index.apply_secret(TEAM, "a-source", secret(900));
    index.start_relist();
    index.list_secret(TEAM, "a-source", secret(40));
    index.finish_relist();
    assert_eq!(index.view(&key("a")).source, Observed::Found(secret(40)));
    assert_eq!(index.epoch(), 1);
}

#[test]
fn after_a_restore_of_the_store_nothing_is_known_until_the_next_list() {
    let mut index = index(&["a"]);
    index.apply_secret(TEAM, "a-source", secret(900));
    index.apply_secret(TEAM, "a-target", secret(901));
    index.invalidate();
    assert_eq!(index.view(&key("a")).source, Observed::Unknown);
    assert_eq!(index.epoch(), 1);
    index.start_relist();
    index.list_secret(TEAM, "a-source", secret(40));
    index.finish_relist();
    let view = index.view(&key("a"));
    assert_eq!(
        (view.source, view.target),
        (Observed::Found(secret(40)), Observed::NotFound)
    );
    index.apply_secret(TEAM, "a-target", secret(41));
    assert_eq!(index.view(&key("a")).target, Observed::Found(secret(41)));
    assert_eq!(index.epoch(), 1);
}

#[test]
fn a_write_during_a_list_is_not_undone_by_the_list() {
    let mut index = index(&["a"]);
    index.apply_secret(TEAM, "a-target", secret(3));
    index.start_relist();
    let _ = index.record(
        TEAM,
        "a-target",
        &Observed::Found(secret(3)),
        &Observed::Found(secret(9)),
    );
    index.list_secret(TEAM, "a-target", secret(3));
    index.finish_relist();
    assert_eq!(index.view(&key("a")).target, Observed::Found(secret(9)));
    assert_eq!(index.epoch(), 0);
}
