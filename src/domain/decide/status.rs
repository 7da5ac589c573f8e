//! The status after a reconcile, and the plan as a whole.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{
    Inputs, Leftover, Plan, Proof, Requeue, Source, SourcePair, TargetWrite, leftovers, newcomer,
    outcome::Verification,
    schedule, status_fields,
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
    world: &Inputs<'_>,
    source: &Source,
    judged: &Verification,
    placed: TargetPlan,
) -> Plan {
    let verified = verified(world, source, judged);
    let published = published_condition(world, judged, &placed.standing);
    let summary = summary(world, judged, &placed.standing, &verified.1);
    let report = ConditionSet {
        verified,
        published,
        summary,
    };
    let mut status = status_fields::facts(world, source, judged, &placed.standing);
    status.conditions = report.conditions(&world.status.conditions, world.now);
    let due = leftovers::leftovers(world, judged, &placed);
    let leftovers = unless_rejected(world, due, &mut status.conditions);
    let next = schedule::next(world, judged, &placed.standing, status.settling.as_ref());
    let refusal_began = status.settling.is_some() && status.settling != world.status.settling;
    Plan {
        refusal_began,
        leftovers,
        memory: memory(world, source, judged, &placed, status.settling.is_some()),
        change: placed.change,
        status,
        next,
    }
}

/// Leftovers that could not be removed are retried after a pause; until then the condition still reports them.
fn unless_rejected(
    world: &Inputs<'_>,
    due: Vec<Leftover>,
    conditions: &mut [Condition],
) -> Vec<Leftover> {
    let note = world.leftovers_note.filter(|_| !due.is_empty());
    leftovers::tell(conditions, note);
    if world.leftovers_note.is_some() {
        Vec::new()
    } else {
        due
    }
}

/// The plan for a suspended resource: one status write. `Retain` still applies, since a person who deletes a
/// suspended resource counts on it.
pub(super) fn suspended(world: &Inputs<'_>) -> Plan {
    let mut plan = Plan::rest(world, Requeue::Never);
    plan.status.observed_generation = world.resource.generation;
    plan.status.conditions = conditions::suspended(&world.status.conditions, world.now);
    let due = leftovers::released(world, &plan.change);
    plan.leftovers = unless_rejected(world, due, &mut plan.status.conditions);
    plan.memory.look = None;
    plan
}

/// The API server rejected the write of the target. The condition Verified keeps the verdict of AWS on the pair.
pub(super) fn write_refused(world: &Inputs<'_>, decided: &Plan, finding: &Finding) -> Plan {
    let first = Duration::from_secs(10);
    let pause = schedule::backoff(world, first, Duration::from_mins(5));
    let mut plan = Plan::rest(world, Requeue::In(pause));
    let verified = conditions::find(&decided.status.conditions, ConditionType::Verified).cloned();
    let report = ConditionSet {
        verified: (ConditionStatus::Unknown, finding.clone()),
        published: (ConditionStatus::False, finding.clone()),
        summary: Readiness::Stalled(finding.clone()),
    };
    let mut conditions = report.conditions(&world.status.conditions, world.now);
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
    plan.memory.failures = world.failures().saturating_add(1);
    plan.memory.failing = world.asks_about();
    plan
}

fn verified(
    world: &Inputs<'_>,
    source: &Source,
    judged: &Verification,
) -> (ConditionStatus, Finding) {
    let (truth, mut finding) = opinion(world, judged);
    if let (ConditionStatus::True, Source::Found(found)) = (truth, source)
        && let Ok(pair) = &found.pair
    {
        pair.note(&mut finding);
    }
    (truth, finding)
}

fn published_condition(
    world: &Inputs<'_>,
    judged: &Verification,
    standing: &TargetState,
) -> (ConditionStatus, Finding) {
    match standing {
        TargetState::Writing { .. } | TargetState::Recovered { .. } | TargetState::Current(_) => {
            let name = match (standing, world.published()) {
                (TargetState::Current(_), Some(published)) if !is_sound(judged) => {
                    &published.secret_name
                }
                _ => &world.resource.target,
            };
            let current = is_sound(judged)
                || matches!(
                    judged,
                    Verification::Invalid {
                        published: true,
                        ..
                    } | Verification::Rejected {
                        published: true,
                        ..
                    } | Verification::Pending {
                        published: true,
                        ..
                    }
                );
            let finding = if current {
                Finding::new(
                    Reason::Published,
                    format!("Secret \"{name}\" holds the source's pair"),
                )
            } else {
                Finding::new(
                    Reason::ServingLastKnownGood,
                    format!("Secret \"{name}\" holds the last pair that was proven"),
                )
            };
            (ConditionStatus::True, finding)
        }
        TargetState::NotPublished(finding)
        | TargetState::Drifted(finding)
        | TargetState::Blocked(finding)
        | TargetState::Waiting(finding) => (ConditionStatus::False, finding.clone()),
    }
}

fn is_sound(judged: &Verification) -> bool {
    matches!(judged, Verification::Verified { .. })
}

fn summary(
    world: &Inputs<'_>,
    judged: &Verification,
    standing: &TargetState,
    verified: &Finding,
) -> Readiness {
    match judged {
        Verification::SourceMissing => Readiness::Reconciling(verified.clone()),
        Verification::Invalid { finding, .. } | Verification::Rejected { finding, .. } => {
            Readiness::Stalled(finding.clone())
        }
        Verification::Pending { finding, .. }
            if matches!(
                finding.reason,
                Reason::RegionDisabled | Reason::OptInRequired
            ) =>
        {
            Readiness::Stalled(finding.clone())
        }
        Verification::Pending { finding, .. } => Readiness::Reconciling(finding.clone()),
        Verification::Verified { .. } => match standing {
            TargetState::Writing { .. }
            | TargetState::Recovered { .. }
            | TargetState::Current(_) => {
                let message = format!(
                    "Secret \"{}\" holds the proven pair of Secret \"{}\"",
                    world.resource.target, world.resource.source.name
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
    world: &Inputs<'_>,
    source: &Source,
    judged: &Verification,
    placed: &TargetPlan,
    settles: bool,
) -> super::Memory {
    let mut memory = world.memory.clone();
    let pair = match source {
        Source::Found(found) => found.pair.as_ref().ok(),
        Source::Absent => None,
    };
    let undetermined = match judged {
        Verification::Pending { finding, .. }
        | Verification::Verified {
            doubt: Some(finding),
            ..
        } => finding.reason != Reason::Settling,
        _ => false,
    };
    memory.failures = if undetermined {
        world.failures().saturating_add(1)
    } else {
        0
    };
    memory.failing = world.asks_about();
    memory.refused = if settles {
        pair.map(|pair| pair.fingerprint).or(memory.refused)
    } else {
        None
    };
    memory.settling = match (judged, pair) {
        (Verification::Pending { finding, .. }, Some(pair))
            if finding.reason == Reason::Settling && newcomer::waits(world).is_none() =>
        {
            Some(pair.fingerprint)
        }
        _ => None,
    };
    memory.newcomers = newcomer::count(world, judged);
    learn(&mut memory, world.resource.generation, judged, pair, placed);
    memory
}

/// Remembers which pair is proven and which pair is published.
fn learn(
    memory: &mut super::Memory,
    generation: i64,
    judged: &Verification,
    pair: Option<&SourcePair>,
    placed: &TargetPlan,
) {
    match (judged, pair) {
        (Verification::Verified { proof, .. }, Some(pair)) => {
            if matches!(
                placed.standing,
                TargetState::Current(_)
                    | TargetState::Recovered { .. }
                    | TargetState::Writing { .. }
            ) {
                memory.published = Some(pair.fingerprint);
                memory.applied = Some(generation);
            }
            memory.proof = proof.clone().or(memory.proof.take());
        }
        (Verification::Rejected { by_aws: true, .. }, Some(pair)) => {
            memory.proof = memory
                .proof
                .take()
                .filter(|proof: &Proof| proof.fingerprint != pair.fingerprint);
        }
        _ => {}
    }
    if matches!(placed.change, TargetWrite::Delete(..))
        || matches!(placed.standing, TargetState::NotPublished(_))
    {
        memory.published = None;
    }
}
