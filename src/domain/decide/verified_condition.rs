//! The verdict on a source's pair: for the condition Verified, and for a check of a source from which nothing
//! was published yet.

use std::{sync::Arc, time::Duration};

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};

use super::{
    DueState, Inputs, Memory, Proof, Query, Source, Step, outcome::Verification, schedule,
    situation::Situation, verification,
};
use crate::{
    api::{Reason, Settling, StaticAwsCredentialsStatus},
    domain::{
        conditions::ConditionStatus,
        index::View,
        place::Place,
        resource::ValidatedCredentials,
        verdict::{Answer, Finding},
    },
};

/// The verdict on the pair of a source from which nothing was published yet.
#[derive(Debug)]
pub enum Verdict {
    /// Ask where the pair is proven, then judge again.
    Ask(Query),
    /// The pair is proven, or well-formed at level Format.
    Accepted(Finding),
    /// The pair is rejected.
    Rejected(Finding),
    /// No verdict yet. AWS may be asked again after this time.
    Undetermined(Finding, Duration),
}

/// What is known of a pair so far.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The last answers about the pair, by the key of the place.
    pub answers: &'a [(String, Answer)],
    /// How long AWS has not known the key. An unknown key counts as rejected only after
    /// [`super::REJECTION_CONFIRMATION`].
    pub refused_for: Duration,
    /// Inconclusive answers in a row.
    pub failures: u32,
    /// Whether a custom endpoint replaces those of AWS.
    pub endpoint_replaced: bool,
    /// Whether AWS was asked through a proxy.
    pub proxied: bool,
    /// Wall clock.
    pub now: Timestamp,
}

/// Judges a source as the reconcile of a new resource does.
#[must_use]
pub fn verdict(
    resource: &ValidatedCredentials,
    source: &Source,
    evidence: &Evidence<'_>,
) -> Verdict {
    let status = StaticAwsCredentialsStatus {
        settling: settling(source, evidence),
        ..StaticAwsCredentialsStatus::default()
    };
    let memory = Memory {
        failures: evidence.failures,
        ..Memory::default()
    };
    let inputs = Inputs {
        resource,
        status: &status,
        view: &View::default(),
        memory: &memory,
        source: Some(source),
        targets: &[],
        answers: evidence.answers,
        control: None,
        question: None,
        awaited: None,
        endpoint_replaced: evidence.endpoint_replaced,
        proxied: evidence.proxied,
        due: DueState::Undecided,
        refused_for: Some(evidence.refused_for),
        restore_wait: None,
        newcomer_wait: None,
        leftovers_note: None,
        now: evidence.now,
        jitter: 0.5,
    };
    let situation = Situation::of(&inputs);
    match verification::verify(&situation, source) {
        Err(Step::Ask(query)) => Verdict::Ask(query),
        Ok((known, _)) => of_verification(&situation, &known, evidence.refused_for),
        // Other steps are needed only for a published target.
        Err(_) => {
            let known = Verification::SourceMissing;
            of_verification(&situation, &known, evidence.refused_for)
        }
    }
}

fn of_verification(
    situation: &Situation<'_>,
    verification: &Verification,
    refused_for: Duration,
) -> Verdict {
    match opinion(situation, verification) {
        (ConditionStatus::True, finding) => Verdict::Accepted(finding),
        (ConditionStatus::False, finding) => Verdict::Rejected(finding),
        (ConditionStatus::Unknown, finding) => {
            let pause = schedule::while_pending(situation, finding.reason, refused_for);
            Verdict::Undetermined(finding, pause)
        }
    }
}

fn settling(source: &Source, evidence: &Evidence<'_>) -> Option<Settling> {
    let pair = source.pair()?;
    Some(Settling {
        since: Time(evidence.now),
        key_id_suffix: pair.pair.suffix(),
    })
}

/// Status and finding of the condition Verified, without the notes on the pair.
pub(super) fn opinion(
    inputs: &Inputs<'_>,
    verification: &Verification,
) -> (ConditionStatus, Finding) {
    match verification {
        Verification::SourceMissing => (ConditionStatus::Unknown, missing(inputs)),
        Verification::Invalid(finding) | Verification::Rejected { finding, .. } => {
            (ConditionStatus::False, finding.clone())
        }
        Verification::Pending(finding)
        | Verification::Verified {
            doubt: Some(finding),
            ..
        } => (ConditionStatus::Unknown, finding.clone()),
        Verification::Verified {
            proof: Some(proof), ..
        } => (ConditionStatus::True, accepted(inputs, proof)),
        Verification::Verified {
            proof: None,
            doubt: None,
            ..
        } => {
            let message = "the pair is well-formed; AWS is not asked at level Format";
            (
                ConditionStatus::True,
                Finding::new(Reason::FormatOnly, message),
            )
        }
    }
}

fn accepted(inputs: &Inputs<'_>, proof: &Proof) -> Finding {
    match (&proof.identity, inputs.resource.store()) {
        (Some(identity), _) => {
            let message = format!("AWS names {}", identity.arn);
            Finding::new(Reason::IdentityVerified, message)
        }
        (None, store) => {
            let place = store.map(|store| Place::Store(Arc::clone(store)).to_string());
            let message = format!("{} accepts the pair", place.unwrap_or_default());
            Finding::new(Reason::StoreVerified, message)
        }
    }
}

fn missing(inputs: &Inputs<'_>) -> Finding {
    let name = &inputs.resource.source.name;
    Finding::new(
        Reason::SourceNotFound,
        format!("spec.secretRef: Secret \"{name}\" does not exist; create it with the key pair"),
    )
}
