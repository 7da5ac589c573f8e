//! What a decision is made from.

use std::hash::{DefaultHasher, Hash, Hasher};

use k8s_openapi::jiff::Timestamp;

use super::{DueState, Newcomers, Source, Target, published_sight};
use crate::{
    api::{ConditionType, Identity, Published, Reason, StaticAwsCredentialsStatus},
    conditions,
    fingerprint::Fingerprint,
    index::{Observed, View},
    layout,
    pair::KeyPair,
    region::Region,
    resource::ValidatedCredentials,
    verdict::{Answer, Control},
};

/// Everything that is known of one resource and its surroundings.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// The resource.
    pub resource: &'a ValidatedCredentials,
    /// Its status, as last written.
    pub status: &'a StaticAwsCredentialsStatus,
    /// What was seen of its Secrets, what was read in this run included.
    pub view: &'a View,
    /// What this process remembers of it.
    pub memory: &'a Memory,
    /// The source, once it was read.
    pub source: Option<&'a Source>,
    /// Secrets by the names of the target and of what was published, once they were read.
    pub targets: &'a [(String, Target)],
    /// What STS answered in this run, by region.
    pub answers: &'a [(String, Answer)],
    /// What a control question showed in this run.
    pub control: Option<Control>,
    /// The question that an earlier run left.
    pub question: Option<Question>,
    /// Why the question of this run has no answer yet.
    pub awaited: Option<Awaited>,
    /// Whether one endpoint stands for all regions.
    pub endpoint_replaced: bool,
    /// Whether AWS is asked through a proxy.
    pub proxied: bool,
    /// When the next proof is due.
    pub due: DueState,
    /// How long ago this process saw the refusal begin that the status speaks of.
    pub refused_for: Option<std::time::Duration>,
    /// How long a restore has to wait, since somebody keeps changing the target.
    pub restore_wait: Option<std::time::Duration>,
    /// How long a new pair has to wait before AWS is asked about it, since AWS refused those before it.
    pub newcomer_wait: Option<std::time::Duration>,
    /// What is reported of leftovers that were refused and are not tried again yet.
    pub leftovers_note: Option<&'a str>,
    /// Wall clock.
    pub now: Timestamp,
    /// Random, from 0 to 1.
    pub jitter: f64,
}

/// A question to STS that an earlier run of the resource left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// It has no answer yet. The world as the last run left it; none if that run left something to do.
    Open(Option<InputsHash>),
    /// It has an answer.
    Answered,
}

/// Why a question to STS has no answer yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// Other questions come first, or the call takes long.
    Turn,
    /// The endpoint gives no answer to any question, for this reason.
    Endpoint(Reason),
}

/// What this process remembers of a resource from one run to the next.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// The world as the last finished run left it.
    pub look: Option<InputsHash>,
    /// The pair that this process published or found published.
    pub published: Option<Fingerprint>,
    /// The generation of the spec to which this process brought the target, or found it brought.
    pub applied: Option<i64>,
    /// The pair that this process proved.
    pub proof: Option<Proof>,
    /// The new pair that AWS did not know when this process last asked.
    pub settling: Option<Fingerprint>,
    /// The pair of whose refusal the status speaks.
    pub refused: Option<Fingerprint>,
    /// New pairs that AWS refused, one after another.
    pub newcomers: Newcomers,
    /// Answers in a row that said nothing about one pair.
    pub failures: u32,
    /// The pair that these answers were about, with its region, hashed.
    pub failing: Option<u64>,
}

/// A pair that this process proved, or found proven.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The pair.
    pub fingerprint: Fingerprint,
    /// Where it was asked for; none if the target vouched for it.
    pub region: Option<String>,
    /// Whose it is.
    pub identity: Identity,
}

/// What a finished run saw, hashed. While it stays the same there is nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputsHash(pub(super) u64);

impl Inputs<'_> {
    /// What was published, if anything was.
    pub(super) fn published(&self) -> Option<&Published> {
        self.status.published.as_ref()
    }

    /// Whether the status speaks of the present spec.
    pub(super) fn knows_spec(&self) -> bool {
        self.status.observed_generation == self.resource.generation
    }

    /// Whether the target was published under the operator's present setting, which the spec's generation
    /// says nothing of.
    pub(super) fn knows_ttl(&self) -> bool {
        self.published().is_none_or(|published| {
            published.credential_process_ttl_seconds == self.resource.rendered_ttl()
        })
    }

    /// Whether the target has the labels that the resource gives it. The spec's generation says nothing of
    /// them. Only a proven pair brings others to the target.
    pub(super) fn knows_labels(&self) -> bool {
        self.published()
            .is_none_or(|published| published.labels_digest == self.resource.labels_digest())
    }

    /// What was seen of the published Secret.
    pub(super) fn published_sight(&self) -> &Observed {
        published_sight(self.status, self.view, &self.resource.target)
    }

    /// Whether the published Secret is still the version that was published.
    pub(super) fn is_intact(&self) -> bool {
        let seen = self.published_sight().present();
        let intact = |published: &Published| {
            seen.is_some_and(|seen| seen.is(&published.uid, &published.resource_version))
        };
        self.published().is_some_and(intact)
    }

    /// The Secret of this name, if it was read.
    pub(super) fn read_target(&self, name: &str) -> Option<&Target> {
        self.targets
            .iter()
            .find(|(read, _)| read == name)
            .map(|(_, target)| target)
    }

    /// Whether the published version of the target carries a pair, if it was read.
    pub(super) fn carries(&self, pair: &KeyPair) -> Option<bool> {
        let published = self.published()?;
        match self.read_target(&published.secret_name)? {
            Target::Absent => Some(false),
            Target::Found(found) => {
                let is_published = found.seen.is(&published.uid, &published.resource_version);
                Some(is_published && layout::carries(&found.data, pair))
            }
        }
    }

    /// What AWS answered in a region in this run.
    pub(super) fn answer(&self, region: &str) -> Option<&Answer> {
        self.answers
            .iter()
            .find(|(asked, _)| asked == region)
            .map(|(_, answer)| answer)
    }

    /// What a question is about: the source's pair and the region, hashed.
    pub(super) fn asks_about(&self) -> Option<u64> {
        let Some(Source::Found(found)) = self.source else {
            return None;
        };
        let pair = found.pair.as_ref().ok()?;
        let region = self.resource.region.as_ref().map(Region::as_str);
        let mut hasher = DefaultHasher::new();
        (pair.fingerprint, region).hash(&mut hasher);
        Some(hasher.finish())
    }

    /// Answers in a row that said nothing about the source's pair.
    pub(super) fn failures(&self) -> u32 {
        let failing = self.memory.failing;
        if failing.is_none() || failing == self.asks_about() {
            self.memory.failures
        } else {
            0
        }
    }

    /// The reason of a condition before this run.
    pub(super) fn reason_before(&self, kind: ConditionType) -> Option<Reason> {
        conditions::reason(&self.status.conditions, kind)
    }

    /// Whether a condition was true before this run.
    pub(super) fn was_true(&self, kind: ConditionType) -> bool {
        conditions::is_true(&self.status.conditions, kind)
    }
}
