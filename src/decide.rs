//! What to do for one resource, given what was observed: pure, without client, clock or async.
//!
//! `decide` is called again and again with a world that knows more each time. Each call names the
//! one next step: read something, ask AWS, or act. Only the last step has effects on the cluster.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use kube::api::ObjectMeta;

use crate::{
    api::StaticAwsCredentialsStatus,
    fingerprint::Fingerprint,
    index::{Seen, Sight, View},
    pair::{KeyPair, SecretBytes},
    region::Region,
    verdict::Finding,
};

mod awaited;
mod facts;
mod judge;
mod known;
mod leftovers;
mod newcomer;
mod opinion;
mod ownership;
mod pins;
mod place;
mod refusal;
mod report;
mod schedule;
mod settled;
mod source;
mod world;
mod write;

pub use leftovers::{
    Fate, Leftover, note as leftovers_note, tell as tell_leftovers, told as told_leftovers,
};
pub use newcomer::Newcomers;
pub use opinion::{Evidence, Verdict, verdict};
pub use ownership::{FoundTarget, Ownership, Target};
pub use schedule::{CONFIRMATION, Due};
pub use source::{FoundSource, Source, SourcePair, examine};
pub use world::{Awaited, Look, Memory, Proof, Question, World};

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
    pub change: Change,
    /// What is deleted or released besides.
    pub leftovers: Vec<Leftover>,
    /// The status as it should be. UID and version of a target that is written are filled in.
    pub status: StaticAwsCredentialsStatus,
    /// What to remember once all of it is done.
    pub memory: Memory,
    /// When to look again.
    pub next: Next,
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
            Change::Nothing => false,
            Change::Create(draft) | Change::Replace(draft, _) => draft.confirmed_first,
            Change::Delete(..) => true,
        };
        change || !self.leftovers.is_empty()
    }
}

/// What happens to the target.
#[derive(Debug, Default)]
pub enum Change {
    /// Nothing.
    #[default]
    Nothing,
    /// It is created; that fails if the name is taken.
    Create(Draft),
    /// This version of it is replaced; that fails if it has changed since.
    Replace(Draft, Seen),
    /// This object is deleted; that fails if it is another.
    Delete(String, Seen),
}

/// A target to write.
#[derive(Debug)]
pub struct Draft {
    /// Its metadata, without UID and version.
    pub metadata: ObjectMeta,
    /// Its content.
    pub data: BTreeMap<String, SecretBytes>,
    /// The pair in it.
    pub pair: Arc<KeyPair>,
    /// What this process recognizes that pair by.
    pub fingerprint: Fingerprint,
    /// Whether it restores what somebody else changed.
    pub restores: bool,
    /// Whether the API server is asked first if the resource still asks for this, which gives back what was
    /// taken away: a content, the whole Secret, or the owner reference, which the garbage collector removes
    /// for a user who deletes the resource and wants to keep the target.
    pub confirmed_first: bool,
}

/// When to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
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
pub fn decide(world: &World<'_>) -> Step {
    if world.resource.deleting {
        return Step::Act(Box::new(Plan::rest(world, Next::Never)));
    }
    if world.resource.suspend {
        return Step::Act(Box::new(report::suspended(world)));
    }
    if settled::is_settled(world) || settled::awaits_restore(world) {
        return Step::Act(Box::new(Plan::rest(world, schedule::resting(world))));
    }
    let Some(source) = world.source else {
        return Step::Read(Read::Source);
    };
    let (judged, awaits) = match judge::judge(world, source) {
        judge::Judgement::Read(read) => return Step::Read(read),
        judge::Judgement::Control(region) => return Step::Control(region),
        judge::Judgement::Known(judged) => (judged, false),
        judge::Judgement::Ask(query) => match world.awaited {
            None => return Step::Ask(query),
            Some(awaited) => match awaited::meanwhile(world, source, &query.region, awaited) {
                None => return Step::Act(Box::new(Plan::rest(world, Next::Answer))),
                Some(judged) => (judged, true),
            },
        },
    };
    match place::place(world, source, &judged) {
        place::Placing::Read(read) => Step::Read(read),
        place::Placing::Known(placed) => {
            let plan = report::plan(world, source, &judged, *placed);
            let plan = if awaits { plan.awaiting(world) } else { plan };
            Step::Act(Box::new(plan))
        }
    }
}

/// The plan that is left of one whose write of the target the API server refuses.
#[must_use]
pub fn write_refused(world: &World<'_>, plan: &Plan, finding: &Finding) -> Plan {
    report::write_refused(world, plan, finding)
}

impl Plan {
    /// The same before AWS has answered: no answer is counted, and none is planned.
    fn awaiting(mut self, world: &World<'_>) -> Self {
        self.memory.failures = world.memory.failures;
        self.memory.failing = world.memory.failing;
        self.next = Next::Answer;
        self
    }

    /// Nothing is to be done.
    fn rest(world: &World<'_>, next: Next) -> Self {
        Self {
            change: Change::Nothing,
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
) -> &'a Sight {
    match &status.published {
        Some(published) if published.secret_name != target => &view.published,
        _ => &view.target,
    }
}
