//! `check`: a verdict on a Secret that is about to be applied, or that is in the cluster. The functions of the
//! operator make it; nothing is written anywhere.

mod class;
mod cluster;
mod fields;
mod find;
pub mod manifest;
mod placeholder;
mod report;
mod rules;
mod secret;
mod selection;
mod spec;
mod stream;
mod subject;
mod wording;

use std::{io::Write, sync::Arc, time::Duration};

use k8s_openapi::jiff::Timestamp;
use tokio::time::{Instant, sleep};

pub use report::{Report, Verdict};
use subject::{Obstacle, Subject};

use crate::{
    api::Reason,
    cli::{
        args::check::{CheckArgs, UNUSABLE},
        sts_client,
    },
    domain::{
        decide::{self, Evidence, Query, REJECTION_CONFIRMATION, Source},
        fingerprint::FingerprintKey,
        resource::ValidatedCredentials,
        verdict::{Answer, Finding},
        words,
    },
    error::chain,
    s3,
    sts::{CallerIdentityRequest, Client, Priority, Sts},
};

/// Judges what the command line names, prints the verdict, and returns the exit code.
pub async fn run(args: CheckArgs) -> u8 {
    let report = match judged(&args).await {
        Ok(report) => report,
        Err(Obstacle::Unreadable(problem)) => {
            Report::of(Verdict::Undetermined, "SourceUnreadable", problem)
        }
        Err(Obstacle::NoPair(problem)) => {
            Report::of(Verdict::Rejected, "ValueIsPlaceholder", problem)
        }
        Err(Obstacle::Unusable(problem)) => {
            // The message may name a value that was given in the place of a name.
            eprintln!("error: {}", words::foreign(&problem));
            return UNUSABLE;
        }
    };
    let code = report.verdict.exit_code();
    // The exit code counts even if standard output is closed.
    let _ = std::io::stdout().write_all(report.printed(args.output).as_bytes());
    code
}

async fn judged(args: &CheckArgs) -> Result<Report, Obstacle> {
    let unusable = |error: &(dyn std::error::Error + 'static)| Obstacle::Unusable(chain(error));
    let key = FingerprintKey::random().map_err(|error| unusable(&error))?;
    let sts = sts_client::of_check(args).map_err(|error| unusable(&error))?;
    let subject = find::find(args, &key).await?;
    let (verdict, finding, answers) = weighed(&subject, &sts, args).await;
    Ok(report(subject, verdict, finding, &answers, args.wait))
}

/// Asks and judges until the verdict is final or the time is over. At the end a key that AWS does not know counts
/// as rejected: a caller that stops waiting wants a verdict, not that the key may yet appear.
async fn weighed(
    subject: &Subject,
    sts: &Client,
    args: &CheckArgs,
) -> (Verdict, Finding, Vec<(String, Answer)>) {
    let began = Instant::now();
    let mut answers: Vec<(String, Answer)> = Vec::new();
    let mut failures = 0;
    loop {
        let left = args.wait.saturating_sub(began.elapsed());
        let evidence = Evidence {
            answers: &answers,
            refused_for: if left.is_zero() {
                confirmation(&subject.rules.resource)
            } else {
                began.elapsed()
            },
            failures,
            endpoint_replaced: args.sts_endpoint.is_some(),
            proxied: sts.is_proxied(),
            now: Timestamp::now(),
        };
        match decide::verdict(&subject.rules.resource, &subject.source, &evidence) {
            decide::Verdict::Ask(query) => {
                let answer = ask(sts, subject, &query).await;
                answers.push((query.place.key(), answer));
            }
            decide::Verdict::Accepted(finding) => return (Verdict::Accepted, finding, answers),
            decide::Verdict::Rejected(finding) => return (Verdict::Rejected, finding, answers),
            decide::Verdict::Undetermined(finding, pause) => {
                if left.is_zero() || answers.is_empty() {
                    return (Verdict::Undetermined, finding, answers);
                }
                if failures == 0 {
                    eprintln!(
                        "{}: asking again for up to {} s",
                        finding.reason.as_str(),
                        left.as_secs()
                    );
                }
                failures += 1;
                answers.clear();
                sleep(pause.min(left)).await;
            }
        }
    }
}

/// How long a rejection lasts at most until it counts.
fn confirmation(resource: &ValidatedCredentials) -> Duration {
    let settling = resource.store().map(|store| store.settling);
    settling.unwrap_or_default().max(REJECTION_CONFIRMATION)
}

async fn ask(sts: &Client, subject: &Subject, query: &Query) -> Answer {
    let Source::Found(found) = &subject.source else {
        return Answer::Undetermined(Reason::SourceNotFound);
    };
    let Ok(pair) = &found.pair else {
        return Answer::Undetermined(Reason::SourceNotFound);
    };
    let question = CallerIdentityRequest::new(
        &subject.rules.resource.key.namespace,
        Arc::clone(&pair.pair),
        &query.place,
        Priority::NewPair,
        Instant::now(),
    );
    let Some(store) = query.place.store() else {
        return sts.get_caller_identity(question).await.answer;
    };
    match s3::Client::new(Arc::clone(store)) {
        Ok(client) => client.answer(&pair.pair).await,
        // A class with such a bundle is refused before.
        Err(_) => Answer::Undetermined(Reason::EndpointUnreachable),
    }
}

fn report(
    subject: Subject,
    verdict: Verdict,
    finding: Finding,
    answers: &[(String, Answer)],
    waited: Duration,
) -> Report {
    let Subject { rules, source } = subject;
    let ValidatedCredentials {
        key, source: names, ..
    } = &rules.resource;
    let pair = match &source {
        Source::Found(found) => found.pair.as_ref().ok(),
        Source::Absent => None,
    };
    let mut notes = pair.map(|pair| pair.notes.clone()).unwrap_or_default();
    // A rejection may hold notes in its own message.
    notes.retain(|note| !finding.message.contains(note.as_str()));
    notes.extend(rules.notes);
    notes.extend(may_settle(&rules.resource, &finding, waited));
    let of_class = rules.resource.store().map(|store| store.region.clone());
    let region = answers.first().map(|(region, _)| region.clone());
    let region = region.map(|region| of_class.unwrap_or(region));
    let identity = answers.iter().find_map(|(_, answer)| match answer {
        Answer::Identity(identity) => Some(identity.clone()),
        _ => None,
    });
    Report {
        notes,
        secret: Some(names.name.clone()),
        resource: rules.of_resource,
        namespace: Some(key.namespace.to_string()).filter(|namespace| !namespace.is_empty()),
        key_id_suffix: pair.map(|pair| pair.pair.suffix()),
        identity,
        region,
        ..Report::finding(verdict, finding)
    }
}

/// A note that a new pair may be accepted later.
fn may_settle(
    resource: &ValidatedCredentials,
    finding: &Finding,
    waited: Duration,
) -> Option<String> {
    let confirmation = confirmation(resource);
    let is_early = waited < confirmation;
    match (finding.reason, resource.store()) {
        (Reason::AccessKeyUnknown, None) if is_early => Some(
            "AWS may not know a key yet that was created within the last minute; with --wait 60s, check keeps asking"
                .to_owned(),
        ),
        (Reason::AccessKeyUnknown | Reason::SignatureMismatch, Some(_)) if is_early => {
            let seconds = confirmation.as_secs();
            Some(format!(
                "the store may take {seconds} s until it accepts a new pair; with --wait {seconds}s, check keeps asking"
            ))
        }
        _ => None,
    }
}
