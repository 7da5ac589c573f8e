//! All fields of the status except the conditions.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{Source, outcome::Verification, situation::Situation, target_state::TargetState};
use crate::{
    api::{
        Binding, ClassVersion, MOST_NAMES, Published, Reason, Settling, SourceVersion,
        StaticAwsCredentialsStatus,
    },
    domain::{fingerprint, index::SecretVersion},
};

/// The status after a reconcile, with the conditions unchanged.
pub(super) fn facts(
    situation: &Situation<'_>,
    verification: &Verification,
    state: &TargetState,
) -> StaticAwsCredentialsStatus {
    let mut status = situation.status.clone();
    status.observed_generation = situation.resource.generation;
    status.source = match situation.source {
        Some(Source::Found(found)) => Some(SourceVersion {
            uid: found.seen.uid.to_string(),
            resource_version: found.seen.version.to_string(),
        }),
        Some(Source::Absent) | None => None,
    };
    status.class = match &situation.resource.class {
        Some(Ok(store)) => Some(ClassVersion {
            name: store.class.clone(),
            uid: store.uid.clone(),
            generation: store.generation,
        }),
        Some(Err(_)) | None => None,
    };
    status.settling = settling(situation, verification);
    match state {
        TargetState::Current(seen) => {
            refresh(&mut status, seen);
            learn_digests(situation, verification, &mut status);
        }
        TargetState::Writing { new_pair } => {
            status.published = Some(published(situation, *new_pair));
        }
        TargetState::Recovered { seen, new_pair } => {
            status.published = Some(published(situation, *new_pair));
            refresh(&mut status, seen);
        }
        TargetState::NotPublished(_) => {
            status.published = None;
            status.identity = None;
            status.last_verified_time = None;
        }
        TargetState::Drifted(_) | TargetState::Blocked(_) | TargetState::Waiting(_) => {}
    }
    status.binding = status.published.as_ref().map(|published| Binding {
        name: published.secret_name.clone(),
    });
    if state.is_in_place() {
        identify(situation, verification, &mut status);
    }
    status
}

/// Identity and time of the proof are always those of the published pair.
fn identify(
    situation: &Situation<'_>,
    verification: &Verification,
    status: &mut StaticAwsCredentialsStatus,
) {
    let Verification::Verified {
        proof,
        accepted_now,
        ..
    } = verification
    else {
        return;
    };
    match proof {
        None if !situation.resource.verifies_online() => {
            status.identity = None;
            status.last_verified_time = None;
        }
        None => {}
        Some(proof) => {
            let same = status.identity == proof.identity;
            status.identity.clone_from(&proof.identity);
            if *accepted_now || !same || status.last_verified_time.is_none() {
                status.last_verified_time = Some(Time(situation.now));
            }
        }
    }
}

/// A target that an older release published has no digests. Where the pair is verified without a doubt, the
/// target is known to hold it in the shape that the spec asks for, so that they can be added.
fn learn_digests(
    situation: &Situation<'_>,
    verification: &Verification,
    status: &mut StaticAwsCredentialsStatus,
) {
    let is_known = matches!(verification, Verification::Verified { doubt: None, .. });
    let pair = situation
        .pair
        .filter(|_| is_known && situation.is_published);
    if let (Some(pair), Some(published)) = (pair, &mut status.published) {
        let key_digest = published.key_digest.take();
        published.key_digest = key_digest.or_else(|| fingerprint::of_pair(&pair.pair));
        let content_digest = published.content_digest.take();
        published.content_digest = content_digest.or_else(|| digest(situation));
    }
}

/// The digest of the target's data, if the status may show one.
fn digest(situation: &Situation<'_>) -> Option<String> {
    let pair = situation.pair?;
    let data = pair.data.as_ref().ok()?;
    let is_shown = fingerprint::may_be_shown(&pair.pair);
    is_shown.then(|| fingerprint::of_content(&situation.resource.uid, data))
}

fn refresh(status: &mut StaticAwsCredentialsStatus, seen: &SecretVersion) {
    if let Some(published) = &mut status.published {
        published.uid = seen.uid.to_string();
        published.resource_version = seen.version.to_string();
    }
}

/// UID and version are filled in when the target is written.
fn published(situation: &Situation<'_>, new_pair: bool) -> Published {
    let before = situation.published();
    let pair = situation.pair.map(|pair| &pair.pair);
    let revision = before.map_or(0, |published| published.revision);
    let target = &situation.resource.target;
    let same_pair = before.filter(|_| !new_pair);
    Published {
        key_digest: pair.and_then(|pair| fingerprint::of_pair(pair)),
        former_secret_names: same_pair.map_or_else(Vec::new, |before| former_names(before, target)),
        secret_name: target.clone(),
        uid: String::new(),
        resource_version: String::new(),
        key_id_suffix: pair.map(|pair| pair.suffix()).unwrap_or_default(),
        content_digest: digest(situation),
        labels_digest: situation.resource.labels_digest(),
        revision: if new_pair {
            revision.saturating_add(1)
        } else {
            revision
        },
        time: same_pair.map_or(Time(situation.now), |published| published.time.clone()),
        credential_process_ttl_seconds: situation.resource.rendered_ttl(),
    }
}

/// The names under which the pair was published before, the latest first.
fn former_names(before: &Published, target: &str) -> Vec<String> {
    let last = std::iter::once(&before.secret_name);
    let names = last.chain(&before.former_secret_names);
    let former = names.filter(|name| *name != target).cloned();
    former.take(MOST_NAMES - 1).collect()
}

/// A rejection is kept with its beginning, across restarts and edits of the source, until AWS accepts the
/// pair or another pair replaces it.
fn settling(situation: &Situation<'_>, verification: &Verification) -> Option<Settling> {
    let recorded = situation.status.settling.clone();
    if !matches!(situation.source, Some(Source::Found(_))) {
        return recorded;
    }
    let pair = situation.pair?;
    let kept = recorded.filter(|_| situation.is_recorded_rejection);
    let reason = match verification {
        Verification::Verified {
            doubt: Some(finding),
            ..
        }
        | Verification::Pending(finding)
        | Verification::Rejected {
            by_aws: true,
            finding,
            ..
        } => Some(finding.reason),
        _ => None,
    };
    match reason {
        Some(Reason::Settling) if situation.first_request_wait.is_some() => kept,
        Some(Reason::Settling | Reason::RejectionUnconfirmed) => Some(kept.unwrap_or(Settling {
            since: Time(situation.now),
            key_id_suffix: pair.pair.suffix(),
        })),
        Some(_) => kept,
        None => None,
    }
}
