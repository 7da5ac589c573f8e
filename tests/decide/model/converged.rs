//! The state that people asked for, and whether it is reached.

use static_aws_credentials::api::{DeletionPolicy, OnRejected};

use super::{
    transitions::Transition,
    user_actions::{RENAMED, stranger},
};
use crate::sim::{Pair, TARGET, World, alpha, beta};

/// No transition of the operator removes a foreign Secret, or a verified pair from the pods that mount it.
pub fn nothing_was_lost(before: &World, step: Transition, after: &World) {
    let stranger = before
        .store
        .secret(RENAMED)
        .filter(|it| it.data.as_ref() == Some(&stranger()));
    if stranger.is_some() {
        assert_eq!(
            after.store.secret(RENAMED),
            stranger,
            "a stranger's Secret was changed"
        );
    }
    let of_people = matches!(step, Transition::Do(_) | Transition::RunAmid(..));
    let spec = &before.store.resources["orders"].spec;
    if of_people || spec.validation.on_rejected == OnRejected::Withdraw {
        return;
    }
    let Some(published) = before.status().published else {
        return;
    };
    // Under the name in the status: the spec may name another target meanwhile.
    if before.pair_in(&published.secret_name).is_some() {
        let kept = [TARGET, RENAMED]
            .iter()
            .any(|name| after.pair_in(name).is_some());
        assert!(kept, "a proven pair was taken away");
    }
}

/// The state when everything has settled.
pub fn is_reached(world: &World) {
    let spec = world.store.resources["orders"].spec.clone();
    let name = spec
        .target
        .name
        .clone()
        .unwrap_or_else(|| TARGET.to_owned());
    let state = world.state();
    if spec.suspend {
        return;
    }
    let wanted = wanted(world, &spec.secret_ref.name);
    let occupied = world
        .store
        .secret(&name)
        .is_some_and(|it| it.data.as_ref() == Some(&stranger()));
    match &wanted {
        Some(pair) if !occupied => {
            assert!(state.starts_with("Ready=True Published"), "{state}");
            let published = world.pair_in(&name);
            assert_eq!(
                published.as_ref(),
                Some(pair),
                "the target holds another pair"
            );
            let retains = spec.target.deletion_policy == DeletionPolicy::Retain;
            assert!(
                retains || ours(world) == [name],
                "something else is left of ours"
            );
        }
        Some(_) => assert!(state.starts_with("Ready=False TargetConflict"), "{state}"),
        None => {
            assert!(state.starts_with("Ready=False"), "{state}");
            let withdraws = spec.validation.on_rejected == OnRejected::Withdraw;
            let refused =
                state.contains("AccessKeyUnknown") && state.contains("Published=True Published");
            assert!(!(withdraws && refused), "{state}: not withdrawn");
        }
    }
}

/// The pair in the source, if AWS accepts it.
fn wanted(world: &World, source: &str) -> Option<Pair> {
    let pair = world.pair_in(source)?;
    let known = pair == alpha() && world.aws.inactive().is_empty() || pair == beta();
    known.then_some(pair)
}

/// Secrets with labels: only the operator sets any here.
fn ours(world: &World) -> Vec<String> {
    let secrets = world.store.secrets.iter();
    let marked = secrets.filter(|(_, secret)| secret.metadata.labels.is_some());
    marked.map(|(name, _)| name.clone()).collect()
}
