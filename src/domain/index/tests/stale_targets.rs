//! Secrets with the mark of a resource that are not its target.

use crate::domain::index::{
    Index, MAX_STALE_TARGETS, MAX_UNCLAIMED, MAX_UNCLAIMED_PER_NAMESPACE, Observed, References,
};

use super::{TEAM, index, key, marked, references, secret};

#[test]
fn marks_of_resources_that_never_come_are_kept_up_to_a_bound_and_the_newest_of_them() {
    let mut index = Index::default();
    let claimed = |index: &mut Index, namespace: &str, number: usize| {
        index.apply_secret(namespace, &format!("fake-{number}"), marked(1, "nobody"));
    };
    for number in 0..MAX_UNCLAIMED_PER_NAMESPACE * 2 {
        claimed(&mut index, TEAM, number);
    }
    assert_eq!(index.unclaimed_secrets(), MAX_UNCLAIMED_PER_NAMESPACE);
    index.apply_secret(TEAM, "real", marked(2, "a"));
    for namespace in 0..2 * MAX_UNCLAIMED / MAX_UNCLAIMED_PER_NAMESPACE {
        for number in 0..MAX_UNCLAIMED_PER_NAMESPACE {
            claimed(&mut index, &format!("other-{namespace}"), number);
        }
    }
    assert_eq!(index.unclaimed_secrets(), MAX_UNCLAIMED);
    index.apply_resource(&key("a"), references("a"));
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
    let mut removed = 0;
    while removed < 1000 {
        let stale_targets = index.view(&key("a")).stale_targets;
        assert!((1..=MAX_STALE_TARGETS).contains(&stale_targets.len()));
        for (stale_target, _) in stale_targets {
            assert_eq!(stale_target, name(removed));
            removed += 1;
            assert_eq!(index.delete_secret(TEAM, &stale_target, 2), [key("a")]);
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
        let stale_targets = index.view_after(&key("a"), after).stale_targets;
        stale_targets
            .into_iter()
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
    };
    let numbered = |from: usize, to: usize| (from..to).map(name).collect::<Vec<_>>();
    assert_eq!(names(""), numbered(0, 16));
    assert_eq!(names(&name(15)), numbered(16, 32));
    assert_eq!(names(&name(31)), numbered(32, 40));
    assert_eq!(names(&name(39)), numbered(0, 16));
}

#[test]
fn a_target_under_another_name_becomes_stale() {
    let mut index = index(&["a"]);
    index.apply_secret(TEAM, "a-target", marked(1, "a"));
    let renamed = |published: Option<&str>| References {
        target: "renamed".into(),
        published: published.map(Into::into),
        ..references("a")
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
fn one_mark_alone_makes_no_stale_target() {
    let mut index = index(&["a"]);
    index.apply_secret(TEAM, "stray", secret(1));
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
    index.apply_secret(TEAM, "a-source", secret(1));
    index.apply_secret(TEAM, "stray", marked(1, "a"));
    index.delete_resource(&key("a"));
    assert_eq!(index.tracked_secrets(), 0);
}
