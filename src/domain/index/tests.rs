//! The index of Secrets and resources, by tables and against a model that keeps everything.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod conflicts;
mod events;
pub mod model;
mod random;
mod stale_targets;
mod versions;

use crate::domain::index::{Index, NamespacedName, References, SecretVersion};

/// The namespace of the tests.
pub const TEAM: &str = "team";

fn key(name: &str) -> NamespacedName {
    NamespacedName::new(TEAM, name)
}

/// References of a resource whose source and target are named after it.
fn references(name: &str) -> References {
    References {
        uid: format!("uid-{name}").into(),
        created: 0,
        source: format!("{name}-source").into(),
        target: format!("{name}-target").into(),
        published: None,
    }
}

fn secret(version: u64) -> SecretVersion {
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
        ..secret(version)
    }
}

fn index(names: &[&str]) -> Index {
    let mut index = Index::default();
    for name in names {
        index.apply_resource(&key(name), references(name));
    }
    index
}
