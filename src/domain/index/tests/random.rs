//! Random events in random order, against the model.

use std::collections::BTreeSet;

use crate::domain::{
    index::{Index, NamespacedName, Observed, References, SecretVersion},
    uid::Uid,
};
use proptest::{collection::vec, prelude::*};

use super::{
    TEAM,
    events::{Event, events},
    model::Model,
};

const RESOURCES: [&str; 3] = ["a", "b", "c"];
const SECRETS: [&str; 5] = ["s0", "s1", "s2", "s3", "s4"];

#[derive(Default)]
struct Simulation {
    model: Model,
    index: Index,
    older_versions: Vec<SecretVersion>,
    version: u64,
    rewinds: u64,
}

impl Simulation {
    fn apply(&mut self, event: &Event) {
        match event {
            Event::Resource {
                resource,
                uid,
                created,
                source,
                target,
                published,
            } => {
                let name = RESOURCES[*resource];
                let references = References {
                    uid: uid_of(*resource, *uid),
                    created: *created,
                    source: SECRETS[*source].into(),
                    target: SECRETS[*target].into(),
                    published: published.map(|published| SECRETS[published].into()),
                };
                self.model
                    .resources
                    .insert(name.to_owned(), references.clone());
                self.index
                    .apply_resource(&NamespacedName::new(TEAM, name), references);
            }
            Event::ResourceGone(resource) => {
                self.model.resources.remove(RESOURCES[*resource]);
                self.index
                    .delete_resource(&NamespacedName::new(TEAM, RESOURCES[*resource]));
            }
            Event::Secret {
                secret,
                owner,
                is_recreated,
            } => self.secret(*secret, *owner, *is_recreated),
            Event::SecretGone(secret) => self.secret_gone(*secret),
            Event::Replay(secret) => self.replay(*secret),
            Event::Record(secret) => self.record(*secret),
            Event::ListSecrets => self.list_secrets(),
            Event::ListResources => self.list_resources(),
            Event::Rewind => self.rewind(),
        }
    }

    fn secret(&mut self, secret: usize, owner: Option<(usize, u8)>, is_recreated: bool) {
        self.version += 1;
        let name = SECRETS[secret];
        let before = self.model.secrets.get(name);
        let uid = match before {
            Some(before) if !is_recreated => before.uid.clone(),
            _ => format!("{name}-{}", self.version).into(),
        };
        let seen = SecretVersion {
            uid,
            version: self.version,
            owner_uid: owner.map(|(resource, uid)| uid_of(resource, uid)),
            only_our_metadata: true,
        };
        let before = before.cloned();
        self.older_versions.extend(before.clone());
        self.model.secrets.insert(name.to_owned(), seen.clone());
        let affected = unique(self.index.apply_secret(TEAM, name, seen.clone()));
        let dependents = self.model.dependents(name, Some(&seen));
        assert!(affected.is_superset(&dependents));
        // The resource whose mark the Secret lost is enqueued too, if the index knew the mark.
        let before = self.model.dependents(name, before.as_ref());
        assert!(affected.is_subset(&dependents.union(&before).cloned().collect()));
    }

    fn secret_gone(&mut self, secret: usize) {
        let name = SECRETS[secret];
        let Some(seen) = self.model.secrets.remove(name) else {
            return;
        };
        self.version += 1;
        let affected = unique(self.index.delete_secret(TEAM, name, self.version));
        // The index drops a Secret that no resource references if the Secret came before the resource in its mark.
        assert!(affected.is_superset(&self.model.dependents(name, None)));
        assert!(affected.is_subset(&self.model.dependents(name, Some(&seen))));
        self.older_versions.clear();
    }

    fn replay(&mut self, secret: usize) {
        let name = SECRETS[secret];
        let is_of_secret = |seen: &&SecretVersion| seen.uid.to_string().starts_with(name);
        if !self.is_known(name) {
            // An older version can only arrive late if this process recorded the current one itself.
            return;
        }
        if let Some(seen) = self.older_versions.iter().rev().find(is_of_secret).cloned() {
            self.index.apply_secret(TEAM, name, seen);
        }
    }

    /// Whether the index has the current version of a Secret.
    fn is_known(&self, name: &str) -> bool {
        let current = self.model.secrets.get(name);
        let views = RESOURCES.map(|resource| {
            (
                resource,
                self.index.view(&NamespacedName::new(TEAM, resource)),
            )
        });
        views.iter().any(|(resource, view)| {
            let references = self.model.resources.get(*resource);
            let is_source = references.is_some_and(|references| &*references.source == name);
            is_source && current.is_some() && view.source.present() == current
        })
    }

    fn record(&mut self, secret: usize) {
        let name = SECRETS[secret];
        let observed = self.model.secrets.get(name).cloned();
        let observed = observed.map_or(Observed::NotFound, Observed::Found);
        let _ = self.index.record(TEAM, name, &Observed::Unknown, &observed);
    }

    fn list_secrets(&mut self) {
        self.index.start_relist();
        for (name, seen) in &self.model.secrets {
            self.index.list_secret(TEAM, name, seen.clone());
        }
        let affected: BTreeSet<NamespacedName> = self.index.finish_relist().into_iter().collect();
        let all = self
            .model
            .resources
            .keys()
            .map(|name| NamespacedName::new(TEAM, name));
        assert_eq!(affected, all.collect());
    }

    fn list_resources(&mut self) {
        for (name, references) in &self.model.resources {
            self.index
                .apply_resource(&NamespacedName::new(TEAM, name), references.clone());
        }
    }

    fn rewind(&mut self) {
        self.version = 0;
        self.older_versions.clear();
        for seen in self.model.secrets.values_mut() {
            self.version += 1;
            seen.version = self.version;
        }
        self.list_secrets();
        assert!(self.index.epoch() >= self.rewinds, "rewinds are counted");
        self.rewinds = self.index.epoch();
        // All later versions are larger than any version so far.
        self.version += 1_000_000;
    }

    /// Fails if the index contradicts the model; `Unknown` is allowed.
    fn compare(&self) {
        for name in RESOURCES {
            let view = self.index.view(&NamespacedName::new(TEAM, name));
            let expected = self.model.view(name);
            let agrees =
                |is: &Observed, should: &Observed| *is == Observed::Unknown || is == should;
            assert!(
                agrees(&view.source, &expected.source),
                "{name}: {view:?}, {expected:?}"
            );
            assert!(
                agrees(&view.target, &expected.target),
                "{name}: {view:?}, {expected:?}"
            );
            assert!(
                agrees(&view.published, &expected.published),
                "{name}: {view:?}"
            );
            assert_eq!(
                view.conflicting_resource, expected.conflicting_resource,
                "{name}"
            );
            assert_ne!(
                view.conflicting_resource.as_deref(),
                Some(name),
                "{name} waits for itself"
            );
            for stale_target in &view.stale_targets {
                assert!(
                    expected.stale_targets.contains(stale_target),
                    "{stale_target:?} is no stale target of {name}"
                );
            }
        }
        assert!(
            self.index.tracked_secrets() <= self.model.tracked_names().len(),
            "{:?}",
            self.index
        );
    }

    /// After a list no observation is `Unknown`.
    fn compare_all(&mut self) {
        self.list_resources();
        self.list_secrets();
        for name in RESOURCES {
            let mut view = self.index.view(&NamespacedName::new(TEAM, name));
            view.stale_targets
                .sort_by(|(one, _), (two, _)| one.cmp(two));
            assert_eq!(view, self.model.view(name), "{name}");
        }
        self.compare();
    }
}

fn unique(affected: Vec<NamespacedName>) -> BTreeSet<NamespacedName> {
    let count = affected.len();
    let affected: BTreeSet<NamespacedName> = affected.into_iter().collect();
    assert_eq!(affected.len(), count, "a resource is enqueued twice");
    affected
}

fn uid_of(resource: usize, uid: u8) -> Uid {
    format!("{}-{uid}", RESOURCES[resource]).into()
}

proptest! {
    #[test]
    fn the_index_agrees_with_the_model_and_is_complete_after_a_list(sequence in vec(events(), 1..60)) {
        let mut simulation = Simulation::default();
        for event in &sequence {
            simulation.apply(event);
            simulation.compare();
        }
        simulation.compare_all();
    }

    #[test]
    fn of_the_resources_with_one_target_exactly_one_has_no_conflict(sequence in vec(events(), 1..30)) {
        let mut simulation = Simulation::default();
        for event in &sequence {
            simulation.apply(event);
        }
        for target in SECRETS {
            let competitors = simulation.model.resources.iter().filter(|(_, references)| &*references.target == target);
            let competitors: Vec<&String> = competitors.map(|(name, _)| name).collect();
            let first = competitors.iter().filter(|name| {
                simulation.index.view(&NamespacedName::new(TEAM, name)).conflicting_resource.is_none()
            });
            prop_assert_eq!(first.count(), usize::from(!competitors.is_empty()), "{}", target);
        }
    }
}
