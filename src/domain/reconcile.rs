//! One reconcile as a state machine without effects: [`Reconcile::step`] takes the result of the last effect and
//! returns the next effect, or the end. The driver in `runtime/reconcile.rs` performs the effects in a cluster; the model, the
//! crash tests and the fuzz target perform them in memory.

use std::{ops::ControlFlow, time::Instant, vec};

use k8s_openapi::jiff::Timestamp;

use crate::{
    api::{Restart, StaticAwsCredentialsStatus},
    domain::{
        decide::{self, Awaited, Inputs, Leftover, Plan, Read, Source, Step, Target},
        index::{Observed, View},
        resource::ValidatedCredentials,
        verdict::{Answer, Control},
    },
};

mod act;
mod begin;
mod effect;
pub mod state;
mod task;

pub use begin::{Begin, Settings};
pub use effect::{
    Done, Effect, Event, Failure, Observation, PendingQuestion, Progress, Removed, WriteOutcome,
};
pub use state::RuntimeState;
pub use task::{PerTask, Task};

/// Limit of decisions in one reconcile; more than any resource needs.
const DECISIONS: u32 = 16;
/// Conflicts on writes of the target after which a reconcile fails. Each earlier conflict leads to a new decision.
const CONFLICTS: u32 = 4;

/// A reconcile in progress.
pub struct Reconcile<'a> {
    resource: &'a ValidatedCredentials,
    restart: Option<&'a Restart>,
    settings: Settings,
    status: StaticAwsCredentialsStatus,
    version: String,
    view: View,
    source: Option<Source>,
    targets: Vec<(String, Target)>,
    answers: Vec<(String, Answer)>,
    control: Option<Control>,
    awaited: Option<Awaited>,
    decisions: u32,
    conflicts: u32,
    acting: Option<Acting>,
    observations: Vec<Observation>,
}

/// The plan that is carried out.
struct Acting {
    plan: Plan,
    left: vec::IntoIter<Leftover>,
    tried: Vec<Leftover>,
    refused: Vec<(Leftover, String)>,
    /// Whether the write of the target restores what another client changed or deleted.
    is_repair: bool,
}

/// What a step reads and changes outside of the reconcile.
pub struct Surroundings<'a> {
    /// The state of the resource in memory.
    pub state: &'a mut RuntimeState,
    /// The request to STS that an earlier reconcile made.
    pub question: Option<decide::Question>,
    /// How often the index was rewound.
    pub epoch: u64,
    /// Wall clock, in whole seconds.
    pub wall: Timestamp,
    /// Monotonic clock.
    pub now: Instant,
}

impl Reconcile<'_> {
    /// Takes the result of the last effect, and returns the next effect.
    pub fn step(&mut self, event: Event, around: &mut Surroundings<'_>) -> Progress {
        match event {
            Event::Confirmed => return self.write(around),
            Event::Written(outcome) => return self.written(outcome, around),
            Event::Removed(removed) => return self.removed(removed, around),
            Event::StatusWritten(status, version) => {
                self.status_written(*status, version, around);
                return self.finish(around);
            }
            Event::Begun => {}
            Event::Source(source, answers) => self.read_source(source, answers),
            Event::Target(name, target) => self.read_target(name, target),
            Event::Answer(region, answer) => self.answers.push((region, answer)),
            Event::Awaits(awaited) => self.awaited = Some(awaited),
            Event::Control(control) => self.control = Some(control),
        }
        self.decide(around)
    }

    fn decide(&mut self, around: &mut Surroundings<'_>) -> Progress {
        self.decisions += 1;
        if self.decisions > DECISIONS {
            return ControlFlow::Break(Err(Failure::DecisionLimit));
        }
        let decide = self.settings.decide;
        ControlFlow::Continue(match self.with_inputs(around, decide) {
            Step::Read(Read::Source) => Effect::ReadSource,
            Step::Read(Read::Target(name)) => Effect::ReadTarget(name),
            Step::Ask(query) => Effect::Ask(query),
            Step::Control(place) => Effect::Control(place),
            Step::Act(plan) => return self.act(*plan, around),
        })
    }

    fn with_inputs<T>(
        &self,
        around: &mut Surroundings<'_>,
        with: impl FnOnce(&Inputs<'_>) -> T,
    ) -> T {
        let (state, now) = (&mut *around.state, around.now);
        let refused_for = state.refused_for(&self.status, around.wall, now);
        with(&Inputs {
            resource: self.resource,
            status: &self.status,
            view: &self.view,
            memory: &state.memory,
            source: self.source.as_ref(),
            targets: &self.targets,
            answers: &self.answers,
            control: self.control,
            question: around.question,
            awaited: self.awaited,
            endpoint_replaced: self.settings.endpoint_replaced,
            proxied: self.settings.proxied,
            due: state.due(now),
            refused_for,
            restore_wait: state.restore_wait(now),
            newcomer_wait: state.newcomer_wait(now),
            leftovers_note: state.leftovers.note(now),
            now: around.wall,
            jitter: self.settings.jitter,
        })
    }

    fn read_source(&mut self, source: Source, answers: Vec<(String, Answer)>) {
        let after = source.observed();
        let before = std::mem::replace(&mut self.view.source, after.clone());
        self.observe(self.resource.source.name.clone(), before, after);
        self.source = Some(source);
        self.answers.extend(answers);
    }

    fn read_target(&mut self, name: String, target: Target) {
        self.see_target(&name, &target.observed());
        self.targets.retain(|(read, _)| *read != name);
        self.targets.push((name, target));
    }

    fn see_target(&mut self, name: &str, after: &Observed) {
        let slot = if name == self.resource.target {
            &mut self.view.target
        } else {
            &mut self.view.published
        };
        let before = std::mem::replace(slot, after.clone());
        self.observe(name.to_owned(), before, after.clone());
    }

    fn observe(&mut self, name: String, before: Observed, after: Observed) {
        self.observations.push(Observation {
            name,
            before,
            after,
        });
    }
}

#[cfg(test)]
mod tests;
