//! Watches that break and relist, against a model of the delivered events: a resource is enqueued if its view changed,
//! and after a list no trace of deleted objects remains.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    domain::{
        index::{Index, NamespacedName, Observed, SecretVersion, View},
        resource::{self, Undecodable},
    },
    runtime::{
        store::Store,
        watch::{
            WatchedCredentials,
            resources::{Consequences, on_event},
        },
    },
};
use kube::{api::ObjectMeta, runtime::watcher::Event as Watched};
use proptest::{collection::vec, prelude::*};
use serde_json::json;

use super::model::{Model, TEAM};

const RESOURCES: [&str; 3] = ["a", "b", "c"];
const SECRETS: [&str; 3] = ["s0", "s1", "s2"];

/// Changes in the cluster, and events of the two watches.
#[derive(Clone, Debug)]
enum Deed {
    Resource {
        who: usize,
        anew: bool,
        created: i64,
        target: usize,
        published: bool,
        decodable: bool,
    },
    ResourceGone(usize),
    Secret(usize, Option<(usize, u8)>),
    SecretGone(usize),
    BreakResources,
    BreakSecrets,
    ListResources,
    ListSecrets,
}

fn deeds() -> impl Strategy<Value = Deed> {
    let resource = (
        0..3_usize,
        prop::bool::weighted(0.2),
        0..3_i64,
        0..3_usize,
        prop::bool::ANY,
        prop::bool::weighted(0.8),
    );
    let marks = prop::option::of((0..3_usize, 0..3_u8));
    prop_oneof![
        8 => resource.prop_map(|(who, anew, created, target, published, decodable)| {
            Deed::Resource { who, anew, created, target, published, decodable }
        }),
        2 => (0..3_usize).prop_map(Deed::ResourceGone),
        4 => (0..3_usize, marks).prop_map(|(which, marks)| Deed::Secret(which, marks)),
        1 => (0..3_usize).prop_map(Deed::SecretGone),
        1 => Just(Deed::BreakResources),
        1 => Just(Deed::BreakSecrets),
        2 => Just(Deed::ListResources),
        1 => Just(Deed::ListSecrets),
    ]
}

/// The state of the cluster, the delivered part of it, and the resulting index and store.
#[derive(Default)]
struct Play {
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

impl Play {
    fn perform(&mut self, deed: &Deed) {
        self.version += 1;
        match deed {
            Deed::Resource { who, anew, .. } => {
                self.incarnations[*who] += u8::from(*anew);
                let object = self.object(deed);
                let name = RESOURCES[*who].to_owned();
                self.resources.insert(name, object.clone());
                if !self.resources_broken {
                    self.learn(&object);
                    self.note(Watched::Apply(object));
                }
            }
            Deed::ResourceGone(who) => {
                let gone = self.resources.remove(RESOURCES[*who]);
                // A UID is never reused.
                self.incarnations[*who] += 1;
                if let Some(object) = gone.filter(|_| !self.resources_broken) {
                    self.unlearn(RESOURCES[*who]);
                    self.note(Watched::Delete(object));
                }
            }
            Deed::Secret(which, marks) => self.secret(SECRETS[*which], *marks),
            Deed::SecretGone(which) => self.secret_gone(SECRETS[*which]),
            Deed::BreakResources => self.resources_broken = true,
            Deed::BreakSecrets => self.secrets_broken = true,
            Deed::ListResources => self.list_resources(),
            Deed::ListSecrets => self.list_secrets(),
        }
    }

    /// A decodable resource, or an undecodable one with metadata only.
    fn object(&self, deed: &Deed) -> WatchedCredentials {
        let Deed::Resource {
            who,
            created,
            target,
            published,
            decodable,
            ..
        } = deed
        else {
            panic!("no resource");
        };
        let (name, target) = (RESOURCES[*who], SECRETS[*target]);
        let metadata = json!({
            "name": name, "namespace": TEAM, "uid": uid_of(*who, self.incarnations[*who]),
            "resourceVersion": self.version.to_string(),
            "creationTimestamp": format!("2026-01-01T00:00:0{created}Z"),
        });
        let status = json!({ "published": {
            "secretName": target, "uid": "u", "resourceVersion": "1", "keyIdSuffix": "QUA5",
            "revision": 1, "time": "2026-01-01T00:00:00Z",
        }});
        let object = json!({
            "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
            "metadata": metadata,
            "spec": { "secretRef": { "name": "source" }, "target": { "name": target } },
            "status": published.then_some(status),
        });
        if *decodable {
            return WatchedCredentials(Ok(serde_json::from_value(object).unwrap()));
        }
        let metadata: ObjectMeta = serde_json::from_value(object["metadata"].clone()).unwrap();
        let error = "it cannot be decoded".to_owned();
        WatchedCredentials(Err(Box::new(Undecodable {
            error,
            metadata,
            status: None,
        })))
    }

    /// Applies a delivered event to the model.
    fn learn(&mut self, object: &WatchedCredentials) {
        let (name, uid) = names(object);
        let same = self.uids.insert(name.clone(), uid.clone()) == Some(uid);
        match &object.0 {
            Ok(object) => {
                let mentions = resource::references(object, object.status.as_ref());
                self.delivered.resources.insert(name, mentions);
            }
            Err(_) if same => {}
            Err(_) => drop(self.delivered.resources.remove(&name)),
        }
    }

    fn unlearn(&mut self, name: &str) {
        self.delivered.resources.remove(name);
        self.uids.remove(name);
    }

    fn secret(&mut self, name: &str, marks: Option<(usize, u8)>) {
        let seen = SecretVersion {
            uid: name.into(),
            version: self.version,
            owner_uid: marks.map(|(who, uid)| uid_of(who, uid).as_str().into()),
            only_our_metadata: true,
        };
        self.secrets.insert(name.to_owned(), seen.clone());
        if self.secrets_broken {
            return;
        }
        let before = self.views();
        self.delivered.secrets.insert(name.to_owned(), seen.clone());
        let woken = self.index.apply_secret(TEAM, name, seen);
        self.check_woken(&before, &woken);
    }

    fn secret_gone(&mut self, name: &str) {
        if self.secrets.remove(name).is_none() || self.secrets_broken {
            return;
        }
        let before = self.views();
        self.delivered.secrets.remove(name);
        let woken = self.index.delete_secret(TEAM, name, self.version);
        self.check_woken(&before, &woken);
    }

    fn list_resources(&mut self) {
        self.resources_broken = false;
        self.note(Watched::Init);
        for object in self.resources.clone().into_values() {
            self.learn(&object);
            self.note(Watched::InitApply(object));
        }
        let gone = self
            .uids
            .keys()
            .filter(|name| !self.resources.contains_key(*name));
        let gone: BTreeSet<String> = gone.cloned().collect();
        for name in &gone {
            self.unlearn(name);
        }
        let consequences = self.note(Watched::InitDone);
        let told = consequences.gone.iter().map(|key| key.name.to_string());
        assert_eq!(told.collect::<BTreeSet<_>>(), gone);
        assert!(consequences.listed);
        let kept: Vec<String> = self.store.keys().map(|key| key.name.to_string()).collect();
        let there: Vec<String> = self.resources.keys().cloned().collect();
        assert_eq!(kept, there, "what is kept is what is there");
    }

    fn list_secrets(&mut self) {
        self.secrets_broken = false;
        let before = self.views();
        self.delivered.secrets = self.secrets.clone();
        self.index.start_relist();
        for (name, seen) in &self.secrets {
            self.index.list_secret(TEAM, name, seen.clone());
        }
        let woken = self.index.finish_relist();
        self.check_woken(&before, &woken);
    }

    fn note(&mut self, event: Watched<WatchedCredentials>) -> Consequences {
        let before = self.views();
        let consequences = on_event(&mut self.index, &mut self.store, event);
        self.check_woken(&before, &consequences.woken);
        consequences
    }

    fn views(&self) -> BTreeMap<NamespacedName, View> {
        let keys = RESOURCES.map(|name| NamespacedName::new(TEAM, name));
        let view = |key: NamespacedName| (key.clone(), self.index.view(&key));
        keys.map(view).into()
    }

    /// Fails unless every existing resource whose view changed was enqueued.
    fn check_woken(&self, before: &BTreeMap<NamespacedName, View>, woken: &[NamespacedName]) {
        for (key, view) in self.views() {
            let is_there = self.delivered.resources.contains_key(&*key.name);
            let changed = is_there && differs(&before[&key], &view);
            assert!(
                !changed || woken.contains(&key),
                "{key} sleeps: {:?} {view:?}",
                before[&key]
            );
            let rival = self.delivered.view(&key.name).conflicting_resource;
            assert_eq!(
                view.conflicting_resource, rival,
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
    let sight = |before: &Observed, now: &Observed| *before != Observed::Unknown && before != now;
    before.conflicting_resource != now.conflicting_resource
        || before.stale_targets != now.stale_targets
        || sight(&before.source, &now.source)
        || sight(&before.target, &now.target)
        || sight(&before.published, &now.published)
}

fn names(object: &WatchedCredentials) -> (String, String) {
    let metadata = match &object.0 {
        Ok(object) => &object.metadata,
        Err(invalid) => &invalid.metadata,
    };
    let (name, uid) = (metadata.name.clone(), metadata.uid.clone());
    (name.unwrap_or_default(), uid.unwrap_or_default())
}

fn uid_of(who: usize, uid: u8) -> String {
    format!("{}-{uid}", RESOURCES[who])
}

proptest! {
    #[test]
    fn whose_view_changes_is_woken_also_by_a_list_after_a_loss(story in vec(deeds(), 1..50)) {
        let mut play = Play::default();
        for deed in &story {
            play.perform(deed);
        }
        play.compare();
    }
}
