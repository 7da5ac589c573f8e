//! Watches that break and relist, against a model of the delivered events: a resource is enqueued if its view changed,
//! and after a list no trace of deleted objects remains.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod changes;

use std::collections::{BTreeMap, BTreeSet};

use super::{Consequences, on_event};
use crate::{
    domain::{
        index::{
            Index, NamespacedName, Observed, SecretVersion, View,
            tests::{TEAM, model::Model},
        },
        resource,
    },
    runtime::{store::Store, watch::WatchedCredentials},
};
use kube::runtime::watcher::Event as Watched;
use proptest::{collection::vec, prelude::*};

use changes::{Change, changes, uid_of};

const RESOURCES: [&str; 3] = ["a", "b", "c"];
const SECRETS: [&str; 3] = ["s0", "s1", "s2"];

/// The state of the cluster, the delivered part of it, and the resulting index and store.
#[derive(Default)]
struct Simulation {
    resources: BTreeMap<String, WatchedCredentials>,
    secrets: BTreeMap<String, SecretVersion>,
    resources_broken: bool,
    secrets_broken: bool,
    delivered: Model,
    uids: BTreeMap<String, String>,
    incarnations: [u8; 3],
    version: u64,
    index: Index,
    store: Store,
}

impl Simulation {
    fn apply(&mut self, change: &Change) {
        self.version += 1;
        match change {
            Change::Resource(change) => {
                let incarnation = &mut self.incarnations[change.resource];
                *incarnation += u8::from(change.is_replaced);
                let object = change.object(*incarnation, self.version);
                let name = RESOURCES[change.resource].to_owned();
                self.resources.insert(name, object.clone());
                if !self.resources_broken {
                    self.record(&object);
                    self.deliver(Watched::Apply(object));
                }
            }
            Change::ResourceGone(resource) => {
                let gone = self.resources.remove(RESOURCES[*resource]);
                // A UID is never reused.
                self.incarnations[*resource] += 1;
                if let Some(object) = gone.filter(|_| !self.resources_broken) {
                    self.forget(RESOURCES[*resource]);
                    self.deliver(Watched::Delete(object));
                }
            }
            Change::Secret(secret, owner) => self.secret(SECRETS[*secret], *owner),
            Change::SecretGone(secret) => self.secret_gone(SECRETS[*secret]),
            Change::BreakResources => self.resources_broken = true,
            Change::BreakSecrets => self.secrets_broken = true,
            Change::ListResources => self.list_resources(),
            Change::ListSecrets => self.list_secrets(),
        }
    }

    /// Applies a delivered event to the model.
    fn record(&mut self, object: &WatchedCredentials) {
        let (name, uid) = names(object);
        let is_same = self.uids.insert(name.clone(), uid.clone()) == Some(uid);
        match &object.0 {
            Ok(object) => {
                let references = resource::references(object, object.status.as_ref());
                self.delivered.resources.insert(name, references);
            }
            Err(_) if is_same => {}
            Err(_) => drop(self.delivered.resources.remove(&name)),
        }
    }

    fn forget(&mut self, name: &str) {
        self.delivered.resources.remove(name);
        self.uids.remove(name);
    }

    fn secret(&mut self, name: &str, owner: Option<(usize, u8)>) {
        let version = SecretVersion {
            uid: name.into(),
            version: self.version,
            owner_uid: owner.map(|(owner, uid)| uid_of(owner, uid).as_str().into()),
            only_our_metadata: true,
        };
        self.secrets.insert(name.to_owned(), version.clone());
        if self.secrets_broken {
            return;
        }
        let before = self.views();
        self.delivered
            .secrets
            .insert(name.to_owned(), version.clone());
        let queued = self.index.apply_secret(TEAM, name, version);
        self.check_queued(&before, &queued);
    }

    fn secret_gone(&mut self, name: &str) {
        if self.secrets.remove(name).is_none() || self.secrets_broken {
            return;
        }
        let before = self.views();
        self.delivered.secrets.remove(name);
        let queued = self.index.delete_secret(TEAM, name, self.version);
        self.check_queued(&before, &queued);
    }

    fn list_resources(&mut self) {
        self.resources_broken = false;
        self.deliver(Watched::Init);
        for object in self.resources.clone().into_values() {
            self.record(&object);
            self.deliver(Watched::InitApply(object));
        }
        let gone = self
            .uids
            .keys()
            .filter(|name| !self.resources.contains_key(*name));
        let gone: BTreeSet<String> = gone.cloned().collect();
        for name in &gone {
            self.forget(name);
        }
        let consequences = self.deliver(Watched::InitDone);
        let reported = consequences.gone.iter().map(|key| key.name.to_string());
        assert_eq!(reported.collect::<BTreeSet<_>>(), gone);
        assert!(consequences.listed);
        let stored: Vec<String> = self.store.keys().map(|key| key.name.to_string()).collect();
        let existing: Vec<String> = self.resources.keys().cloned().collect();
        assert_eq!(stored, existing, "what is kept is what is there");
    }

    fn list_secrets(&mut self) {
        self.secrets_broken = false;
        let before = self.views();
        self.delivered.secrets = self.secrets.clone();
        self.index.start_relist();
        for (name, version) in &self.secrets {
            self.index.list_secret(TEAM, name, version.clone());
        }
        let queued = self.index.finish_relist();
        self.check_queued(&before, &queued);
    }

    fn deliver(&mut self, event: Watched<WatchedCredentials>) -> Consequences {
        let before = self.views();
        let consequences = on_event(&mut self.index, &mut self.store, event);
        self.check_queued(&before, &consequences.to_enqueue);
        consequences
    }

    fn views(&self) -> BTreeMap<NamespacedName, View> {
        let keys = RESOURCES.map(|name| NamespacedName::new(TEAM, name));
        let view = |key: NamespacedName| (key.clone(), self.index.view(&key));
        keys.map(view).into()
    }

    /// Fails unless every existing resource whose view changed was enqueued.
    fn check_queued(&self, before: &BTreeMap<NamespacedName, View>, queued: &[NamespacedName]) {
        for (key, view) in self.views() {
            let exists = self.delivered.resources.contains_key(&*key.name);
            let changed = exists && differs(&before[&key], &view);
            assert!(
                !changed || queued.contains(&key),
                "{key} is not enqueued: {:?} {view:?}",
                before[&key]
            );
            let expected = self.delivered.view(&key.name).conflicting_resource;
            assert_eq!(
                view.conflicting_resource, expected,
                "{key} waits for the wrong one"
            );
        }
    }

    /// After both lists, index and store contain exactly the existing objects.
    fn compare(&mut self) {
        self.list_resources();
        self.list_secrets();
        for (key, view) in self.views() {
            assert_eq!(view, self.delivered.view(&key.name), "{key}");
        }
    }
}

/// A change from Unknown does not count: a reconcile reads such a Secret itself.
fn differs(before: &View, now: &View) -> bool {
    let changed = |before: &Observed, now: &Observed| *before != Observed::Unknown && before != now;
    before.conflicting_resource != now.conflicting_resource
        || before.stale_targets != now.stale_targets
        || changed(&before.source, &now.source)
        || changed(&before.target, &now.target)
        || changed(&before.published, &now.published)
}

fn names(object: &WatchedCredentials) -> (String, String) {
    let metadata = match &object.0 {
        Ok(object) => &object.metadata,
        Err(invalid) => &invalid.metadata,
    };
    let (name, uid) = (metadata.name.clone(), metadata.uid.clone());
    (name.unwrap_or_default(), uid.unwrap_or_default())
}

proptest! {
    #[test]
    fn a_resource_whose_view_changes_is_enqueued_also_by_a_relist(sequence in vec(changes(), 1..50)) {
        let mut simulation = Simulation::default();
        for change in &sequence {
            simulation.apply(change);
        }
        simulation.compare();
    }
}
