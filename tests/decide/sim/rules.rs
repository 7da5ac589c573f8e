//! Invariants of every single effect, in every test.

use std::{collections::BTreeMap, time::Duration};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use static_aws_credentials::{
    api::{
        ADOPT_BY_ANNOTATION, ConditionType, DeletionPolicy, OnRejected, Reason,
        StaticAwsCredentialsStatus,
    },
    domain::{
        conditions,
        decide::TargetWrite,
        index::SecretVersion,
        layout,
        pair::{KeyPair, SecretBytes},
        target,
    },
};

use super::{World, build::universe, run::Run, store::Event};

/// Two calls a minute apart; a timer may fire a little early.
const CONFIRMED: Duration = Duration::from_millis(59_400);

/// A target is written only from a pair that was read from the source and accepted, and never over a foreign Secret.
pub fn may_write(
    world: &World,
    run: &Run<'_>,
    name: &str,
    data: &BTreeMap<String, SecretBytes>,
    change: &TargetWrite,
) {
    assert_eq!(
        name,
        run.reconcile.resource().target,
        "only the target is written"
    );
    let pair = source_pair(run);
    assert!(
        layout::carries(data, pair),
        "the target gets another pair than the source's"
    );
    let (id, secret) = (
        pair.access_key_id.expose_secret(),
        pair.secret_access_key.expose_secret(),
    );
    assert!(
        !run.reconcile.resource().verifies_online()
            || world.aws.accepted(id, secret)
            || world.vouched.contains(id),
        "a pair is published that AWS never accepted"
    );
    assert!(!run.reconcile.resource().suspend && !run.reconcile.resource().deleting);
    if let (TargetWrite::Replace(_, seen), Some(current)) = (change, world.store.secret(name)) {
        let known = current
            .metadata
            .uid
            .as_deref()
            .is_some_and(|uid| seen.uid == *uid)
            && current.metadata.resource_version == Some(seen.version.to_string());
        // The API server rejects a write over an older version.
        assert!(
            !known || is_ours(&current.metadata, run) || consents(&current.metadata, run),
            "a Secret is overwritten that is not ours: {:?}",
            current.metadata
        );
    }
}

/// A target is withdrawn only if the spec asks for that and the rejection of its pair is certain.
pub fn may_withdraw(world: &World, run: &Run<'_>, name: &str) {
    let current = world.store.secret(name);
    assert!(
        current.is_none_or(|current| is_ours(&current.metadata, run)),
        "a Secret is deleted that is not ours"
    );
    assert_eq!(
        run.reconcile.resource().checks.on_rejected,
        OnRejected::Withdraw
    );
    assert!(
        run.reconcile.resource().verifies_online(),
        "nobody refuses anything at Format"
    );
    let pair = source_pair(run);
    let (id, secret) = (
        pair.access_key_id.expose_secret(),
        pair.secret_access_key.expose_secret(),
    );
    let confirmed = world
        .aws
        .refused(id, secret)
        .is_some_and(|(first, last)| last.saturating_sub(first) >= CONFIRMED || world.clock_jumped);
    let checks = &run.reconcile.resource().checks;
    let pinned = checks.account.is_some() || checks.arn.is_some();
    let of_root = super::arn_of(id).is_some_and(|arn| arn.ends_with(":root"));
    assert!(
        confirmed || pinned || of_root,
        "a target is withdrawn without a confirmed refusal"
    );
}

/// A stray is deleted only if it has both marks, and only when the target exists. Another object of its name and a
/// later version are safe: the request has UID and version as preconditions.
pub fn may_delete_stray(world: &World, run: &Run<'_>, name: &str, seen: &SecretVersion) {
    assert_ne!(name, run.reconcile.resource().target);
    let policy = run.reconcile.resource().deletion_policy;
    assert_eq!(
        policy,
        DeletionPolicy::Delete,
        "a Secret to be retained is deleted"
    );
    let current = world.store.secret(name);
    let meant =
        current.filter(|current| SecretVersion::of(&current.metadata).as_ref() == Some(seen));
    assert!(
        meant.is_none_or(|current| is_marked(&current.metadata, run)),
        "a stray is deleted that does not carry both marks"
    );
    let stands = world.store.secret(&run.reconcile.resource().target);
    assert!(
        is_untold(world, &run.reconcile.resource().target)
            || stands.is_some_and(|target| is_ours(&target.metadata, run)),
        "the old target goes before the new one stands"
    );
}

/// Only a Secret with both marks loses its owner reference, and only under `Retain`.
pub fn may_release(world: &World, run: &Run<'_>, name: &str, seen: &SecretVersion) {
    assert_eq!(
        run.reconcile.resource().deletion_policy,
        DeletionPolicy::Retain
    );
    let current = world.store.secret(name);
    let meant =
        current.filter(|current| SecretVersion::of(&current.metadata).as_ref() == Some(seen));
    assert!(
        meant.is_none_or(|current| is_marked(&current.metadata, run)),
        "a Secret is released that does not carry both marks"
    );
}

/// Whether an event of a Secret was not delivered yet, so that the process cannot know it.
fn is_untold(world: &World, name: &str) -> bool {
    world
        .process
        .untold(&world.store)
        .any(|event| match &**event {
            Event::Secret(of, _) | Event::SecretGone(of, _) => of == name,
            Event::Resource(_) | Event::ResourceGone(_) => false,
        })
}

/// Invariants of every status.
pub fn may_report(world: &World, run: &Run<'_>, status: &StaticAwsCredentialsStatus) {
    let is = |kind| conditions::is_true(&status.conditions, kind);
    let summaries = status.conditions.iter().filter(|it| {
        it.status == "True"
            && ConditionType::parse(&it.type_).is_some_and(ConditionType::is_summary)
    });
    let true_ones = summaries.count();
    assert!(true_ones <= 1, "{:?}", status.conditions);
    if !run.reconcile.resource().suspend {
        assert_eq!(true_ones, 1, "{:?}", status.conditions);
        for kind in [ConditionType::Verified, ConditionType::Published] {
            assert!(conditions::find(&status.conditions, kind).is_some());
        }
    }
    let mut types: Vec<&str> = status
        .conditions
        .iter()
        .map(|it| it.type_.as_str())
        .collect();
    types.sort_unstable();
    types.dedup();
    assert_eq!(types.len(), status.conditions.len(), "a type occurs twice");
    assert_eq!(
        status.observed_generation,
        run.reconcile.resource().generation
    );
    let ready = conditions::find(&status.conditions, ConditionType::Ready);
    assert!(ready.is_some(), "Ready is never absent");
    for condition in &status.conditions {
        assert!(condition.message.len() <= 1024, "{}", condition.message);
        assert!(!condition.message.trim().is_empty(), "{}", condition.reason);
        let kind = ConditionType::parse(&condition.type_).expect("a known type");
        assert!(
            kind.has_own_reason() || condition.status == "True",
            "{condition:?}"
        );
        let reason = Reason::parse(&condition.reason);
        assert!(reason.is_some(), "{} is no reason", condition.reason);
    }
    assert_eq!(
        status.binding.as_ref().map(|binding| &binding.name),
        status
            .published
            .as_ref()
            .map(|published| &published.secret_name)
    );
    no_key_material(&serde_json::to_string(status).expect("a status is JSON"));
    if !run.reconcile.resource().suspend && is(ConditionType::Ready) {
        let stands = world.store.secret(&run.reconcile.resource().target);
        assert!(
            is_untold(world, &run.reconcile.resource().target)
                || stands.is_some_and(|target| is_ours(&target.metadata, run)),
            "Ready without a target"
        );
        let published = status.published.as_ref().expect("Ready without published");
        assert_eq!(published.secret_name, run.reconcile.resource().target);
    }
}

/// Fails if a text shows 8 consecutive characters of a key.
pub fn no_key_material(text: &str) {
    for pair in universe() {
        for value in [pair.id, pair.secret] {
            let windows = (0..=value.len() - 8).filter_map(|at| value.get(at..at + 8));
            for window in windows {
                assert!(
                    !text.contains(window),
                    "{window} of a key is shown in {text}"
                );
            }
        }
    }
}

fn source_pair<'a>(run: &'a Run<'_>) -> &'a KeyPair {
    let pair = run.reconcile.pair();
    &pair.expect("the source was read and holds a pair").pair
}

fn is_ours(metadata: &ObjectMeta, run: &Run<'_>) -> bool {
    let retained = run.reconcile.resource().deletion_policy == DeletionPolicy::Retain;
    let labelled = target::uid_label(metadata) == Some(&run.reconcile.resource().uid);
    match target::controller(metadata) {
        Some(_) => is_marked(metadata, run),
        None => retained && labelled,
    }
}

fn is_marked(metadata: &ObjectMeta, run: &Run<'_>) -> bool {
    target::owner_uid(metadata) == Some(&run.reconcile.resource().uid)
}

fn consents(metadata: &ObjectMeta, run: &Run<'_>) -> bool {
    let named = metadata
        .annotations
        .as_ref()
        .and_then(|annotations| annotations.get(ADOPT_BY_ANNOTATION));
    target::controller(metadata).is_none() && named == Some(&run.name)
}
