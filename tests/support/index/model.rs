//! A model of the index that keeps everything and answers by looking at all of it.

use std::collections::{BTreeMap, BTreeSet};

use static_aws_credentials::index::{Mentions, ResourceKey, Seen, Sight, View};

/// The one namespace of the model.
pub const TEAM: &str = "team";

/// The cluster as it is, and what a watch that missed nothing has said.
#[derive(Debug, Default)]
pub struct Model {
    pub resources: BTreeMap<String, Mentions>,
    pub secrets: BTreeMap<String, Seen>,
}

impl Model {
    /// What the index must say once it has heard everything, but for what it cannot know: a name
    /// that was first mentioned after the Secret's last event is unseen until a list.
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
            published: elsewhere.map_or(Sight::Unseen, |name| self.sight(name)),
            strays: self.strays(mentions),
            rival: self.rival(name, mentions),
        }
    }

    fn sight(&self, name: &str) -> Sight {
        self.secrets
            .get(name)
            .cloned()
            .map_or(Sight::Absent, Sight::Present)
    }

    fn strays(&self, mentions: &Mentions) -> Vec<(String, Seen)> {
        let strays = self.secrets.iter().filter(|(name, seen)| {
            seen.marked_by.as_ref() == Some(&mentions.uid) && !mentions.owns(name)
        });
        strays
            .map(|(name, seen)| (name.clone(), seen.clone()))
            .collect()
    }

    fn rival(&self, name: &str, mentions: &Mentions) -> Option<String> {
        let others = self.resources.iter().filter(|(other, its)| {
            *other != name
                && its.target == mentions.target
                && its.precedence() < mentions.precedence()
        });
        let first = others.min_by(|(_, one), (_, two)| one.precedence().cmp(&two.precedence()));
        first.map(|(other, _)| other.clone())
    }

    /// Secrets that somebody mentions, or that carry the marks of somebody who is there.
    pub fn mentioned(&self) -> BTreeSet<String> {
        let names = self.resources.values().flat_map(Mentions::names);
        let uids: BTreeSet<_> = self.resources.values().map(|it| &it.uid).collect();
        let marked = self.secrets.iter().filter(|(_, seen)| {
            seen.marked_by
                .as_ref()
                .is_some_and(|uid| uids.contains(uid))
        });
        names
            .map(str::to_owned)
            .chain(marked.map(|(name, _)| name.clone()))
            .collect()
    }

    /// Whom a change of a Secret concerns.
    pub fn concerned(&self, secret: &str, seen: Option<&Seen>) -> BTreeSet<ResourceKey> {
        let marked_by = seen.and_then(|seen| seen.marked_by.as_ref());
        let concerned = self.resources.iter().filter(|(_, mentions)| {
            mentions.names().any(|name| name == secret) || marked_by == Some(&mentions.uid)
        });
        concerned
            .map(|(name, _)| ResourceKey::new(TEAM, name))
            .collect()
    }
}
