//! Resources that want the same target.

use crate::domain::index::{Index, References};

use super::{index, key, references};

#[test]
fn a_waiting_resource_is_enqueued_when_the_first_one_is_deleted_or_withdraws() {
    let wants = |name: &str, created: i64, published: bool| References {
        created,
        target: "one".into(),
        published: published.then(|| "one".into()),
        ..references(name)
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
fn a_publishing_resource_has_priority_over_an_older_one() {
    let mut index = Index::default();
    let wants = |name: &str, created: i64, published: bool| References {
        created,
        target: "one".into(),
        published: published.then(|| "one".into()),
        ..references(name)
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
fn a_source_of_the_same_name_is_no_conflict() {
    let mut index = index(&["a"]);
    let other = References {
        source: "a-target".into(),
        ..references("b")
    };
    index.apply_resource(&key("b"), other);
    assert_eq!(index.view(&key("a")).conflicting_resource, None);
    assert_eq!(index.view(&key("b")).conflicting_resource, None);
}
