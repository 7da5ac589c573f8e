//! Random events for an index, with their weights.

use proptest::prelude::*;

/// An event in the cluster, or of the watch.
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
    /// An older version is delivered again, late.
    Echo(usize),
    /// A reconcile reads or writes a version before the watch delivers it.
    Record(usize),
    ListSecrets,
    ListResources,
    /// The store is restored: versions restart below those already seen.
    Rewind,
}

/// Any event.
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
