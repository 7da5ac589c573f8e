//! Cases of single names.

use crate::domain::index::{
    Index, MAX_STALE_TARGETS, MOST_UNCLAIMED, MOST_UNCLAIMED_IN_A_NAMESPACE, NamespacedName,
    Observed, References, SecretVersion,
};

const TEAM: &str = "team";

fn key(name: &str) -> NamespacedName {
    NamespacedName::new(TEAM, name)
}

/// References of a resource whose source and target are named after it.
fn mentions(name: &str) -> References {
    References {
        uid: format!("uid-{name}").into(),
        created: 0,
        source: format!("{name}-source").into(),
        target: format!("{name}-target").into(),
        published: None,
    }
}

fn seen(version: u64) -> SecretVersion {
    SecretVersion {
        uid: "secret".into(),
        version,
        owner_uid: None,
        only_our_metadata: true,
    }
}

fn marked(version: u64, by: &str) -> SecretVersion {
    SecretVersion {
        owner_uid: Some(format!("uid-{by}").into()),
        ..seen(version)
    }
}

fn index(names: &[&str]) -> Index {
    let mut index = Index::default();
    for name in names {
        index.apply_resource(&key(name), mentions(name));
    }
    index
}

#[test]
fn what_nobody_mentions_is_not_kept_and_wakes_nobody() {
    let mut index = index(&["a"]);
    let before = index.tracked_secrets();
    assert!(index.apply_secret(TEAM, "unrelated", seen(1)).is_empty());
    assert!(
        index
            .apply_secret("elsewhere", "a-source", seen(1))
            .is_empty()
    );
    index.start_relist();
    for number in 0..1000 {
        index.list_secret(TEAM, &format!("unrelated-{number}"), seen(number));
    }
    index.finish_relist();
    assert_eq!(index.tracked_secrets(), before);
}

#[test]
fn before_the_first_list_nothing_is_known_and_after_it_everything_is() {
    let mut index = index(&["a"]);
    assert_eq!(index.view(&key("a")).source, Observed::Unknown);
    index.start_relist();
    index.list_secret(TEAM, "a-source", seen(5));
    index.finish_relist();
    assert_eq!(index.view(&key("a")).source, Observed::Found(seen(5)));
    assert_eq!(index.view(&key("a")).target, Observed::NotFound);
}

#[test]
fn an_older_event_does_not_undo_a_newer_one() {
    let mut index = index(&["a"]);
    index.apply_secret(TEAM, "a-source", seen(7));
    index.apply_secret(TEAM, "a-source", seen(6));
    assert_eq!(index.view(&key("a")).source, Observed::Found(seen(7)));
    index.delete_secret(TEAM, "a-source", 6);
    assert_eq!(index.view(&key("a")).source, Observed::Found(seen(7)));
    index.delete_secret(TEAM, "a-source", 8);
    assert_eq!(index.view(&key("a")).source, Observed::NotFound);
}

#[test]
fn what_a_run_wrote_is_known_before_the_watch_says_it() {
    let mut index = index(&["a"]);
    index.apply_secret(TEAM, "a-target", seen(3));
    let before = Observed::Found(seen(3));
    index.record(TEAM, "a-target", &before, &Observed::Found(seen(4)));
    index.apply_secret(TEAM, "a-target", seen(3));
    assert_eq!(index.view(&key("a")).target, Observed::Found(seen(4)));
}

#[test]
fn an_absence_that_was_read_before_the_watch_saw_more_is_ignored() {
    let mut index = index(&["a"]);
    index.apply_secret(TEAM, "a-target", seen(4));
    index.record(TEAM, "a-target", &Observed::Unknown, &Observed::NotFound);
    assert_eq!(index.view(&key("a")).target, Observed::Found(seen(4)));
    index.record(
        TEAM,
        "a-target",
        &Observed::Found(seen(4)),
        &Observed::NotFound,
    );
    assert_eq!(index.view(&key("a")).target, Observed::NotFound);
}

#[test]
fn a_secret_that_went_while_it_was_read_does_not_come_back() {
    let mut index = index(&["a"]);
    index.apply_secret(TEAM, "a-target", seen(4));
    let before = Observed::Found(seen(4));
    index.delete_secret(TEAM, "a-target", 5);
    index.record(TEAM, "a-target", &before, &Observed::Found(seen(4)));
    assert_eq!(index.view(&key("a")).target, Observed::NotFound);
    // A Secret that this process has created since is found.
    index.record(
        TEAM,
        "a-target",
        &Observed::NotFound,
        &Observed::Found(seen(6)),
    );
    assert_eq!(index.view(&key("a")).target, Observed::Found(seen(6)));
}

#[test]
fn a_change_wakes_who_mentions_the_secret_and_whose_marks_it_carries() {
    let mut index = index(&["a", "b"]);
    let woken = |index: &mut Index, name: &str, seen: SecretVersion| {
        let mut woken = index.apply_secret(TEAM, name, seen);
        woken.sort();
        woken
    };
    assert_eq!(woken(&mut index, "a-source", seen(1)), [key("a")]);
    assert_eq!(woken(&mut index, "stray", marked(2, "b")), [key("b")]);
    assert_eq!(
        woken(&mut index, "a-target", marked(3, "b")),
        [key("a"), key("b")]
    );
}

#[test]
fn a_list_drops_what_is_not_in_it() {
    let mut index = index(&["a"]);
    index.apply_secret(TEAM, "a-source", seen(1));
    index.apply_secret(TEAM, "stray", marked(2, "a"));
    assert_eq!(
        index.view(&key("a")).stale_targets,
        [("stray".to_owned(), marked(2, "a"))]
    );
    index.start_relist();
    assert_eq!(
        index.view(&key("a")).source,
        Observed::Found(seen(1)),
        "until it is complete"
    );
    index.finish_relist();
    assert_eq!(index.view(&key("a")).source, Observed::NotFound);
    assert_eq!(index.view(&key("a")).stale_targets, []);
    assert_eq!(index.tracked_secrets(), 2);
}

#[test]
fn a_list_that_is_older_than_what_was_seen_is_believed_and_counted() {
    let mut index = index(&["a"]);
    index.apply_secret(TEAM, "a-source", seen(900));
    index.start_relist();
    index.list_secret(TEAM, "a-source", seen(40));
    index.finish_relist();
    assert_eq!(index.view(&key("a")).source, Observed::Found(seen(40)));
    assert_eq!(index.epoch(), 1);
}

#[test]
fn after_the_store_was_restored_nothing_is_known_until_the_next_list_which_is_believed() {
    let mut index = index(&["a"]);
    index.apply_secret(TEAM, "a-source", seen(900));
    index.apply_secret(TEAM, "a-target", seen(901));
    index.invalidate();
    assert_eq!(index.view(&key("a")).source, Observed::Unknown);
    assert_eq!(index.epoch(), 1);
    index.start_relist();
    index.list_secret(TEAM, "a-source", seen(40));
    index.finish_relist();
    let view = index.view(&key("a"));
    assert_eq!(
        (view.source, view.target),
        (Observed::Found(seen(40)), Observed::NotFound)
    );
    index.apply_secret(TEAM, "a-target", seen(41));
    assert_eq!(index.view(&key("a")).target, Observed::Found(seen(41)));
    assert_eq!(index.epoch(), 1);
}

#[test]
fn a_write_during_a_list_is_not_undone_by_the_list() {
    let mut index = index(&["a"]);
    index.apply_secret(TEAM, "a-target", seen(3));
    index.start_relist();
    index.record(
        TEAM,
        "a-target",
        &Observed::Found(seen(3)),
        &Observed::Found(seen(9)),
    );
    index.list_secret(TEAM, "a-target", seen(3));
    index.finish_relist();
    assert_eq!(index.view(&key("a")).target, Observed::Found(seen(9)));
    assert_eq!(index.epoch(), 0);
}

#[test]
fn who_waits_is_woken_when_the_first_one_goes_or_steps_back_and_not_when_a_later_one_does() {
    let wants = |name: &str, created: i64, published: bool| References {
        created,
        target: "one".into(),
        published: published.then(|| "one".into()),
        ..mentions(name)
    };
    let mut index = Index::default();
    index.apply_resource(&key("old"), wants("old", 1, false));
    assert_eq!(
        index.apply_resource(&key("publisher"), wants("publisher", 2, true)),
        [key("old")]
    );
    assert_eq!(
        index.apply_resource(&key("late"), wants("late", 3, false)),
        []
    );
    // The publisher withdraws its target: the same three resources want it, and another one has priority.
    assert_eq!(
        index.apply_resource(&key("publisher"), wants("publisher", 2, false)),
        [key("late"), key("old")]
    );
    assert_eq!(index.view(&key("old")).conflicting_resource, None);
    assert_eq!(index.delete_resource(&key("late")), []);
    assert_eq!(index.delete_resource(&key("old")), [key("publisher")]);
}

#[test]
fn marks_of_resources_that_never_come_are_kept_up_to_a_bound_and_the_newest_of_them() {
    let mut index = Index::default();
    let claimed = |index: &mut Index, namespace: &str, number: usize| {
        index.apply_secret(namespace, &format!("fake-{number}"), marked(1, "nobody"));
    };
    for number in 0..MOST_UNCLAIMED_IN_A_NAMESPACE * 2 {
        claimed(&mut index, TEAM, number);
    }
    assert_eq!(index.unclaimed_secrets(), MOST_UNCLAIMED_IN_A_NAMESPACE);
    index.apply_secret(TEAM, "real", marked(2, "a"));
    for namespace in 0..2 * MOST_UNCLAIMED / MOST_UNCLAIMED_IN_A_NAMESPACE {
        for number in 0..MOST_UNCLAIMED_IN_A_NAMESPACE {
            claimed(&mut index, &format!("other-{namespace}"), number);
        }
    }
    assert_eq!(index.unclaimed_secrets(), MOST_UNCLAIMED);
    index.apply_resource(&key("a"), mentions("a"));
    let real = ("real".to_owned(), marked(2, "a"));
    assert_eq!(index.view(&key("a")).stale_targets, [real], "it came last");
}

#[test]
fn a_view_has_the_first_leftovers_and_the_next_ones_once_those_are_gone() {
    let mut index = index(&["a"]);
    let name = |number: usize| format!("stray-{number:04}");
    for number in (0..1000).rev() {
        index.apply_secret(TEAM, &name(number), marked(1, "a"));
    }
    let mut left = 0;
    while left < 1000 {
        let strays = index.view(&key("a")).stale_targets;
        assert!((1..=MAX_STALE_TARGETS).contains(&strays.len()));
        for (stray, _) in strays {
            assert_eq!(stray, name(left));
            left += 1;
            assert_eq!(index.delete_secret(TEAM, &stray, 2), [key("a")]);
        }
    }
    assert_eq!(index.view(&key("a")).stale_targets, []);
}

#[test]
fn a_view_begins_after_a_name_and_then_anew() {
    let mut index = index(&["a"]);
    let name = |number: usize| format!("stray-{number:04}");
    for number in 0..40 {
        index.apply_secret(TEAM, &name(number), marked(1, "a"));
    }
    let names = |after: &str| {
        let strays = index.view_after(&key("a"), after).stale_targets;
        strays.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    let numbered = |from: usize, to: usize| (from..to).map(name).collect::<Vec<_>>();
    assert_eq!(names(""), numbered(0, 16));
    assert_eq!(names(&name(15)), numbered(16, 32));
    assert_eq!(names(&name(31)), numbered(32, 40));
    assert_eq!(names(&name(39)), numbered(0, 16));
}

#[test]
fn a_target_under_another_name_becomes_a_stray() {
    let mut index = index(&["a"]);
    index.apply_secret(TEAM, "a-target", marked(1, "a"));
    let renamed = |published: Option<&str>| References {
        target: "renamed".into(),
        published: published.map(Into::into),
        ..mentions("a")
    };
    index.apply_resource(&key("a"), renamed(Some("a-target")));
    assert_eq!(
        index.view(&key("a")).published,
        Observed::Found(marked(1, "a"))
    );
    assert_eq!(
        index.view(&key("a")).stale_targets,
        [],
        "it is still published"
    );
    index.apply_resource(&key("a"), renamed(Some("renamed")));
    assert_eq!(
        index.view(&key("a")).stale_targets,
        [("a-target".to_owned(), marked(1, "a"))]
    );
    index.delete_secret(TEAM, "a-target", 2);
    assert_eq!(index.view(&key("a")).stale_targets, []);
}

#[test]
fn one_mark_alone_makes_no_stray() {
    let mut index = index(&["a"]);
    index.apply_secret(TEAM, "stray", seen(1));
    assert_eq!(index.view(&key("a")).stale_targets, []);
    assert!(
        index
            .apply_secret(TEAM, "stray", marked(2, "nobody"))
            .is_empty()
    );
}

#[test]
fn the_last_resource_of_a_namespace_leaves_nothing_behind() {
    let mut index = index(&["a"]);
    index.apply_secret(TEAM, "a-source", seen(1));
    index.apply_secret(TEAM, "stray", marked(1, "a"));
    index.delete_resource(&key("a"));
    assert_eq!(index.tracked_secrets(), 0);
}

#[test]
fn who_publishes_at_a_name_comes_before_who_is_older() {
    let mut index = Index::default();
    let wants = |name: &str, created: i64, published: bool| References {
        created,
        target: "one".into(),
        published: published.then(|| "one".into()),
        ..mentions(name)
    };
    index.apply_resource(&key("old"), wants("old", 1, false));
    index.apply_resource(&key("young"), wants("young", 2, false));
    assert_eq!(
        index.view(&key("young")).conflicting_resource.as_deref(),
        Some("old")
    );
    assert_eq!(index.view(&key("old")).conflicting_resource, None);
    index.apply_resource(&key("young"), wants("young", 2, true));
    assert_eq!(
        index.view(&key("old")).conflicting_resource.as_deref(),
        Some("young")
    );
    assert_eq!(index.view(&key("young")).conflicting_resource, None);
}

#[test]
fn a_source_of_the_same_name_is_no_rivalry() {
    let mut index = index(&["a"]);
    let reads = References {
        source: "a-target".into(),
        ..mentions("b")
    };
    index.apply_resource(&key("b"), reads);
    assert_eq!(index.view(&key("a")).conflicting_resource, None);
    assert_eq!(index.view(&key("b")).conflicting_resource, None);
}
