//! Decides what to do for one resource from what was observed: pure, without client, clock or async.
//!
//! `decide` is called repeatedly, with inputs that grow. Each call returns the one next step: read a Secret,
//! ask AWS, or act. Only the last step, `Act`, changes the cluster.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use kube::api::ObjectMeta;

use crate::{
    api::StaticAwsCredentialsStatus,
    domain::{
        fingerprint::Fingerprint,
        index::{Observed, SecretVersion, View},
        pair::{KeyPair, SecretBytes},
        region::Region,
        verdict::Finding,
    },
};

mod awaited;
mod constraints;
mod inputs;
mod leftovers;
mod newcomer;
mod outcome;
mod ownership;
mod proof;
mod publish;
mod rejection;
mod rejection_window;
mod schedule;
mod source;
mod status;
mod status_fields;
mod target;
mod target_state;
mod up_to_date;
mod verification;
mod verified_condition;

pub use inputs::{Awaited, Inputs, InputsHash, Memory, Proof, Question};
pub use leftovers::{
    Fate, Leftover, note as leftovers_note, tell as tell_leftovers, told as told_leftovers,
};
pub use newcomer::Newcomers;
pub use ownership::{FoundTarget, Ownership, Target};
pub use rejection_window::REJECTION_CONFIRMATION;
pub use schedule::DueState;
pub use source::{FoundSource, Source, SourcePair, examine};
pub use verified_condition::{Evidence, Verdict, verdict};

/// The next step for one resource.
#[derive(Debug)]
pub enum Step {
    /// Read this Secret, then decide again.
    Read(Read),
    /// Send a `GetCallerIdentity` request for the source's pair, then decide again.
    Ask(Query),
    /// Check whether the endpoint still accepts other pairs that it accepted before, then decide again.
    Control(Region),
    /// Carry out this plan. The reconcile ends with it.
    Act(Box<Plan>),
}

/// A Secret to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// The source.
    Source,
    /// The target of this name.
    Target(String),
}

/// A `GetCallerIdentity` request to STS.
#[derive(Clone, Debug)]
pub struct Query {
    /// The region of the request.
    pub region: Region,
    /// Whether a write of the target waits for the answer. Such requests go first.
    pub new_pair: bool,
    /// How old a cached answer may be.
    pub max_age: Duration,
}

/// What a reconcile changes, reports and remembers.
#[derive(Debug)]
pub struct Plan {
    /// The change of the target.
    pub change: TargetWrite,
    /// The leftovers to delete or release.
    pub leftovers: Vec<Leftover>,
    /// The desired status. UID and version of a written target are filled in after the write.
    pub status: StaticAwsCredentialsStatus,
    /// What this process remembers once the plan is carried out.
    pub memory: Memory,
    /// When the resource is reconciled again.
    pub next: Requeue,
    /// Whether AWS rejects the pair for the first time.
    pub refusal_began: bool,
}

impl Plan {
    /// Whether the plan removes or restores a Secret, so that the resource must be confirmed first. The Secret is
    /// guarded by its version, but the resource is known from its watch alone, which may lag behind the watch of
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

/// A change of the target.
#[derive(Debug, Default)]
pub enum TargetWrite {
    /// No change.
    #[default]
    Nothing,
    /// Create the Secret; fails if the name is taken.
    Create(DesiredSecret),
    /// Replace this version; fails if the Secret has changed since.
    Replace(DesiredSecret, SecretVersion),
    /// Delete this version of the object; fails if the Secret is another or has changed since.
    Delete(String, SecretVersion),
}

/// A target to write.
#[derive(Debug)]
pub struct DesiredSecret {
    /// Metadata, without UID and version.
    pub metadata: ObjectMeta,
    /// Content.
    pub data: BTreeMap<String, SecretBytes>,
    /// The pair in the content.
    pub pair: Arc<KeyPair>,
    /// The fingerprint by which this process recognizes the pair.
    pub fingerprint: Fingerprint,
    /// Whether the write restores what another client changed or deleted.
    pub is_repair: bool,
    /// Whether the API server must confirm the resource first, because the write brings back what was removed: a
    /// content, the whole Secret, or the owner reference, which the garbage collector removes when a user
    /// deletes the resource and wants to keep the target.
    pub confirmed_first: bool,
}

/// When to reconcile again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requeue {
    /// As scheduled before.
    Keep,
    /// After this time.
    In(Duration),
    /// When AWS has answered, or an input changes.
    Answer,
    /// When an input changes.
    Never,
}

/// Returns the next step for one resource.
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
        outcome::VerificationStep::Read(read) => return Step::Read(read),
        outcome::VerificationStep::Control(region) => return Step::Control(region),
        outcome::VerificationStep::Known(judged) => (judged, false),
        outcome::VerificationStep::Ask(query) => match world.awaited {
            None => return Step::Ask(query),
            Some(awaited) => match awaited::meanwhile(world, source, &query.region, awaited) {
                None => return Step::Act(Box::new(Plan::rest(world, Requeue::Answer))),
                Some(judged) => (judged, true),
            },
        },
    };
    match target::plan_target(world, source, &judged) {
        target_state::TargetStep::Read(read) => Step::Read(read),
        target_state::TargetStep::Known(placed) => {
            let plan = status::plan(world, source, &judged, *placed);
            let plan = if awaits { plan.awaiting(world) } else { plan };
            Step::Act(Box::new(plan))
        }
    }
}

/// The plan that remains after the API server rejected its write of the target.
#[must_use]
pub fn write_refused(world: &Inputs<'_>, plan: &Plan, finding: &Finding) -> Plan {
    status::write_refused(world, plan, finding)
}

impl Plan {
    /// The plan while the answer of AWS is outstanding: no failure is counted, and no reconcile is scheduled.
    fn awaiting(mut self, world: &Inputs<'_>) -> Self {
        self.memory.failures = world.memory.failures;
        self.memory.failing = world.memory.failing;
        self.next = Requeue::Answer;
        self
    }

    /// A plan without changes.
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

/// What was observed of the Secret that the status records as published.
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
