//! The admission policies by name, and what policy and binding must contain for the policy to be enforced.

use serde_json::Value;

/// One of the chart's policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, strum::VariantArray)]
pub enum Policy {
    /// Requires that authors of resources have the rights to both Secrets.
    Requester,
    /// Lets only the operator write a status.
    Status,
    /// Limits how the operator writes Secrets.
    Fence,
    /// Limits what the operator writes at all.
    Only,
    /// Limits what the operator changes in a workload.
    Restarts,
}

impl Policy {
    /// Number of policies that the operator's account can try.
    pub const TRIED: usize = 2;

    /// The word for the policy in metrics and names.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requester => "requester",
            Self::Status => "status",
            Self::Fence => "fence",
            Self::Only => "only",
            Self::Restarts => "restarts",
        }
    }

    /// The name of the policy and of its binding.
    #[must_use]
    pub fn named(self, prefix: &str) -> String {
        format!("{prefix}-{}", self.as_str())
    }
}

/// What in the policy or its binding keeps the policy from being enforced. The CEL expressions are not compared.
#[must_use]
pub fn flaw(policy: Option<&Value>, binding: Option<&Value>) -> Option<&'static str> {
    let Some(policy) = policy else {
        return Some("it does not exist");
    };
    let Some(binding) = binding else {
        return Some("its ValidatingAdmissionPolicyBinding does not exist");
    };
    of_policy(policy).or_else(|| of_binding(policy, binding))
}

fn of_policy(policy: &Value) -> Option<&'static str> {
    let selects = ["namespaceSelector", "objectSelector"]
        .map(|selector| is_full(policy, &format!("/spec/matchConstraints/{selector}")));
    first(&[
        (
            is_full(policy, "/spec/paramKind"),
            "it takes parameters, but the chart's policy has none",
        ),
        (
            !is_full(policy, "/spec/validations"),
            "it has no validations",
        ),
        (
            policy.pointer("/spec/failurePolicy") == Some(&Value::from("Ignore")),
            "its failurePolicy is Ignore",
        ),
        (
            is_full(policy, "/spec/matchConstraints/excludeResourceRules"),
            "its matchConstraints exclude something",
        ),
        (
            selects.contains(&true),
            "its matchConstraints are narrowed by a selector",
        ),
        (
            has_foreign_conditions(policy),
            "it has matchConditions that the chart's policy lacks",
        ),
    ])
}

fn of_binding(policy: &Value, binding: &Value) -> Option<&'static str> {
    let denies = |actions: &Vec<Value>| actions.iter().any(|action| action == "Deny");
    let actions = binding.pointer("/spec/validationActions");
    first(&[
        (
            binding.pointer("/spec/policyName") != policy.pointer("/metadata/name"),
            "its ValidatingAdmissionPolicyBinding names another policy",
        ),
        (
            !actions.and_then(Value::as_array).is_some_and(denies),
            "its ValidatingAdmissionPolicyBinding does not deny",
        ),
        (
            binding
                .pointer("/spec/matchResources")
                .is_some_and(|narrowed| !narrowed.is_null()),
            "its ValidatingAdmissionPolicyBinding is narrowed by matchResources",
        ),
    ])
}

fn first(flaws: &[(bool, &'static str)]) -> Option<&'static str> {
    flaws
        .iter()
        .find(|(is_so, _)| *is_so)
        .map(|(_, flaw)| *flaw)
}

/// Whether a field has content. The API server adds empty selectors as defaults.
fn is_full(object: &Value, path: &str) -> bool {
    object.pointer(path).is_some_and(|found| match found {
        Value::Null => false,
        Value::Array(all) => !all.is_empty(),
        Value::Object(all) => !all.is_empty(),
        _ => true,
    })
}

/// The names of matchConditions in the chart.
const CONDITIONS: [&str; 3] = ["operator", "not-being-deleted", "spec-changes"];

/// Whether a match condition has a name that the chart does not use. The CEL expressions of the conditions are
/// not compared.
fn has_foreign_conditions(policy: &Value) -> bool {
    let conditions = policy.pointer("/spec/matchConditions");
    let mut conditions = conditions.and_then(Value::as_array).into_iter().flatten();
    conditions.any(|condition| {
        let name = condition.get("name").and_then(Value::as_str);
        !name.is_some_and(|name| CONDITIONS.contains(&name))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn policy() -> Value {
        json!({ "metadata": { "name": "x-fence" }, "spec": { "validations": [{ "expression": "true" }] } })
    }

    fn binding() -> Value {
        json!({ "metadata": {}, "spec": { "policyName": "x-fence", "validationActions": ["Deny"] } })
    }

    fn with(mut object: Value, field: &str, value: Value) -> Value {
        if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
            spec.insert(field.to_owned(), value);
        }
        object
    }

    #[test]
    fn a_policy_with_a_binding_that_denies_is_enforced() {
        assert_eq!(flaw(Some(&policy()), Some(&binding())), None);
        let defaulted = json!({ "namespaceSelector": {}, "objectSelector": {} });
        let defaulted = with(policy(), "matchConstraints", defaulted);
        assert_eq!(flaw(Some(&defaulted), Some(&binding())), None);
        let audited = with(binding(), "validationActions", json!(["Audit", "Deny"]));
        assert_eq!(flaw(Some(&policy()), Some(&audited)), None);
    }

    #[test]
    fn a_policy_that_is_not_there_is_not_enforced() {
        assert_eq!(flaw(None, Some(&binding())), Some("it does not exist"));
        let words = "its ValidatingAdmissionPolicyBinding does not exist";
        assert_eq!(flaw(Some(&policy()), None), Some(words));
    }

    #[test]
    fn a_policy_that_was_relaxed_is_not_enforced() {
        let policies = [
            ("validations", json!([]), "no validations"),
            ("failurePolicy", json!("Ignore"), "failurePolicy is Ignore"),
            ("paramKind", json!({ "kind": "ConfigMap" }), "parameters"),
            (
                "matchConstraints",
                json!({ "excludeResourceRules": [{}] }),
                "exclude something",
            ),
            (
                "matchConstraints",
                json!({ "namespaceSelector": { "matchLabels": { "a": "b" } } }),
                "narrowed by a selector",
            ),
            (
                "matchConstraints",
                json!({ "objectSelector": { "matchLabels": { "a": "b" } } }),
                "narrowed by a selector",
            ),
            (
                "matchConditions",
                json!([{ "name": "operator" }, { "name": "never", "expression": "false" }]),
                "matchConditions",
            ),
        ];
        for (field, value, words) in policies {
            let found = flaw(Some(&with(policy(), field, value)), Some(&binding()));
            assert!(found.is_some_and(|found| found.contains(words)), "{words}");
        }
        let bindings = [
            ("policyName", json!("x-only"), "names another policy"),
            ("validationActions", json!(["Warn"]), "does not deny"),
            ("validationActions", Value::Null, "does not deny"),
            ("matchResources", json!({}), "narrowed by matchResources"),
        ];
        for (field, value, words) in bindings {
            let found = flaw(Some(&policy()), Some(&with(binding(), field, value)));
            assert!(found.is_some_and(|found| found.contains(words)), "{words}");
        }
    }
}
