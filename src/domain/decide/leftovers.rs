//! Leftovers: Secrets that are no longer the target of their resource, and owner references that its deletion
//! policy no longer allows.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{Inputs, Plan, TargetWrite, outcome::Verification, target_state::TargetPlan};
use crate::{
    api::{ConditionType, DeletionPolicy, Published},
    domain::{
        conditions::LONGEST_MESSAGE,
        index::{Observed, SecretVersion, View},
        words,
    },
};

/// Separates the message of the condition Published from the message about leftovers.
const NOTE: &str = "; left over: ";

/// A Secret with both marks of the resource: its label and its controller reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// Name of the Secret.
    pub name: String,
    /// The Secret as it was observed.
    pub seen: SecretVersion,
    /// What happens to the Secret.
    pub disposal: Disposal,
}

/// What happens to a leftover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposal {
    /// The Secret is deleted.
    Delete,
    /// The Secret loses its owner reference, so that it outlives the resource.
    Release,
}

impl Leftover {
    /// Records in view and plan that the leftover was deleted or released. `before` is the published Secret in the
    /// status before this reconcile, `target` the name that the spec asks for.
    pub fn removed(
        &self,
        sight: &Observed,
        (before, target): (Option<&Published>, &str),
        view: &mut View,
        plan: &mut Plan,
    ) {
        view.stale_targets.retain(|(stray, _)| *stray != self.name);
        if before.is_none_or(|published| published.secret_name != self.name) {
            return;
        }
        let slot = if self.name == target {
            &mut view.target
        } else {
            &mut view.published
        };
        *slot = match self.disposal {
            Disposal::Delete => Observed::Unknown,
            Disposal::Release => sight.clone(),
        };
        let published = plan.status.published.as_mut();
        let published = published.filter(|it| it.secret_name == self.name);
        // A Secret that another client edited must keep differing from the published version.
        let intact = published.filter(|it| self.seen.matches(it));
        if let (Some(published), Some(now)) = (intact, sight.present()) {
            published.resource_version = now.version.to_string();
        }
    }
}

/// The leftovers of a resource whose target is placed. Under `Retain` no Secret is deleted, not even one that was
/// published under another policy. A Secret that was published under `Retain` has no owner reference and is no
/// leftover.
pub(super) fn leftovers(
    inputs: &Inputs<'_>,
    verification: &Verification,
    target: &TargetPlan,
) -> Vec<Leftover> {
    if inputs.resource.deletion_policy == DeletionPolicy::Retain {
        return released(inputs, target.change.as_ref());
    }
    if !verification.is_verified() || !target.state.is_in_place() {
        return Vec::new();
    }
    all(inputs, Disposal::Delete)
        .filter(|leftover| leftover.name != inputs.resource.target)
        .collect()
}

/// All Secrets that still have an owner reference in spite of `Retain`, with or without a pair to write. The
/// target is included, unless this plan writes or deletes it.
pub(super) fn released(inputs: &Inputs<'_>, change: Option<&TargetWrite>) -> Vec<Leftover> {
    if inputs.resource.deletion_policy != DeletionPolicy::Retain {
        return Vec::new();
    }
    let changed = change.map(|change| match change {
        TargetWrite::Create(_) | TargetWrite::Replace(..) => &inputs.resource.target,
        TargetWrite::Delete(name, _) => name,
    });
    all(inputs, Disposal::Release)
        .filter(|leftover| Some(&leftover.name) != changed)
        .collect()
}

/// Whether the published Secret still has to be released.
pub(super) fn awaits_release(inputs: &Inputs<'_>) -> bool {
    inputs.resource.deletion_policy == DeletionPolicy::Retain && published(inputs).is_some()
}

fn all(inputs: &Inputs<'_>, disposal: Disposal) -> impl Iterator<Item = Leftover> {
    let strays = inputs.view.stale_targets.iter().cloned();
    published(inputs)
        .into_iter()
        .chain(strays)
        .map(move |(name, seen)| Leftover {
            name,
            seen,
            disposal,
        })
}

/// The published Secret, if it carries both marks.
fn published(inputs: &Inputs<'_>) -> Option<(String, SecretVersion)> {
    let published = inputs.published()?;
    let seen = inputs.published_sight().present()?;
    let is_ours = seen.owner_uid.as_ref()? == inputs.resource.uid.as_str();
    is_ours.then(|| (published.secret_name.clone(), seen.clone()))
}

/// Replaces the message about leftovers in the condition Published; `None` removes it.
pub fn tell(conditions: &mut [Condition], note: Option<&str>) {
    let kind = ConditionType::Published.as_str();
    let Some(condition) = conditions.iter_mut().find(|it| it.type_ == kind) else {
        return;
    };
    let (own, _) = apart(&condition.message);
    let message = format!(
        "{own}{}",
        note.map(|note| format!("{NOTE}{note}")).unwrap_or_default()
    );
    condition.message = words::cut(&message, LONGEST_MESSAGE);
}

/// The message about leftovers in the condition Published.
#[must_use]
pub fn told(conditions: &[Condition]) -> Option<&str> {
    let kind = ConditionType::Published.as_str();
    let condition = conditions.iter().find(|it| it.type_ == kind)?;
    apart(&condition.message).1
}

fn apart(message: &str) -> (&str, Option<&str>) {
    message
        .split_once(NOTE)
        .map_or((message, None), |(own, note)| (own, Some(note)))
}

/// The message about leftovers that could not be removed: the first with its cause, then the number of the others.
#[must_use]
pub fn note(refused: &[(&Leftover, String)]) -> Option<String> {
    let ((leftover, why), others) = refused.split_first()?;
    let name = &leftover.name;
    let what = match leftover.disposal {
        Disposal::Delete => format!(
            "Secret \"{name}\", which is not the target any more, could not be deleted ({why}); kubectl delete secret {name} --dry-run=server shows what prevents the deletion"
        ),
        Disposal::Release => format!(
            "Secret \"{name}\" is to be retained and could not be released from its owner ({why}), so it is deleted with this resource; remove its ownerReferences, or what prevents their removal"
        ),
    };
    let others = match others.len() {
        0 => String::new(),
        further => format!("; the same holds for {further} further Secrets"),
    };
    Some(format!(
        "{what}{others}; the operator retries within 5 minutes"
    ))
}
