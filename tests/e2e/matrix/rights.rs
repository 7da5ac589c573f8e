//! The chart's rules grant exactly what the operator uses. The requests of all tests are compared, when all have run.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use cluster::proxy::Verb;
use serde_json::Value;

use crate::{
    harness::test_cluster::{TestCluster, class_rules, rules},
    matrix::access::RULES,
};

/// An API group, a resource with its subresource, and a verb.
type Right = (String, String, String);

/// An unused rule is an error only if all tests have passed.
pub fn compare(test_cluster: &TestCluster, all_passed: bool) -> Result<()> {
    let granted = granted()?;
    let used = used(test_cluster);
    let lacking: Vec<&Right> = used.difference(&granted).collect();
    let unused: Vec<&Right> = granted.difference(&used).collect();
    ensure!(
        lacking.is_empty() && (unused.is_empty() || !all_passed),
        "used and not granted: {lacking:?}; granted and used by no test: {unused:?}"
    );
    Ok(())
}

fn granted() -> Result<BTreeSet<Right>> {
    let list = |value: &Value| -> Vec<String> {
        let all = value.as_array().into_iter().flatten();
        all.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut rights = BTreeSet::new();
    let reviews: Vec<Value> = serde_saphyr::from_str(RULES)?;
    let all = rules()?.into_iter().chain(class_rules()?).chain(reviews);
    for rule in all {
        for group in list(&rule["apiGroups"]) {
            for resource in list(&rule["resources"]) {
                for verb in list(&rule["verbs"]) {
                    rights.insert((group.clone(), resource.clone(), verb));
                }
            }
        }
    }
    Ok(rights)
}

fn used(test_cluster: &TestCluster) -> BTreeSet<Right> {
    let mut rights = BTreeSet::new();
    for record in test_cluster.records().iter() {
        for request in record.requests() {
            // Paths such as /version need no rule.
            if !request.resource.is_empty() {
                let verb = name(request.verb).to_owned();
                rights.insert((request.group.clone(), request.what(), verb));
            }
        }
    }
    rights
}

/// The verb as RBAC writes it.
fn name(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "get",
        Verb::List => "list",
        Verb::Watch => "watch",
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Patch => "patch",
        Verb::Delete => "delete",
        Verb::DeleteCollection => "deletecollection",
    }
}
