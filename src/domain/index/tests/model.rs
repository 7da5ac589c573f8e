//! A model of the index that keeps everything and answers by a full scan.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::index::{NamespacedName, Observed, References, SecretVersion, View};

use super::TEAM;

/// The current state of the cluster, as delivered by a watch that missed nothing.
#[derive(Debug, Default)]
pub struct Model {
    pub resources: BTreeMap<String, References>,
    pub secrets: BTreeMap<String, SecretVersion>,
}

impl Model {
    /// The expected view of the index after all events, except for one gap: a name that is first
    /// referenced after the Secret's last event is unknown until a list.
    pub fn view(&self, name: &str) -> View {
        let Some(references) = self.resources.get(name) else {
            return View::default();
        };
        let elsewhere = references
            .published
            .as_deref()
            .filter(|published| **published != *references.target);
        View {
            source: self.observed(&references.source),
            target: self.observed(&references.target),
            published: elsewhere.map_or(Observed::Unknown, |name| self.observed(name)),
            stale_targets: self.stale_targets(references),
            conflicting_resource: self.conflicting_resource(name, references),
        }
    }

    fn observed(&self, name: &str) -> Observed {
        self.secrets
            .get(name)
            .cloned()
            .map_or(Observed::NotFound, Observed::Found)
    }

    fn stale_targets(&self, references: &References) -> Vec<(String, SecretVersion)> {
        let stale_targets = self.secrets.iter().filter(|(name, seen)| {
            seen.owner_uid.as_ref() == Some(&references.uid) && !references.is_target(name)
        });
        stale_targets
            .map(|(name, seen)| (name.clone(), seen.clone()))
            .collect()
    }

    fn conflicting_resource(&self, name: &str, references: &References) -> Option<String> {
        let others = self.resources.iter().filter(|(other, competitor)| {
            *other != name
                && competitor.target == references.target
                && competitor.priority() < references.priority()
        });
        let first = others.min_by(|(_, one), (_, two)| one.priority().cmp(&two.priority()));
        first.map(|(other, _)| other.clone())
    }

    /// Secrets that a resource references, or that carry the mark of an existing resource.
    pub fn tracked_names(&self) -> BTreeSet<String> {
        let names = self.resources.values().flat_map(References::secret_names);
        let uids: BTreeSet<_> = self.resources.values().map(|it| &it.uid).collect();
        let marked = self.secrets.iter().filter(|(_, seen)| {
            seen.owner_uid
                .as_ref()
                .is_some_and(|uid| uids.contains(uid))
        });
        names
            .map(str::to_owned)
            .chain(marked.map(|(name, _)| name.clone()))
            .collect()
    }

    /// Resources that a change of a Secret affects.
    pub fn dependents(
        &self,
        secret: &str,
        seen: Option<&SecretVersion>,
    ) -> BTreeSet<NamespacedName> {
        let owner_uid = seen.and_then(|seen| seen.owner_uid.as_ref());
        let dependents = self.resources.iter().filter(|(_, references)| {
            references.secret_names().any(|name| name == secret)
                || owner_uid == Some(&references.uid)
        });
        dependents
            .map(|(name, _)| NamespacedName::new(TEAM, name))
            .collect()
    }
}
