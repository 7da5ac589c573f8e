//! When a pair is verified with AWS again.

use std::time::Duration;

use strum::IntoStaticStr;

use super::{
    Requeue,
    outcome::Verification,
    rejection_window::{REJECTION_CONFIRMATION, SLACK},
    situation::Situation,
    target_state::TargetState,
};
use crate::{
    api::{Reason, Settling},
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

/// Why a reconcile is scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Because {
    /// `spec.validation.interval` has passed.
    Interval,
    /// The process is new, and AWS rejected the pair before.
    ProcessStarted,
    /// AWS does not know a new key yet.
    Settling,
    /// A rejection of a published pair must be confirmed.
    Confirmation,
    /// AWS rejected the pairs before this one.
    RejectedBefore,
    /// AWS rejected a new pair, and some new keys become known late.
    LateArrival,
    /// The last answer said nothing about the pair.
    Undetermined,
    /// Another client keeps changing the target.
    RestorePaused,
    /// The API server rejected the write of the target.
    WriteRefused,
}

/// Why a resource is reconciled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Cause {
    /// The resource or a Secret changed, the policies were checked, or this replica began to lead.
    Change,
    /// AWS has answered a request that outlived its reconcile.
    Answer,
    /// The pair is due to be verified.
    Verification,
    /// The target may be restored again.
    Restore,
    /// The consumers of a rotated pair are due to be checked.
    Rotation,
    /// The last attempt failed.
    Retry,
}

impl Because {
    /// The cause of the reconcile that is scheduled.
    #[must_use]
    pub const fn cause(self) -> Cause {
        match self {
            Self::RestorePaused => Cause::Restore,
            Self::WriteRefused => Cause::Retry,
            Self::Interval
            | Self::ProcessStarted
            | Self::Settling
            | Self::Confirmation
            | Self::RejectedBefore
            | Self::LateArrival
            | Self::Undetermined => Cause::Verification,
        }
    }
}

/// While a new pair settles: every 2 s for 20 s, then every 10 s, 15 requests to AWS in all. A store may take longer:
/// after a minute, every 30 s.
fn settling_pause(confirmation: Duration, refused_for: Duration) -> Duration {
    let left = confirmation.saturating_sub(refused_for);
    let is_within = |limit: Duration| refused_for + SLACK < limit;
    let pause = if is_within(Duration::from_secs(20)) {
        2
    } else if is_within(REJECTION_CONFIRMATION) {
        10
    } else {
        30
    };
    Duration::from_secs(pause).min(left.max(Duration::from_millis(100)))
}

/// The pause before the next request for a pair that is still undecided.
pub(super) fn while_pending(
    situation: &Situation<'_>,
    reason: Reason,
    rejected_for: Duration,
) -> Duration {
    if reason == Reason::Settling {
        settling_pause(situation.confirmation(), rejected_for)
    } else {
        let first = Duration::from_secs(2);
        backoff(situation, first, longest(situation, reason))
    }
}

/// The longest pause after inconclusive answers. During an outage, a request waits for the first answer of the
/// endpoint and costs no call, so that short pauses let all requests follow soon after the outage ends. What an
/// account has disabled, only a person can enable.
fn longest(situation: &Situation<'_>, reason: Reason) -> Duration {
    let is_outage = |(_, answer): &(String, Answer)| matches!(answer, Answer::Outage(_));
    if situation.answers.iter().any(is_outage) {
        return Duration::from_secs(12);
    }
    if reason.awaits_configuration() && situation.earlier.was_ready() {
        situation.resource.checks.interval
    } else {
        Duration::from_mins(5)
    }
}

/// The pause before the next request for a new pair that AWS does not know: a few new keys take longer than
/// [`REJECTION_CONFIRMATION`], and an interval may be a week.
fn late_arrival(refused_for: Duration) -> Duration {
    refused_for.saturating_mul(4).max(REJECTION_CONFIRMATION)
}

/// The pause before the next check of a pair that is published or rejected: the interval, ±10 %.
fn interval(situation: &Situation<'_>) -> Duration {
    let spread = 0.9 + 0.2 * situation.jitter;
    situation.resource.checks.interval.mul_f64(spread)
}

/// The pause after inconclusive answers: doubled each time, from `first` to `most`.
pub(super) fn backoff(situation: &Situation<'_>, first: Duration, most: Duration) -> Duration {
    let doubled = first.saturating_mul(1 << situation.failures.min(16));
    doubled.min(most).mul_f64(0.8 + 0.4 * situation.jitter)
}

/// The next check of a settled resource.
pub(super) fn when_idle(situation: &Situation<'_>) -> Requeue {
    if situation.question.is_some() {
        return Requeue::Answer;
    }
    if situation.due != DueState::Undecided {
        return Requeue::Keep;
    }
    if !situation.resource.verifies_online() {
        return Requeue::Never;
    }
    if situation.earlier.was_refused() {
        let pause = AT_START.mul_f64(situation.jitter);
        return Requeue::In(pause, Because::ProcessStarted);
    }
    if situation.earlier.was_ready() {
        return Requeue::In(until_next_check(situation), Because::Interval);
    }
    Requeue::Never
}

/// Checks that fell due while no process was running are spread over the interval.
fn until_next_check(situation: &Situation<'_>) -> Duration {
    let spread = situation.resource.checks.interval.mul_f64(situation.jitter);
    let Some(last) = &situation.status.last_verified_time else {
        return spread;
    };
    let ago: Duration = situation
        .now
        .duration_since(last.0)
        .try_into()
        .unwrap_or_default();
    interval(situation)
        .checked_sub(ago)
        .filter(|left| !left.is_zero())
        .unwrap_or(spread)
}

/// When to reconcile again, and why: the one place that decides when AWS is asked again. How old an answer of the
/// cache may be, `max_age` in verification.rs decides.
pub(super) fn next(
    situation: &Situation<'_>,
    verification: &Verification,
    state: &TargetState,
    settling: Option<&Settling>,
) -> Requeue {
    let is_same = settling.is_some() && settling == situation.status.settling.as_ref();
    let rejected_for = situation.refused_for.filter(|_| is_same);
    let rejected_for = rejected_for.unwrap_or_default();
    let is_scheduled = situation.due == DueState::Later;
    match verification {
        // A change of the class leads to a reconcile.
        Verification::Pending(finding) if finding.reason.is_of_class() => Requeue::Never,
        Verification::Pending(finding) => pending(situation, finding.reason, rejected_for),
        Verification::Verified {
            doubt: Some(finding),
            ..
        } => doubted(situation, finding.reason, rejected_for),
        Verification::Verified {
            proof,
            accepted_now,
            doubt: None,
        } => match (state, situation.restore_wait) {
            (TargetState::Waiting(_), Some(wait)) => Requeue::In(wait, Because::RestorePaused),
            _ if *accepted_now => Requeue::In(interval(situation), Because::Interval),
            _ if proof.is_none() => Requeue::Never,
            _ if is_scheduled && situation.knows_spec() => Requeue::Keep,
            _ => Requeue::In(until_next_check(situation), Because::Interval),
        },
        Verification::Rejected { by_aws: true, .. } => {
            let interval = interval(situation);
            if is_same && !situation.is_published {
                Requeue::In(
                    late_arrival(rejected_for).min(interval),
                    Because::LateArrival,
                )
            } else {
                Requeue::In(interval, Because::Interval)
            }
        }
        Verification::Rejected { by_aws: false, .. }
        | Verification::SourceMissing
        | Verification::Invalid(_) => Requeue::Never,
    }
}

fn pending(situation: &Situation<'_>, reason: Reason, rejected_for: Duration) -> Requeue {
    let is_settling = reason == Reason::Settling;
    if let Some(wait) = situation.first_request_wait.filter(|_| is_settling) {
        return Requeue::In(wait, Because::RejectedBefore);
    }
    if is_settling && situation.answers.is_empty() && situation.due == DueState::Later {
        return Requeue::Keep;
    }
    let pause = while_pending(situation, reason, rejected_for);
    let because = if is_settling {
        Because::Settling
    } else {
        Because::Undetermined
    };
    Requeue::In(pause, because)
}

fn doubted(situation: &Situation<'_>, reason: Reason, rejected_for: Duration) -> Requeue {
    if reason == Reason::RejectionUnconfirmed {
        let left = situation.confirmation().saturating_sub(rejected_for);
        return Requeue::In(left.max(Duration::from_secs(1)), Because::Confirmation);
    }
    let first = Duration::from_secs(30);
    let pause = backoff(situation, first, longest(situation, reason));
    Requeue::In(pause, Because::Undetermined)
}
