//! Which admission policies are enforced.

use prometheus_client::{
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

use super::Label;
use crate::domain::policy::Policy;

/// One series for each policy that the leader checked.
#[derive(Clone, Debug, Default)]
pub struct Policies(Family<Label, Gauge>);

impl Policies {
    pub(super) fn register(&self, registry: &mut Registry) {
        let name = "staticawscredentials_policy_enforced";
        let help = "1 if the leader found the admission policy enforced, otherwise 0";
        registry.register(name, help, self.0.clone());
    }

    /// Sets whether a policy is enforced; the series of a policy that was not checked is removed.
    pub fn set(&self, policy: Policy, enforced: Option<bool>) {
        let label = [("policy", policy.as_str())];
        if let Some(enforced) = enforced {
            self.0.get_or_create(&label).set(enforced.into());
        } else {
            self.0.remove(&label);
        }
    }
}
