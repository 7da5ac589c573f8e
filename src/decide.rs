//! What to do for one resource, given what was observed: pure, without client, clock or async.
//!
//! `decide` is called again and again with a world that knows more each time. Each call names the
//! one next step: read something, ask AWS, or act. Only the last step has effects on the cluster.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use kube::api::ObjectMeta;

use crate::{
    api::StaticAwsCredentialsStatus,
    fingerprint::Fingerprint,
    index::{Observed, SecretVersion, View},
    pair::{KeyPair, SecretBytes},
    region::Region,
    verdict::Finding,
};

mod awaited;
mod constraints;
mod inputs;
mod leftovers;
mod newcomer;
mod ownership;
mod proof;
mod publish;
mod rejection;
mod schedule;
mod source;
mod status;
mod status_fields;
mod target;
mod up_to_date;
mod verification;
mod verified_condition;

pub use inputs::{Awaited, Inputs, InputsHash, Memory, Proof, Question};
pub use leftovers::{
    Fate, Leftover, note as leftovers_note, tell as tell_leftovers, told as told_leftovers,
};
pub use newcomer::Newcomers;
pub use ownership::{FoundTarget, Ownership, Target};
pub use schedule::{DueState, REJECTION_CONFIRMATION};
pub use source::{FoundSource, Source, SourcePair, examine};
pub use verified_condition::{Evidence, Verdict, verdict};

/// What comes next.
#[derive(Debug)]
pub enum Step {
    /// Read this, then decide again.
    Read(Read),
    /// Ask STS about the source's pair, then decide again.
    Ask(Query),
    /// Ask the endpoint about other pairs that it accepted before, then decide again.
    Control(Region),
    /// Do this. The run is over.
    Act(Box<Plan>),
}

/// A Secret to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// The source.
    Source,
    /// The Secret of this name, as a target.
    Target(String),
}

/// A question to STS.
#[derive(Clone, Debug)]
pub struct Query {
    /// The region to ask.
    pub region: Region,
    /// Whether a pair waits to be published. Such questions go first.
    pub new_pair: bool,
    /// How old an answer that is already known may be.
    pub max_age: Duration,
}

/// What is to be done.
#[derive(Debug)]
pub struct Plan {
    /// What happens to the target.
    pub change: TargetWrite,
    /// What is deleted or released besides.
    pub leftovers: Vec<Leftover>,
    /// The status as it should be. UID and version of a target that is written are filled in.
    pub status: StaticAwsCredentialsStatus,
    /// What to remember once all of it is done.
    pub memory: Memory,
    /// When to look again.
    pub next: Requeue,
    /// Whether AWS refused the pair for the first time.
    pub refusal_began: bool,
}

impl Plan {
    /// Whether it takes a Secret away or puts one back. The Secret is guarded by its version; that the
    /// resource still asks for this is known from its watch alone, which may lag behind that of the
    /// Secrets: a target that a newer spec asks for looks left over by an older one.
    #[must_use]
    pub fn is_confirmed_first(&self) -> bool {
        let change = match &self.change {
            TargetWrite::Nothing => false,
            TargetWrite::Create(draft) | TargetWrite::Replace(draft, _) => draft.confirmed_first,
            TargetWrite::Delete(..) => true,
        };
        change || !self.leftovers.is_empty()
    }
}

/// What happens to the target.
#[derive(Debug, Default)]
pub enum TargetWrite {
    /// Nothing.
    #[default]
    Nothing,
    /// It is created; that fails if the name is taken.
    Create(DesiredSecret),
    /// This version of it is replaced; that fails if it has changed since.
    Replace(DesiredSecret, SecretVersion),
    /// This object is deleted; that fails if it is another.
    Delete(String, SecretVersion),
}

/// A target to write.
#[derive(Debug)]
pub struct DesiredSecret {
    /// Its metadata, without UID and version.
    pub metadata: ObjectMeta,
    /// Its content.
    pub data: BTreeMap<String, SecretBytes>,
    /// The pair in it.
    pub pair: Arc<KeyPair>,
    /// What this process recognizes that pair by.
    pub fingerprint: Fingerprint,
    /// Whether it restores what somebody else changed.
    pub is_repair: bool,
    /// Whether the API server is asked first if the resource still asks for this, which gives back what was
    /// taken away: a content, the whole Secret, or the owner reference, which the garbage collector removes
    /// for a user who deletes the resource and wants to keep the target.
    pub confirmed_first: bool,
}

/// When to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requeue {
    /// As was decided before.
    Keep,
    /// After this time.
    In(Duration),
    /// When AWS has answered, or something changes.
    Answer,
    /// When something changes.
    Never,
}

/// The next step for one resource.
#[must_use]
pub fn decide(world: &Inputs<'_>) -> Step {
    if world.resource.deleting {
        return Step::Act(Box::new(Plan::rest(world, Requeue::Never)));
    }
    if world.resource.suspend {
        return Step::Act(Box::new(status::suspended(world)));
    }
    if up_to_date::is_up_to_date(world) || up_to_date::awaits_restore(world) {
        return Step::Act(Box::new(Plan::rest(
            world,
            schedule::requeue_when_idle(world),
        )));
    }
    let Some(source) = world.source else {
        return Step::Read(Read::Source);
    };
    let (judged, awaits) = match verification::verify(world, source) {
        verification::VerificationStep::Read(read) => return Step::Read(read),
        verification::VerificationStep::Control(region) => return Step::Control(region),
        verification::VerificationStep::Known(judged) => (judged, false),
        verification::VerificationStep::Ask(query) => match world.awaited {
            None => return Step::Ask(query),
            Some(awaited) => match awaited::meanwhile(world, source, &query.region, awaited) {
                None => return Step::Act(Box::new(Plan::rest(world, Requeue::Answer))),
                Some(judged) => (judged, true),
            },
        },
    };
    match target::plan_target(world, source, &judged) {
        target::TargetStep::Read(read) => Step::Read(read),
        target::TargetStep::Known(placed) => {
            let plan = status::plan(world, source, &judged, *placed);
            let plan = if awaits { plan.awaiting(world) } else { plan };
            Step::Act(Box::new(plan))
        }
    }
}

/// The plan that is left of one whose write of the target the API server refuses.
#[must_use]
pub fn write_refused(world: &Inputs<'_>, plan: &Plan, finding: &Finding) -> Plan {
    status::write_refused(world, plan, finding)
}

impl Plan {
    /// The same before AWS has answered: no answer is counted, and none is planned.
    fn awaiting(mut self, world: &Inputs<'_>) -> Self {
        self.memory.failures = world.memory.failures;
        self.memory.failing = world.memory.failing;
        self.next = Requeue::Answer;
        self
    }

    /// Nothing is to be done.
    fn rest(world: &Inputs<'_>, next: Requeue) -> Self {
        Self {
            change: TargetWrite::Nothing,
            leftovers: Vec::new(),
            status: world.status.clone(),
            memory: world.memory.clone(),
            next,
            refusal_began: false,
        }
    }
}

/// The sight of the Secret that the status calls published.
fn published_sight<'a>(
    status: &StaticAwsCredentialsStatus,
    view: &'a View,
    target: &str,
) -> &'a Observed {
    match &status.published {
        Some(published) if published.secret_name != target => &view.published,
        _ => &view.target,
    }
}
