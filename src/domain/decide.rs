//! Decides what to do for one resource from what was observed: pure, without client, clock or async.
//!
//! `decide` is called repeatedly, with inputs that grow. Each call returns the one next step: read a Secret,
//! ask AWS, or act. Only the last step, `Act`, changes the cluster.

use std::{sync::Arc, time::Duration};

use kube::api::ObjectMeta;

use situation::Situation;

use crate::{
    api::StaticAwsCredentialsStatus,
    domain::{
        fingerprint::Fingerprint, index::SecretVersion, layout::Rendered, pair::KeyPair,
        place::Place, verdict::Finding,
    },
};

mod awaited;
mod checks;
mod earlier;
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
mod situation;
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
    Disposal, Leftover, note as leftovers_note, tell as tell_leftovers, told as told_leftovers,
};
pub use newcomer::Newcomers;
pub use ownership::{FoundTarget, Ownership, Target};
pub use rejection_window::REJECTION_CONFIRMATION;
pub use schedule::{Because, Cause, DueState};
pub use source::{FoundSource, Source, SourcePair, examine};
pub use verified_condition::{Evidence, Verdict, verdict};

/// The next step for one resource.
#[derive(Debug)]
pub enum Step {
    /// Read this Secret, then decide again.
    Read(Read),
    /// Ask about the source's pair where it is proven, then decide again.
    Ask(Query),
    /// Check whether the endpoint still accepts other pairs that it accepted before, then decide again.
    Control(Place),
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

/// A request about the source's pair.
#[derive(Clone, Debug)]
pub struct Query {
    /// Where the pair is proven.
    pub place: Place,
    /// Whether a write of the target waits for the answer. Such requests go first.
    pub new_pair: bool,
    /// How old a cached answer may be.
    pub max_age: Duration,
}

/// What a reconcile changes, reports and remembers.
#[derive(Debug)]
pub struct Plan {
    /// The change of the target, if any.
    pub change: Option<TargetWrite>,
    /// The leftovers to delete or release.
    pub leftovers: Vec<Leftover>,
    /// The desired status. UID and version of a written target are filled in after the write.
    pub status: StaticAwsCredentialsStatus,
    /// What this process remembers after the plan is carried out.
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
            None => false,
            Some(TargetWrite::Create(draft) | TargetWrite::Replace(draft, _)) => {
                draft.confirmed_first
            }
            Some(TargetWrite::Delete(..)) => true,
        };
        change || !self.leftovers.is_empty()
    }
}

/// A change of the target.
#[derive(Debug)]
pub enum TargetWrite {
    /// Create the Secret; fails if the name is taken.
    Create(DesiredSecret),
    /// Replace this version; fails if the Secret has changed since.
    Replace(DesiredSecret, SecretVersion),
    /// Delete this version of the object; fails if the Secret is another or has changed since.
    Delete(String, SecretVersion),
}

impl TargetWrite {
    /// Whether the write restores what another client changed or deleted.
    #[must_use]
    pub fn is_repair(&self) -> bool {
        match self {
            Self::Create(draft) | Self::Replace(draft, _) => draft.is_repair,
            Self::Delete(..) => false,
        }
    }
}

/// A target to write.
#[derive(Debug)]
pub struct DesiredSecret {
    /// Metadata, without UID and version.
    pub metadata: ObjectMeta,
    /// Content.
    pub data: Arc<Rendered>,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Requeue {
    /// As scheduled before.
    #[default]
    Keep,
    /// After this time, for this reason.
    In(Duration, Because),
    /// When AWS has answered, or an input changes.
    Answer,
    /// When an input changes.
    Never,
}

/// The result of a stage, or the step that comes before the stage can end.
type Next<T> = Result<T, Step>;

/// Returns the next step for one resource.
#[must_use]
pub fn decide(inputs: &Inputs<'_>) -> Step {
    plan(&Situation::of(inputs)).map_or_else(|step| step, |plan| Step::Act(Box::new(plan)))
}

/// The stages, none of which calls an earlier one.
fn plan(situation: &Situation<'_>) -> Next<Plan> {
    if let Some(plan) = without_source(situation) {
        return Ok(plan);
    }
    let source = situation.source.ok_or(Step::Read(Read::Source))?;
    let (verification, awaits_answer) = verification::verify(situation, source)?;
    let target = target::plan_target(situation, &verification)?;
    let plan = status::plan(situation, &verification, target);
    Ok(if awaits_answer {
        plan.awaiting(situation)
    } else {
        plan
    })
}

/// The plan of a resource whose source need not be read.
fn without_source(situation: &Situation<'_>) -> Option<Plan> {
    if situation.resource.deleting {
        return Some(Plan::rest(situation, Requeue::Never));
    }
    if situation.resource.suspend {
        return Some(status::suspended(situation));
    }
    let is_idle = up_to_date::is_up_to_date(situation) || up_to_date::awaits_restore(situation);
    is_idle.then(|| Plan::rest(situation, schedule::when_idle(situation)))
}

/// The plan that remains after the API server rejected its write of the target.
#[must_use]
pub fn write_refused(inputs: &Inputs<'_>, plan: &Plan, finding: &Finding) -> Plan {
    status::write_refused(&Situation::of(inputs), plan, finding)
}

impl Plan {
    /// The plan while the answer of AWS is outstanding: no failure is counted, and no reconcile is scheduled.
    fn awaiting(mut self, inputs: &Inputs<'_>) -> Self {
        self.memory.failures = inputs.memory.failures;
        self.memory.failing = inputs.memory.failing;
        self.next = Requeue::Answer;
        self
    }

    /// A plan without changes.
    fn rest(inputs: &Inputs<'_>, next: Requeue) -> Self {
        Self {
            change: None,
            leftovers: Vec::new(),
            status: inputs.status.clone(),
            memory: inputs.memory.clone(),
            next,
            refusal_began: false,
        }
    }
}
