//! The inputs of a decision.

use std::hash::{DefaultHasher, Hash, Hasher};

use k8s_openapi::jiff::Timestamp;

use super::{DueState, Newcomers, Source, Target};
use crate::{
    api::{Identity, Published, Reason, StaticAwsCredentialsStatus},
    domain::{
        fingerprint::Fingerprint,
        index::{Observed, View},
        layout,
        pair::KeyPair,
        place::Place,
        resource::ValidatedCredentials,
        verdict::{Answer, Control},
    },
};

/// Everything that is known of one resource and its Secrets.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// The resource.
    pub resource: &'a ValidatedCredentials,
    /// Its status, as last written.
    pub status: &'a StaticAwsCredentialsStatus,
    /// What was observed of its Secrets, including the reads of this reconcile.
    pub view: &'a View,
    /// What this process remembers of the resource.
    pub memory: &'a Memory,
    /// The source, once it was read.
    pub source: Option<&'a Source>,
    /// The target and the published Secret by name, once they were read.
    pub targets: &'a [(String, Target)],
    /// The answers about the pair in this reconcile, by the key of the place.
    pub answers: &'a [(String, Answer)],
    /// The result of the control check in this reconcile.
    pub control: Option<Control>,
    /// The request to STS that an earlier reconcile made.
    pub question: Option<Question>,
    /// Why the request of this reconcile has no answer yet.
    pub awaited: Option<Awaited>,
    /// Whether one custom endpoint replaces those of all regions.
    pub endpoint_replaced: bool,
    /// Whether requests to AWS go through a proxy.
    pub proxied: bool,
    /// When the next check of the pair is due.
    pub due: DueState,
    /// How long ago the rejection that the status records began.
    pub refused_for: Option<std::time::Duration>,
    /// How long the next restore must wait, because another client keeps changing the target.
    pub restore_wait: Option<std::time::Duration>,
    /// How long a new pair must wait for its first request, because AWS rejected the pairs before it.
    pub newcomer_wait: Option<std::time::Duration>,
    /// The message about leftovers that could not be removed and are not retried yet.
    pub leftovers_note: Option<&'a str>,
    /// Wall clock.
    pub now: Timestamp,
    /// A random number from 0 to 1.
    pub jitter: f64,
}

/// A request to STS that an earlier reconcile of the resource made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Unanswered. Holds the inputs hash of the last reconcile; `None` if that reconcile left work to do.
    Open(Option<InputsHash>),
    /// Answered.
    Answered,
}

/// Why a request to STS has no answer yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// Other requests come first, or the call takes long.
    Turn,
    /// The endpoint answers no request at all, for this reason.
    Endpoint(Reason),
}

/// What this process remembers of a resource between reconciles.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// The inputs hash of the last finished reconcile.
    pub look: Option<InputsHash>,
    /// The pair that this process published or found published.
    pub published: Option<Fingerprint>,
    /// The spec that this process applied to the target, or found applied.
    pub applied: Option<Applied>,
    /// The last pair that this process proved, or found proven.
    pub proof: Option<Proof>,
    /// The new pair that AWS did not know at the last request.
    pub settling: Option<Fingerprint>,
    /// The pair whose rejection the status records.
    pub refused: Option<Fingerprint>,
    /// New pairs that AWS rejected, one after another.
    pub newcomers: Newcomers,
    /// Inconclusive answers in a row about one pair.
    pub failures: u32,
    /// The hash of that pair and its place.
    pub failing: Option<u64>,
}

/// What of a spec and its class determines a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    generation: i64,
    /// The region of the class, which the generation of the spec does not cover.
    region: Option<Box<str>>,
}

/// A pair that this process proved, or found proven.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The fingerprint of the pair.
    pub fingerprint: Fingerprint,
    /// The key of the place that accepted the pair; `None` if the target vouched for the pair.
    pub place: Option<String>,
    /// The identity that AWS returned; `None` if the pair was proven by the store of a class.
    pub identity: Option<Identity>,
}

/// The hash of what a finished reconcile observed. While the hash stays the same, there is nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputsHash(pub(super) u64);

impl Inputs<'_> {
    /// The published Secret, if any.
    pub(super) fn published(&self) -> Option<&Published> {
        self.status.published.as_ref()
    }

    /// Whether the status was written for the present spec.
    pub(super) fn knows_spec(&self) -> bool {
        self.status.observed_generation == self.resource.generation
    }

    /// Whether the status was written for the present state of the class. The spec's generation does not cover it.
    pub(super) fn knows_class(&self) -> bool {
        match &self.resource.class {
            None => self.status.class.is_none(),
            Some(Ok(store)) => self.status.class.as_ref().is_some_and(|class| {
                class.uid == store.uid && class.generation == store.generation
            }),
            Some(Err(_)) => false,
        }
    }

    /// The present spec and class, as a target shows them.
    pub(super) fn present(&self) -> Applied {
        Applied {
            generation: self.resource.generation,
            region: self
                .resource
                .store()
                .map(|store| store.region.as_str().into()),
        }
    }

    /// Whether the source exists, at the version that the status records.
    pub(super) fn knows_source(&self) -> bool {
        let recorded = self.status.source.as_ref();
        let recorded = recorded.zip(self.view.source.present());
        recorded.is_some_and(|(source, seen)| seen.is(&source.uid, &source.resource_version))
    }

    /// Whether the target was published with the operator's present TTL, which the spec's generation does not
    /// cover.
    pub(super) fn knows_ttl(&self) -> bool {
        self.published().is_none_or(|published| {
            published.credential_process_ttl_seconds == self.resource.rendered_ttl()
        })
    }

    /// Whether the target has the labels that the resource copies to it, which the spec's generation does not
    /// cover. Changed labels are written only together with a proven pair.
    pub(super) fn knows_labels(&self) -> bool {
        self.published()
            .is_none_or(|published| published.labels_digest == self.resource.labels_digest())
    }

    /// What was observed of the published Secret.
    pub(super) fn published_sight(&self) -> &Observed {
        match self.published() {
            Some(published) if published.secret_name != self.resource.target => {
                &self.view.published
            }
            _ => &self.view.target,
        }
    }

    /// Whether the published Secret is still at the version that was published.
    pub(super) fn is_intact(&self) -> bool {
        let seen = self.published_sight().present();
        let recorded = self.published().zip(seen);
        recorded.is_some_and(|(published, seen)| seen.matches(published))
    }

    /// The Secret of this name, if it was read.
    pub(super) fn read_target(&self, name: &str) -> Option<&Target> {
        self.targets
            .iter()
            .find(|(read, _)| read == name)
            .map(|(_, target)| target)
    }

    /// Whether the published version of the target carries a pair; `None` if the target was not read.
    pub(super) fn carries(&self, pair: &KeyPair) -> Option<bool> {
        let published = self.published()?;
        match self.read_target(&published.secret_name)? {
            Target::Absent => Some(false),
            Target::Found(found) => {
                Some(found.seen.matches(published) && layout::carries(&found.data, pair))
            }
        }
    }

    /// The answer of a place in this reconcile.
    pub(super) fn answer(&self, place: &Place) -> Option<&Answer> {
        let key = place.key();
        self.answers
            .iter()
            .find(|(asked, _)| *asked == key)
            .map(|(_, answer)| answer)
    }

    /// The subject of a request: the hash of the source's pair and the place.
    pub(super) fn asks_about(&self) -> Option<u64> {
        let pair = self.source?.pair()?;
        let place = self.resource.place().map(|place| place.key());
        let mut hasher = DefaultHasher::new();
        (pair.fingerprint, place).hash(&mut hasher);
        Some(hasher.finish())
    }

    /// Inconclusive answers in a row about the source's pair.
    pub(super) fn failures(&self) -> u32 {
        let failing = self.memory.failing;
        if failing.is_none() || failing == self.asks_about() {
            self.memory.failures
        } else {
            0
        }
    }
}
