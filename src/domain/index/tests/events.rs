//! Random events for an index, with their weights.

use proptest::prelude::*;

/// An event in the cluster, or of the watch.
#[derive(Clone, Debug)]
pub enum Event {
    Resource {
        resource: usize,
        uid: u8,
        created: i64,
        source: usize,
        target: usize,
        published: Option<usize>,
    },
    ResourceGone(usize),
    Secret {
        secret: usize,
        owner: Option<(usize, u8)>,
        is_recreated: bool,
    },
    SecretGone(usize),
    /// An older version is delivered again, late.
    Replay(usize),
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
        4 => resource.prop_map(|(resource, uid, created, source, target, published)| Event::Resource {
            resource, uid, created, source, target, published,
        }),
        1 => (0..3_usize).prop_map(Event::ResourceGone),
        6 => secret.prop_map(|(secret, owner, is_recreated)| Event::Secret { secret, owner, is_recreated }),
        2 => (0..5_usize).prop_map(Event::SecretGone),
        2 => (0..5_usize).prop_map(Event::Replay),
        2 => (0..5_usize).prop_map(Event::Record),
        1 => Just(Event::ListSecrets),
        1 => Just(Event::ListResources),
        1 => Just(Event::Rewind),
    ]
}
