//! The model fails if `decide` is broken: each rule is broken once, on purpose.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use k8s_openapi::{ByteString, api::core::v1::Secret};
use static_aws_credentials::{
    api::{ADOPT_BY_ANNOTATION, Identity, OnRejected},
    domain::{
        decide::{
            FoundTarget, Inputs as Known, Memory, Plan, Proof, Requeue, Source, Step, Target,
            TargetWrite, decide,
        },
        verdict::Answer,
    },
};

use super::{
    search::{Decide, explore},
    transitions::Budget,
};

const FEW: Budget = Budget::new(1, 1, 1);

/// The panic message of the search with a broken rule.
fn complaint(budget: Budget, broken: Decide) -> String {
    let search = catch_unwind(AssertUnwindSafe(|| explore(budget, broken)));
    let panic = search.expect_err("the broken rule was not noticed");
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    text.expect("a panic says something")
}

fn identity() -> Identity {
    Identity {
        account_id: "123456789012".to_owned(),
        arn: "arn:aws:iam::123456789012:user/connectors/alpha".to_owned(),
    }
}

#[test]
fn an_answer_that_says_nothing_taken_for_a_yes_is_noticed() {
    let complaint = complaint(FEW, |known| {
        let accepted = |answer: &Answer| match answer {
            Answer::Undetermined(_) | Answer::Outage(_) => Answer::Identity(identity()),
            answer => answer.clone(),
        };
        let answers = known.answers.iter();
        let answers: Vec<_> = answers
            .map(|(region, answer)| (region.clone(), accepted(answer)))
            .collect();
        decide(&Known {
            answers: &answers,
            ..*known
        })
    });
    assert!(complaint.contains("AWS never accepted"), "{complaint}");
}

#[test]
fn a_proof_that_stands_for_every_pair_is_noticed() {
    let complaint = complaint(FEW, |known| {
        let mut memory: Memory = known.memory.clone();
        if let (Some(proof), Some(Source::Found(found))) = (&mut memory.proof, known.source)
            && let Ok(pair) = &found.pair
        {
            *proof = Proof {
                fingerprint: pair.fingerprint,
                ..proof.clone()
            };
        }
        decide(&Known {
            memory: &memory,
            ..*known
        })
    });
    assert!(complaint.contains("AWS never accepted"), "{complaint}");
}

#[test]
fn a_refusal_that_needs_no_confirmation_is_noticed() {
    let complaint = complaint(Budget::new(2, 0, 2), |known| {
        decide(&Known {
            refused_for: known.refused_for.map(|_| Duration::from_hours(1)),
            ..*known
        })
    });
    assert!(
        complaint.contains("without a confirmed refusal"),
        "{complaint}"
    );
}

#[test]
fn a_target_that_is_deleted_where_it_is_to_be_kept_is_noticed() {
    let complaint = complaint(FEW, |known| {
        acting(known, |plan| {
            let refused = plan
                .status
                .conditions
                .iter()
                .any(|it| it.type_ == "Stalled");
            let target = known.view.target.present();
            if let (true, Some(seen)) = (refused, target)
                && matches!(known.source, Some(Source::Found(found)) if found.pair.is_ok())
            {
                let name = known.resource.target.clone();
                plan.change = Some(TargetWrite::Delete(name, seen.clone()));
            }
        })
    });
    assert!(
        complaint.contains(&format!("{:?}", OnRejected::Withdraw)),
        "{complaint}"
    );
}

#[test]
fn a_secret_of_a_stranger_taken_for_ours_is_noticed() {
    let complaint = complaint(Budget::new(2, 0, 0), |known| {
        let targets = known.targets.iter();
        let targets: Vec<_> = targets
            .map(|(name, target)| (name.clone(), taken_for_ours(target)))
            .collect();
        decide(&Known {
            targets: &targets,
            ..*known
        })
    });
    assert!(complaint.contains("that is not ours"), "{complaint}");
}

/// Adds the consent to adoption to a Secret without annotations.
fn taken_for_ours(target: &Target) -> Target {
    let Target::Found(found) = target else {
        return Target::Absent;
    };
    let mut metadata = found.metadata.clone();
    metadata
        .annotations
        .get_or_insert_with(|| [(ADOPT_BY_ANNOTATION.to_owned(), "orders".to_owned())].into());
    let data = found.data.iter();
    let data = data.map(|(key, value)| (key.clone(), ByteString(value.expose_secret().to_vec())));
    let secret = Secret {
        metadata,
        type_: Some(found.kind.clone()),
        data: Some(data.collect()),
        ..Secret::default()
    };
    Target::Found(Box::new(FoundTarget::new(secret, found.seen.clone())))
}

#[test]
fn a_look_that_is_never_taken_again_is_noticed() {
    let complaint = complaint(FEW, |known| {
        acting(known, |plan| plan.next = Requeue::Never)
    });
    assert!(complaint.contains("Ready="), "{complaint}");
}

#[test]
fn a_change_that_is_not_made_is_noticed() {
    let complaint = complaint(FEW, |known| {
        acting(known, |plan| {
            if matches!(plan.change, Some(TargetWrite::Replace(..))) {
                plan.change = None;
            }
        })
    });
    assert!(
        complaint.contains("the target holds another pair"),
        "{complaint}"
    );
}

/// Decides, and then changes the plan.
fn acting(known: &Known<'_>, otherwise: impl FnOnce(&mut Plan)) -> Step {
    match decide(known) {
        Step::Act(mut plan) => {
            otherwise(&mut plan);
            Step::Act(plan)
        }
        step => step,
    }
}
