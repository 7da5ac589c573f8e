//! A model of the index that keeps everything and answers by a full scan.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::index::{NamespacedName, Observed, References, SecretVersion, View};

/// The only namespace of the model.
pub const TEAM: &str = "team";

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
        let Some(mentions) = self.resources.get(name) else {
            return View::default();
        };
        let elsewhere = mentions
            .published
            .as_deref()
            .filter(|published| **published != *mentions.target);
        View {
            source: self.sight(&mentions.source),
            target: self.sight(&mentions.target),
            published: elsewhere.map_or(Observed::Unknown, |name| self.sight(name)),
            stale_targets: self.strays(mentions),
            conflicting_resource: self.rival(name, mentions),
        }
    }

    fn sight(&self, name: &str) -> Observed {
        self.secrets
            .get(name)
            .cloned()
            .map_or(Observed::NotFound, Observed::Found)
    }

    fn strays(&self, mentions: &References) -> Vec<(String, SecretVersion)> {
        let strays = self.secrets.iter().filter(|(name, seen)| {
            seen.owner_uid.as_ref() == Some(&mentions.uid) && !mentions.is_target(name)
        });
        strays
            .map(|(name, seen)| (name.clone(), seen.clone()))
            .collect()
    }

    fn rival(&self, name: &str, mentions: &References) -> Option<String> {
        let others = self.resources.iter().filter(|(other, its)| {
            *other != name && its.target == mentions.target && its.priority() < mentions.priority()
        });
        let first = others.min_by(|(_, one), (_, two)| one.priority().cmp(&two.priority()));
        first.map(|(other, _)| other.clone())
    }

    /// Secrets that a resource references, or that carry the mark of an existing resource.
    pub fn mentioned(&self) -> BTreeSet<String> {
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
    pub fn concerned(
        &self,
        secret: &str,
        seen: Option<&SecretVersion>,
    ) -> BTreeSet<NamespacedName> {
        let marked_by = seen.and_then(|seen| seen.owner_uid.as_ref());
        let concerned = self.resources.iter().filter(|(_, mentions)| {
            mentions.secret_names().any(|name| name == secret) || marked_by == Some(&mentions.uid)
        });
        concerned
            .map(|(name, _)| NamespacedName::new(TEAM, name))
            .collect()
    }
}
