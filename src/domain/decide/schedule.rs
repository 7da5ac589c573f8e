//! When AWS is asked about a pair again.

use std::time::Duration;

use super::{
    Inputs, Requeue, newcomer,
    outcome::Verification,
    rejection_window::{REJECTION_CONFIRMATION, SLACK, was_refused},
    target_state::TargetState,
};
use crate::{
    api::{ConditionType, Reason, Settling},
    domain::verdict::Answer,
};

/// After a start, a rejected pair is checked once more within this time: endpoint, CA and proxy of the operator
/// can only change with a restart.
const AT_START: Duration = Duration::from_mins(1);

/// When the next check of a pair is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueState {
    /// This process has not decided that yet.
    Undecided,
    /// No check is scheduled.
    Never,
    /// A check is scheduled.
    Later,
    /// The check is due.
    Now,
}

/// While a new pair settles: every 2 s for 20 s, then every 10 s, 15 requests in all.
fn settling_pause(refused_for: Duration) -> Duration {
    let left = REJECTION_CONFIRMATION.saturating_sub(refused_for);
    let pause = if refused_for + SLACK < Duration::from_secs(20) {
        2
    } else {
        10
    };
    Duration::from_secs(pause).min(left.max(Duration::from_millis(100)))
}

/// The pause before the next request for a pair that is still undecided.
pub(super) fn while_pending(world: &Inputs<'_>, reason: Reason, refused_for: Duration) -> Duration {
    if reason == Reason::Settling {
        settling_pause(refused_for)
    } else {
        backoff(world, Duration::from_secs(2), longest(world, reason))
    }
}

/// The longest pause after inconclusive answers. During an outage, a request waits for the first answer of the
/// endpoint and costs no call, so that short pauses let all requests follow soon after the outage ends. What an
/// account has disabled, only a person can enable.
fn longest(world: &Inputs<'_>, reason: Reason) -> Duration {
    let outage = |(_, answer): &(String, Answer)| matches!(answer, Answer::Outage(_));
    if world.answers.iter().any(outage) {
        return Duration::from_secs(12);
    }
    match reason {
        Reason::RegionDisabled | Reason::OptInRequired if world.was_true(ConditionType::Ready) => {
            world.resource.checks.interval
        }
        _ => Duration::from_mins(5),
    }
}

/// The pause before the next request for a new pair that AWS does not know: a few new keys take longer than
/// [`REJECTION_CONFIRMATION`], and an interval may be a week.
fn late_arrival(refused_for: Duration) -> Duration {
    refused_for.saturating_mul(4).max(REJECTION_CONFIRMATION)
}

/// The pause before the next check of a pair that is published or rejected: the interval, ±10 %.
pub(super) fn interval(world: &Inputs<'_>) -> Duration {
    world
        .resource
        .checks
        .interval
        .mul_f64(0.9 + 0.2 * world.jitter)
}

/// The pause after inconclusive answers: doubled each time, from `first` to `most`.
pub(super) fn backoff(world: &Inputs<'_>, first: Duration, most: Duration) -> Duration {
    let doubled = first.saturating_mul(1 << world.failures().min(16));
    doubled.min(most).mul_f64(0.8 + 0.4 * world.jitter)
}

/// The next check of a settled resource.
pub(super) fn requeue_when_idle(world: &Inputs<'_>) -> Requeue {
    if world.question.is_some() {
        return Requeue::Answer;
    }
    if world.due != DueState::Undecided {
        return Requeue::Keep;
    }
    if !world.resource.verifies_with_sts() {
        return Requeue::Never;
    }
    if was_refused(world) {
        return Requeue::In(AT_START.mul_f64(world.jitter));
    }
    if world.was_true(ConditionType::Ready) {
        return Requeue::In(until_next_check(world));
    }
    Requeue::Never
}

/// Checks that fell due while no process was running are spread over the interval.
pub(super) fn until_next_check(world: &Inputs<'_>) -> Duration {
    let spread = world.resource.checks.interval.mul_f64(world.jitter);
    let Some(last) = &world.status.last_verified_time else {
        return spread;
    };
    let ago: Duration = world
        .now
        .duration_since(last.0)
        .try_into()
        .unwrap_or_default();
    interval(world)
        .checked_sub(ago)
        .filter(|left| !left.is_zero())
        .unwrap_or(spread)
}

/// When to reconcile again.
pub(super) fn next(
    world: &Inputs<'_>,
    judged: &Verification,
    standing: &TargetState,
    settling: Option<&Settling>,
) -> Requeue {
    let goes_on = settling.is_some() && settling == world.status.settling.as_ref();
    let refused_for = world.refused_for.filter(|_| goes_on).unwrap_or_default();
    let most = world.resource.checks.interval;
    let waits = newcomer::waits(world);
    match judged {
        Verification::Pending { finding, .. }
            if finding.reason == Reason::Settling && waits.is_some() =>
        {
            Requeue::In(waits.unwrap_or(most))
        }
        Verification::Pending { finding, .. }
            if finding.reason == Reason::Settling
                && world.answers.is_empty()
                && world.due == DueState::Later =>
        {
            Requeue::Keep
        }
        Verification::Pending { finding, .. } => {
            Requeue::In(while_pending(world, finding.reason, refused_for))
        }
        Verification::Verified {
            doubt: Some(finding),
            ..
        } if finding.reason == Reason::RejectionUnconfirmed => Requeue::In(
            REJECTION_CONFIRMATION
                .saturating_sub(refused_for)
                .max(Duration::from_secs(1)),
        ),
        Verification::Verified {
            doubt: Some(finding),
            ..
        } => {
            let most = longest(world, finding.reason);
            Requeue::In(backoff(world, Duration::from_secs(30), most))
        }
        Verification::Verified { .. }
            if matches!(standing, TargetState::Waiting(_)) && world.restore_wait.is_some() =>
        {
            Requeue::In(world.restore_wait.unwrap_or(most))
        }
        Verification::Rejected {
            by_aws: true,
            published: false,
            ..
        } if goes_on => Requeue::In(late_arrival(refused_for).min(interval(world))),
        Verification::Rejected { by_aws: true, .. }
        | Verification::Verified {
            accepted_now: true, ..
        } => Requeue::In(interval(world)),
        Verification::Verified { proof: Some(_), .. }
            if world.due == DueState::Later && world.knows_spec() =>
        {
            Requeue::Keep
        }
        Verification::Verified { proof: Some(_), .. } => Requeue::In(until_next_check(world)),
        Verification::SourceMissing
        | Verification::Invalid { .. }
        | Verification::Rejected { .. }
        | Verification::Verified { proof: None, .. } => Requeue::Never,
    }
}
