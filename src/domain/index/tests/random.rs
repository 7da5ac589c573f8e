//! Random events in random order, against the model.

use std::collections::BTreeSet;

use crate::domain::{
    index::{Index, NamespacedName, Observed, References, SecretVersion},
    uid::Uid,
};
use proptest::{collection::vec, prelude::*};

use super::{
    chance::{Event, events},
    model::{Model, TEAM},
};

const RESOURCES: [&str; 3] = ["a", "b", "c"];
const SECRETS: [&str; 5] = ["s0", "s1", "s2", "s3", "s4"];

#[derive(Default)]
struct Play {
    model: Model,
    index: Index,
    past: Vec<SecretVersion>,
    version: u64,
    rewinds: u64,
}

impl Play {
    fn perform(&mut self, event: &Event) {
        match event {
            Event::Resource {
                who,
                uid,
                created,
                source,
                target,
                published,
            } => {
                let name = RESOURCES[*who];
                let mentions = References {
                    uid: uid_of(*who, *uid),
                    created: *created,
                    source: SECRETS[*source].into(),
                    target: SECRETS[*target].into(),
                    published: published.map(|published| SECRETS[published].into()),
                };
                self.model
                    .resources
                    .insert(name.to_owned(), mentions.clone());
                self.index
                    .apply_resource(&NamespacedName::new(TEAM, name), mentions);
            }
            Event::ResourceGone(who) => {
                self.model.resources.remove(RESOURCES[*who]);
                self.index
                    .delete_resource(&NamespacedName::new(TEAM, RESOURCES[*who]));
            }
            Event::Secret {
                which,
                marked_by,
                anew,
            } => self.secret(*which, *marked_by, *anew),
            Event::SecretGone(which) => self.secret_gone(*which),
            Event::Echo(which) => self.echo(*which),
            Event::Record(which) => self.record(*which),
            Event::ListSecrets => self.list_secrets(),
            Event::ListResources => self.list_resources(),
            Event::Rewind => self.rewind(),
        }
    }

    fn secret(&mut self, which: usize, marked_by: Option<(usize, u8)>, anew: bool) {
        self.version += 1;
        let name = SECRETS[which];
        let before = self.model.secrets.get(name);
        let uid = match before {
            Some(before) if !anew => before.uid.clone(),
            _ => format!("{name}-{}", self.version).into(),
        };
        let seen = SecretVersion {
            uid,
            version: self.version,
            owner_uid: marked_by.map(|(who, uid)| uid_of(who, uid)),
            only_our_metadata: true,
        };
        let before = before.cloned();
        self.past.extend(before.clone());
        self.model.secrets.insert(name.to_owned(), seen.clone());
        let woken = set(self.index.apply_secret(TEAM, name, seen.clone()));
        let concerned = self.model.concerned(name, Some(&seen));
        assert!(woken.is_superset(&concerned));
        // The resource whose mark the Secret lost is enqueued too, if the index knew the mark.
        let before = self.model.concerned(name, before.as_ref());
        assert!(woken.is_subset(&concerned.union(&before).cloned().collect()));
    }

    fn secret_gone(&mut self, which: usize) {
        let name = SECRETS[which];
        let Some(seen) = self.model.secrets.remove(name) else {
            return;
        };
        self.version += 1;
        let woken = set(self.index.delete_secret(TEAM, name, self.version));
        // The index drops a Secret that no resource references if the Secret came before the resource in its mark.
        assert!(woken.is_superset(&self.model.concerned(name, None)));
        assert!(woken.is_subset(&self.model.concerned(name, Some(&seen))));
        self.past.clear();
    }

    fn echo(&mut self, which: usize) {
        let name = SECRETS[which];
        let of_this = |seen: &&SecretVersion| seen.uid.to_string().starts_with(name);
        if !self.is_known(name) {
            // An older version can only arrive late if this process recorded the current one itself.
            return;
        }
        if let Some(seen) = self.past.iter().rev().find(of_this).cloned() {
            self.index.apply_secret(TEAM, name, seen);
        }
    }

    /// Whether the index has the current version of a Secret.
    fn is_known(&self, name: &str) -> bool {
        let current = self.model.secrets.get(name);
        let views = RESOURCES.map(|who| (who, self.index.view(&NamespacedName::new(TEAM, who))));
        views.iter().any(|(who, view)| {
            let mentions = self.model.resources.get(*who);
            let is_source = mentions.is_some_and(|its| &*its.source == name);
            is_source && current.is_some() && view.source.present() == current
        })
    }

    fn record(&mut self, which: usize) {
        let name = SECRETS[which];
        let sight = self.model.secrets.get(name).cloned();
        let sight = sight.map_or(Observed::NotFound, Observed::Found);
        self.index.record(TEAM, name, &Observed::Unknown, &sight);
    }

    fn list_secrets(&mut self) {
        self.index.start_relist();
        for (name, seen) in &self.model.secrets {
            self.index.list_secret(TEAM, name, seen.clone());
        }
        let woken: BTreeSet<NamespacedName> = self.index.finish_relist().into_iter().collect();
        let everybody = self
            .model
            .resources
            .keys()
            .map(|name| NamespacedName::new(TEAM, name));
        assert_eq!(woken, everybody.collect());
    }

    fn list_resources(&mut self) {
        for (name, mentions) in &self.model.resources {
            self.index
                .apply_resource(&NamespacedName::new(TEAM, name), mentions.clone());
        }
    }

    fn rewind(&mut self) {
        self.version = 0;
        self.past.clear();
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
                "{name} waits for himself"
            );
            for stray in &view.stale_targets {
                assert!(
                    expected.stale_targets.contains(stray),
                    "{stray:?} is no stray of {name}"
                );
            }
        }
        assert!(
            self.index.tracked_secrets() <= self.model.mentioned().len(),
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

fn set(woken: Vec<NamespacedName>) -> BTreeSet<NamespacedName> {
    let count = woken.len();
    let woken: BTreeSet<NamespacedName> = woken.into_iter().collect();
    assert_eq!(woken.len(), count, "somebody is woken twice");
    woken
}

fn uid_of(who: usize, uid: u8) -> Uid {
    format!("{}-{uid}", RESOURCES[who]).into()
}

proptest! {
    #[test]
    fn the_index_never_says_what_is_not_so_and_after_a_list_says_all(story in vec(events(), 1..60)) {
        let mut play = Play::default();
        for event in &story {
            play.perform(event);
            play.compare();
        }
        play.compare_all();
    }

    #[test]
    fn of_those_who_want_one_target_exactly_one_waits_for_nobody(story in vec(events(), 1..30)) {
        let mut play = Play::default();
        for event in &story {
            play.perform(event);
        }
        for target in SECRETS {
            let wanting = play.model.resources.iter().filter(|(_, its)| &*its.target == target);
            let wanting: Vec<&String> = wanting.map(|(name, _)| name).collect();
            let first = wanting.iter().filter(|name| {
                play.index.view(&NamespacedName::new(TEAM, name)).conflicting_resource.is_none()
            });
            prop_assert_eq!(first.count(), usize::from(!wanting.is_empty()), "{}", target);
        }
    }
}
