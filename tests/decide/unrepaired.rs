//! Changes of a target that are not repaired, or only after a pause.

use std::time::Duration;

use crate::sim::{TARGET, World, alpha, data};

/// Another client writes a key into the target.
fn edit(world: &mut World, key: &str) {
    world.store.edit(TARGET, |secret| {
        secret.data.as_mut().unwrap().extend(data(&[(key, "1")]));
    });
}

#[test]
fn further_edits_during_the_pause_before_a_restore_cost_no_request() {
    let mut world = World::published();
    for key in ["a", "b", "c", "d"] {
        edit(&mut world, key);
        world.settle();
    }
    let state = world.state();
    assert!(state.starts_with("Ready=False TargetModified"), "{state}");
    world.log.clear();
    for key in ["e", "f", "g"] {
        edit(&mut world, key);
        world.settle();
    }
    assert_eq!(world.requests(), "");
    world.advance(Duration::from_secs(5));
    assert_eq!(world.target(), Some(alpha()));
    assert!(world.state().starts_with("Ready=True Published"));
}

#[test]
fn a_foreign_secret_in_the_place_of_the_target_is_a_conflict_and_a_target_without_its_marks_was_edited()
 {
    for mut world in World::published_without_a_proven_source() {
        world.store.edit(TARGET, |secret| {
            let metadata = &mut secret.metadata;
            (metadata.labels, metadata.annotations) = (None, None);
            metadata.owner_references = None;
        });
        world.settle_twice();
        let state = world.state();
        assert!(state.contains("Published=False TargetModified"), "{state}");
        world.store.delete(TARGET, None).unwrap();
        world.store.edit(TARGET, |_| {});
        world.settle_twice();
        let state = world.state();
        assert!(state.contains("Published=False TargetConflict"), "{state}");
    }
}
