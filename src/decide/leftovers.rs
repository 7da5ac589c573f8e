//! What becomes of Secrets of a resource that are not its target any more, and of an owner reference that
//! the deletion policy does not want any more.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::{
    Inputs, Plan, TargetWrite, target::TargetPlan, target::TargetState, verification::Verification,
};
use crate::{
    api::{ConditionType, DeletionPolicy, Published},
    conditions::LONGEST_MESSAGE,
    index::{Observed, SecretVersion, View},
    words,
};

/// Begins what the condition Published adds about leftovers.
const NOTE: &str = "; left over: ";

/// A Secret that carries both marks of the resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// Name of the Secret.
    pub name: String,
    /// The Secret as it was seen.
    pub seen: SecretVersion,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a leftover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is deleted.
    Deleted,
    /// It loses its owner reference, so that it outlives the resource.
    Released,
}

impl Leftover {
    /// Takes note in the view and in the plan that it is gone or released. `before` is what the status called
    /// published until now, `target` the name that the spec asks for.
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
        *slot = match self.fate {
            Fate::Deleted => Observed::Unknown,
            Fate::Released => sight.clone(),
        };
        let published = plan.status.published.as_mut();
        let published = published.filter(|it| it.secret_name == self.name);
        // What others edited stays another version than the one that was published.
        let intact = published.filter(|it| self.seen.is(&it.uid, &it.resource_version));
        if let (Some(published), Some(now)) = (intact, sight.present()) {
            published.resource_version = now.version.to_string();
        }
    }
}

/// The leftovers of a resource whose target is placed. Under `Retain` none is deleted, even one that was
/// published under another policy; one that was published under `Retain` carries no owner reference and
/// is no leftover.
pub(super) fn leftovers(
    world: &Inputs<'_>,
    judged: &Verification,
    placed: &TargetPlan,
) -> Vec<Leftover> {
    if world.resource.deletion_policy == DeletionPolicy::Retain {
        return released(world, &placed.change);
    }
    let stands = matches!(judged, Verification::Verified { .. })
        && matches!(
            placed.standing,
            TargetState::Writing { .. } | TargetState::Recovered { .. } | TargetState::Current(_)
        );
    if stands {
        all(world, Fate::Deleted)
            .filter(|leftover| leftover.name != world.resource.target)
            .collect()
    } else {
        Vec::new()
    }
}

/// Everything that still carries an owner reference in spite of `Retain`, the target included, whether or
/// not there is a pair to write.
pub(super) fn released(world: &Inputs<'_>, change: &TargetWrite) -> Vec<Leftover> {
    if world.resource.deletion_policy != DeletionPolicy::Retain {
        return Vec::new();
    }
    let changed = match change {
        TargetWrite::Nothing => None,
        TargetWrite::Create(_) | TargetWrite::Replace(..) => Some(&world.resource.target),
        TargetWrite::Delete(name, _) => Some(name),
    };
    all(world, Fate::Released)
        .filter(|leftover| Some(&leftover.name) != changed)
        .collect()
}

/// Whether the published Secret waits for its release.
pub(super) fn awaits_release(world: &Inputs<'_>) -> bool {
    world.resource.deletion_policy == DeletionPolicy::Retain && published(world).is_some()
}

fn all(world: &Inputs<'_>, fate: Fate) -> impl Iterator<Item = Leftover> {
    let strays = world.view.stale_targets.iter().cloned();
    published(world)
        .into_iter()
        .chain(strays)
        .map(move |(name, seen)| Leftover { name, seen, fate })
}

/// The published Secret, if it carries both marks.
fn published(world: &Inputs<'_>) -> Option<(String, SecretVersion)> {
    let published = world.published()?;
    let seen = world.published_sight().present()?;
    let is_ours = seen.owner_uid.as_ref()? == world.resource.uid.as_str();
    is_ours.then(|| (published.secret_name.clone(), seen.clone()))
}

/// Adds to the condition Published what is the matter with leftovers, in the place of what it said of them.
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

/// What a condition says of leftovers.
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

/// The words about leftovers that were refused, each with what the API server answered.
#[must_use]
pub fn note(refused: &[(&Leftover, String)]) -> Option<String> {
    let ((leftover, why), others) = refused.split_first()?;
    let name = &leftover.name;
    let what = match leftover.fate {
        Fate::Deleted => format!(
            "Secret \"{name}\", which is not the target any more, could not be deleted ({why}); kubectl delete secret {name} --dry-run=server shows what refuses it"
        ),
        Fate::Released => format!(
            "Secret \"{name}\" is to be retained and could not be released from its owner ({why}), so it is deleted with this resource; remove its ownerReferences, or what refuses that"
        ),
    };
    let others = match others.len() {
        0 => String::new(),
        further => format!("; the same of {further} further Secrets"),
    };
    Some(format!("{what}{others}; tried again within 5 minutes"))
}
