//! What may happen to an index, and how often.

use proptest::prelude::*;

/// One thing that happens in the cluster, and what the watch makes of it.
#[derive(Clone, Debug)]
pub enum Event {
    Resource {
        who: usize,
        uid: u8,
        created: i64,
        source: usize,
        target: usize,
        published: Option<usize>,
    },
    ResourceGone(usize),
    Secret {
        which: usize,
        marked_by: Option<(usize, u8)>,
        anew: bool,
    },
    SecretGone(usize),
    /// What was seen comes once more, late.
    Echo(usize),
    /// A run reads or writes before the watch says so.
    Record(usize),
    ListSecrets,
    ListResources,
    /// The store is restored: versions begin anew, below those that were seen.
    Rewind,
}

/// Anything.
pub fn events() -> impl Strategy<Value = Event> {
    let resource = (
        0..3_usize,
        0..2_u8,
        0..3_i64,
        0..5_usize,
        0..5_usize,
        prop::option::of(0..5_usize),
    );
    let secret = (
        0..5_usize,
        prop::option::of((0..3_usize, 0..2_u8)),
        prop::bool::weighted(0.2),
    );
    prop_oneof![
        4 => resource.prop_map(|(who, uid, created, source, target, published)| Event::Resource {
            who, uid, created, source, target, published,
        }),
        1 => (0..3_usize).prop_map(Event::ResourceGone),
        6 => secret.prop_map(|(which, marked_by, anew)| Event::Secret { which, marked_by, anew }),
        2 => (0..5_usize).prop_map(Event::SecretGone),
        2 => (0..5_usize).prop_map(Event::Echo),
        2 => (0..5_usize).prop_map(Event::Record),
        1 => Just(Event::ListSecrets),
        1 => Just(Event::ListResources),
        1 => Just(Event::Rewind),
    ]
}
