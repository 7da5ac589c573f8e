//! All fields of the status except the conditions.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{
    Inputs, Source, SourcePair, newcomer, outcome::Verification, proof, publish, rejection_window,
    target_state::TargetState,
};
use crate::{
    api::{
        Binding, MOST_NAMES, Published, Reason, Settling, SourceVersion, StaticAwsCredentialsStatus,
    },
    domain::{fingerprint, index::SecretVersion},
};

/// The status after a reconcile, with the conditions unchanged.
pub(super) fn facts(
    world: &Inputs<'_>,
    source: &Source,
    judged: &Verification,
    standing: &TargetState,
) -> StaticAwsCredentialsStatus {
    let mut status = world.status.clone();
    status.observed_generation = world.resource.generation;
    status.source = match source {
        Source::Absent => None,
        Source::Found(found) => Some(SourceVersion {
            uid: found.seen.uid.to_string(),
            resource_version: found.seen.version.to_string(),
        }),
    };
    status.settling = settling(world, source, judged);
    match standing {
        TargetState::Current(seen) => {
            refresh(&mut status, seen);
            learn_digests(world, source, judged, &mut status);
        }
        TargetState::Writing { new_pair } => {
            status.published = Some(published(world, source, *new_pair));
        }
        TargetState::Recovered { seen, new_pair } => {
            status.published = Some(published(world, source, *new_pair));
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
    if matches!(
        standing,
        TargetState::Writing { .. } | TargetState::Recovered { .. } | TargetState::Current(_)
    ) {
        identify(world, judged, &mut status);
    }
    status
}

/// Identity and time of the proof are always those of the published pair.
fn identify(world: &Inputs<'_>, judged: &Verification, status: &mut StaticAwsCredentialsStatus) {
    let Verification::Verified {
        proof,
        accepted_now,
        ..
    } = judged
    else {
        return;
    };
    match proof {
        None if !world.resource.verifies_with_sts() => {
            status.identity = None;
            status.last_verified_time = None;
        }
        None => {}
        Some(proof) => {
            let same = status.identity.as_ref() == Some(&proof.identity);
            status.identity = Some(proof.identity.clone());
            if *accepted_now || !same || status.last_verified_time.is_none() {
                status.last_verified_time = Some(Time(world.now));
            }
        }
    }
}

/// A target that an older release published has no digests. Where the pair is verified without a doubt, the
/// target is known to hold it in the shape that the spec asks for, so that they can be added.
fn learn_digests(
    world: &Inputs<'_>,
    source: &Source,
    judged: &Verification,
    status: &mut StaticAwsCredentialsStatus,
) {
    let is_known = matches!(judged, Verification::Verified { doubt: None, .. });
    let pair = pair_of(source).filter(|pair| is_known && proof::is_published(world, pair));
    if let (Some(pair), Some(published)) = (pair, &mut status.published) {
        let key_digest = published.key_digest.take();
        published.key_digest = key_digest.or_else(|| fingerprint::of_pair(&pair.pair));
        let content_digest = published.content_digest.take();
        published.content_digest = content_digest.or_else(|| digest(world, source));
    }
}

fn digest(world: &Inputs<'_>, source: &Source) -> Option<String> {
    publish::content(world, source)?.digest(world)
}

fn refresh(status: &mut StaticAwsCredentialsStatus, seen: &SecretVersion) {
    if let Some(published) = &mut status.published {
        published.uid = seen.uid.to_string();
        published.resource_version = seen.version.to_string();
    }
}

/// UID and version are filled in when the target is written.
fn published(world: &Inputs<'_>, source: &Source, new_pair: bool) -> Published {
    let before = world.published();
    let suffix = pair_of(source).map(|pair| pair.pair.suffix());
    let revision = before.map_or(0, |published| published.revision);
    let target = &world.resource.target;
    let same_pair = before.filter(|_| !new_pair);
    Published {
        key_digest: pair_of(source).and_then(|pair| fingerprint::of_pair(&pair.pair)),
        former_secret_names: same_pair.map_or_else(Vec::new, |before| former_names(before, target)),
        secret_name: target.clone(),
        uid: String::new(),
        resource_version: String::new(),
        key_id_suffix: suffix.unwrap_or_default(),
        content_digest: digest(world, source),
        labels_digest: world.resource.labels_digest(),
        revision: if new_pair {
            revision.saturating_add(1)
        } else {
            revision
        },
        time: same_pair.map_or(Time(world.now), |published| published.time.clone()),
        credential_process_ttl_seconds: world.resource.rendered_ttl(),
    }
}

fn pair_of(source: &Source) -> Option<&SourcePair> {
    match source {
        Source::Found(found) => found.pair.as_ref().ok(),
        Source::Absent => None,
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
fn settling(world: &Inputs<'_>, source: &Source, judged: &Verification) -> Option<Settling> {
    let Source::Found(found) = source else {
        return world.status.settling.clone();
    };
    let pair = found.pair.as_ref().ok()?;
    let kept = world.status.settling.clone();
    let kept = kept.filter(|_| rejection_window::is_refused(world, pair));
    let reason = match judged {
        Verification::Verified {
            doubt: Some(finding),
            ..
        }
        | Verification::Pending { finding, .. }
        | Verification::Rejected {
            by_aws: true,
            finding,
            ..
        } => Some(finding.reason),
        _ => None,
    };
    match reason {
        Some(Reason::Settling) if newcomer::waits(world).is_some() => kept,
        Some(Reason::Settling | Reason::RejectionUnconfirmed) => Some(kept.unwrap_or(Settling {
            since: Time(world.now),
            key_id_suffix: pair.pair.suffix(),
        })),
        Some(_) => kept,
        None => None,
    }
}
