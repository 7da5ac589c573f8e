//! The status after a reconcile, and the plan as a whole.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{
    Because, Inputs, Leftover, Memory, Plan, Proof, Requeue, SourcePair, TargetWrite, leftovers,
    newcomer,
    outcome::Verification,
    schedule,
    situation::Situation,
    status_fields,
    target_state::{TargetPlan, TargetState},
    verified_condition::opinion,
};
use crate::{
    api::{ConditionType, Reason},
    domain::{
        conditions::{self, ConditionSet, ConditionStatus, Readiness},
        verdict::Finding,
    },
};

/// The plan of a finished decision.
pub(super) fn plan(
    situation: &Situation<'_>,
    verification: &Verification,
    target: TargetPlan,
) -> Plan {
    let verified = verified(situation, verification);
    let published = published_condition(situation, verification, &target.state);
    let summary = summary(situation, verification, &target.state, &verified.1);
    let report = ConditionSet {
        verified,
        published,
        summary,
    };
    let mut status = status_fields::facts(situation, verification, &target.state);
    status.conditions = report.conditions(&situation.status.conditions, situation.now);
    let due = leftovers::leftovers(situation, verification, &target);
    let leftovers = unless_rejected(situation, due, &mut status.conditions);
    let settling = status.settling.as_ref();
    let next = schedule::next(situation, verification, &target.state, settling);
    let refusal_began = settling.is_some() && settling != situation.status.settling.as_ref();
    Plan {
        refusal_began,
        leftovers,
        memory: memory(situation, verification, &target, settling.is_some()),
        change: target.change,
        status,
        next,
    }
}

/// Leftovers that could not be removed are retried after a pause; until then the condition still reports them.
fn unless_rejected(
    inputs: &Inputs<'_>,
    due: Vec<Leftover>,
    conditions: &mut [Condition],
) -> Vec<Leftover> {
    let note = inputs.leftovers_note.filter(|_| !due.is_empty());
    leftovers::tell(conditions, note);
    if inputs.leftovers_note.is_some() {
        Vec::new()
    } else {
        due
    }
}

/// The plan for a suspended resource: one status write. `Retain` still applies, since a person who deletes a
/// suspended resource counts on it.
pub(super) fn suspended(inputs: &Inputs<'_>) -> Plan {
    let mut plan = Plan::rest(inputs, Requeue::Never);
    plan.status.observed_generation = inputs.resource.generation;
    plan.status.conditions = conditions::suspended(&inputs.status.conditions, inputs.now);
    let due = leftovers::released(inputs, plan.change.as_ref());
    plan.leftovers = unless_rejected(inputs, due, &mut plan.status.conditions);
    plan.memory.look = None;
    plan
}

/// The API server rejected the write of the target. The condition Verified keeps the verdict of AWS on the pair.
pub(super) fn write_refused(inputs: &Situation<'_>, decided: &Plan, finding: &Finding) -> Plan {
    let first = Duration::from_secs(10);
    let pause = schedule::backoff(inputs, first, Duration::from_mins(5));
    let mut plan = Plan::rest(inputs, Requeue::In(pause, Because::WriteRefused));
    let verified = conditions::find(&decided.status.conditions, ConditionType::Verified).cloned();
    let report = ConditionSet {
        verified: (ConditionStatus::Unknown, finding.clone()),
        published: (ConditionStatus::False, finding.clone()),
        summary: Readiness::Stalled(finding.clone()),
    };
    let mut conditions = report.conditions(&inputs.status.conditions, inputs.now);
    let slot = conditions
        .iter_mut()
        .find(|slot| slot.type_ == ConditionType::Verified.as_str());
    if let (Some(slot), Some(verified)) = (slot, verified) {
        *slot = verified;
    }
    plan.status.conditions = conditions;
    plan.status.observed_generation = decided.status.observed_generation;
    plan.status.source.clone_from(&decided.status.source);
    plan.memory.proof.clone_from(&decided.memory.proof);
    plan.memory.failures = inputs.failures.saturating_add(1);
    plan.memory.failing = inputs.asks_about();
    plan
}

fn verified(situation: &Situation<'_>, verification: &Verification) -> (ConditionStatus, Finding) {
    let (status, mut finding) = opinion(situation, verification);
    if let (ConditionStatus::True, Some(pair)) = (status, situation.pair) {
        pair.note(&mut finding);
    }
    (status, finding)
}

fn published_condition(
    situation: &Situation<'_>,
    verification: &Verification,
    state: &TargetState,
) -> (ConditionStatus, Finding) {
    match state {
        TargetState::Writing { .. } | TargetState::Recovered { .. } | TargetState::Current(_) => {
            let is_verified = verification.is_verified();
            let name = match (state, situation.published()) {
                (TargetState::Current(_), Some(published)) if !is_verified => {
                    &published.secret_name
                }
                _ => &situation.resource.target,
            };
            let finding = if is_verified || situation.is_published {
                let message = format!("Secret \"{name}\" holds the source's pair");
                Finding::new(Reason::Published, message)
            } else {
                let message = format!("Secret \"{name}\" holds the last pair that was proven");
                Finding::new(Reason::ServingLastKnownGood, message)
            };
            (ConditionStatus::True, finding)
        }
        TargetState::NotPublished(finding)
        | TargetState::Drifted(finding)
        | TargetState::Blocked(finding)
        | TargetState::Waiting(finding) => (ConditionStatus::False, finding.clone()),
    }
}

fn summary(
    situation: &Situation<'_>,
    verification: &Verification,
    state: &TargetState,
    verified: &Finding,
) -> Readiness {
    match verification {
        Verification::SourceMissing => Readiness::Reconciling(verified.clone()),
        Verification::Invalid(finding) | Verification::Rejected { finding, .. } => {
            Readiness::Stalled(finding.clone())
        }
        Verification::Pending(finding) if finding.reason.awaits_configuration() => {
            Readiness::Stalled(finding.clone())
        }
        Verification::Pending(finding) => Readiness::Reconciling(finding.clone()),
        Verification::Verified { .. } => match state {
            TargetState::Writing { .. }
            | TargetState::Recovered { .. }
            | TargetState::Current(_) => {
                let message = format!(
                    "Secret \"{}\" holds the proven pair of Secret \"{}\"",
                    situation.resource.target, situation.resource.source.name
                );
                Readiness::Ready(Finding::new(Reason::Published, message))
            }
            TargetState::Waiting(finding) => Readiness::Reconciling(finding.clone()),
            TargetState::NotPublished(finding)
            | TargetState::Drifted(finding)
            | TargetState::Blocked(finding) => Readiness::Stalled(finding.clone()),
        },
    }
}

fn memory(
    situation: &Situation<'_>,
    verification: &Verification,
    target: &TargetPlan,
    settles: bool,
) -> Memory {
    let mut memory = situation.memory.clone();
    let fingerprint = situation.pair.map(|pair| pair.fingerprint);
    let undetermined = match verification {
        Verification::Pending(finding)
        | Verification::Verified {
            doubt: Some(finding),
            ..
        } => finding.reason.is_undetermined(),
        _ => false,
    };
    memory.failures = if undetermined {
        situation.failures.saturating_add(1)
    } else {
        0
    };
    memory.failing = situation.asks_about();
    memory.refused = if settles {
        fingerprint.or(memory.refused)
    } else {
        None
    };
    memory.settling = match verification {
        Verification::Pending(finding)
            if finding.reason == Reason::Settling && situation.first_request_wait.is_none() =>
        {
            fingerprint
        }
        _ => None,
    };
    memory.newcomers = newcomer::count(situation, verification);
    if let Some(pair) = situation.pair {
        learn(&mut memory, situation, verification, pair, &target.state);
    }
    if matches!(target.change, Some(TargetWrite::Delete(..)))
        || matches!(target.state, TargetState::NotPublished(_))
    {
        memory.published = None;
    }
    memory
}

/// Remembers which pair is proven and which pair is published.
fn learn(
    memory: &mut Memory,
    situation: &Situation<'_>,
    verification: &Verification,
    pair: &SourcePair,
    state: &TargetState,
) {
    match verification {
        Verification::Verified { proof, .. } => {
            if state.is_in_place() {
                memory.published = Some(pair.fingerprint);
                memory.applied = Some(situation.present());
            }
            memory.proof = proof.clone().or(memory.proof.take());
        }
        Verification::Rejected { by_aws: true, .. } => {
            let is_other = |proof: &Proof| proof.fingerprint != pair.fingerprint;
            memory.proof = memory.proof.take().filter(is_other);
        }
        _ => {}
    }
}
