//! Rights of all accounts in a cluster with the chart.

use std::{collections::BTreeSet, fs};

use anyhow::{Context as _, Result, bail, ensure};
use cluster::tools::Tool;
use serde_json::{Value, json};
use static_aws_credentials::cli::api_check;

use super::render::{CHART, NEWEST, objects, set, template, ways};

type Right = (String, String, String);

#[test]
fn in_cluster_scope_the_rules_are_one_cluster_roles() -> Result<()> {
    let all = objects(Tool::Helm4, NEWEST, &[])?;
    let operator = find(&all, "ClusterRole", "static-aws-credentials", None);
    ensure!(operator["rules"] == with(&["class-rules.yaml"])?);
    ensure!(
        bound(&all)
            == [
                "static-aws-credentials",
                "static-aws-credentials-policy-reader"
            ],
        "the operator has one ClusterRole beside that by which it reads its policies"
    );
    Ok(())
}

#[test]
fn with_namespaces_the_rules_are_a_role_in_each_and_no_cluster_role_is_bound() -> Result<()> {
    let all = objects(Tool::Helm4, NEWEST, &set(&["scope.namespaces={a,b}"]))?;
    for namespace in ["a", "b"] {
        let name = "static-aws-credentials-operators-aws";
        let role = find(&all, "Role", name, Some(namespace));
        ensure!(role["rules"] == rules("rules.yaml")?);
        let binding = find(&all, "RoleBinding", name, Some(namespace));
        ensure!(binding["roleRef"]["kind"] == "Role" && binding["roleRef"]["name"] == name);
    }
    ensure!(
        bound(&all)
            == [
                "static-aws-credentials-operators-aws-classes",
                "static-aws-credentials-operators-aws-policy-reader",
            ],
        "the operator has no ClusterRole but those by which it reads classes and its policies"
    );
    let classes = "static-aws-credentials-operators-aws-classes";
    let classes = find(&all, "ClusterRole", classes, None);
    ensure!(classes["rules"] == rules("class-rules.yaml")?);
    for object in &all {
        if object["kind"] == "ClusterRole" {
            let secrets = rights(&object["rules"])
                .into_iter()
                .any(|(_, resource, _)| resource.starts_with("secrets") || resource == "*");
            ensure!(!secrets, "{object}");
        }
    }
    Ok(())
}

/// `ClusterRoles` that have a binding.
fn bound(all: &[Value]) -> Vec<&str> {
    let bindings = all
        .iter()
        .filter(|object| object["kind"] == "ClusterRoleBinding");
    let mut names: Vec<&str> = bindings
        .filter_map(|binding| binding["roleRef"]["name"].as_str())
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn the_policies_are_read_by_their_names_and_nothing_else_of_the_cluster() -> Result<()> {
    for values in [set(&[]), set(&["scope.namespaces={a,b}"])] {
        let all = objects(Tool::Helm4, NEWEST, &values)?;
        let policies = all
            .iter()
            .filter(|object| object["kind"] == "ValidatingAdmissionPolicy");
        let names: BTreeSet<&str> = policies
            .filter_map(|policy| policy["metadata"]["name"].as_str())
            .collect();
        let reader = all
            .iter()
            .find(|object| {
                let name = object["metadata"]["name"].as_str();
                object["kind"] == "ClusterRole"
                    && name.is_some_and(|name| name.ends_with("-policy-reader"))
            })
            .context("no reader")?;
        let [rule] = reader["rules"].as_array().context("no rules")?.as_slice() else {
            bail!("one rule: {reader}");
        };
        let read = rule["resourceNames"].as_array().into_iter().flatten();
        ensure!(read.filter_map(Value::as_str).collect::<BTreeSet<_>>() == names);
        ensure!(rule["verbs"] == json!(["get"]), "{rule}");
    }
    Ok(())
}

#[test]
fn the_lease_is_bound_by_its_name_but_for_its_creation() -> Result<()> {
    for (name, values) in [
        ("aws-static-aws-credentials", vec![]),
        ("pairs", set(&["fullnameOverride=pairs"])),
    ] {
        let all = objects(Tool::Helm4, NEWEST, &values)?;
        let role = find(
            &all,
            "Role",
            &format!("{name}-leader-election"),
            Some("operators"),
        );
        for rule in role["rules"].as_array().into_iter().flatten() {
            let verbs = &rule["verbs"];
            let by_name = rule["resourceNames"] == json!([name]);
            ensure!(by_name != (*verbs == json!(["create"])), "{rule}");
        }
    }
    Ok(())
}

/// The operator's rules, followed by those of further files.
fn with(files: &[&str]) -> Result<Value> {
    let mut all = Vec::new();
    for file in ["rules.yaml"].iter().chain(files) {
        all.extend(rules(file)?.as_array().cloned().unwrap_or_default());
    }
    Ok(all.into())
}

#[test]
fn pods_and_workloads_may_be_reached_only_where_that_is_wanted() -> Result<()> {
    for (value, file) in [
        ("rotation.consumers.enabled=true", "consumer-rules.yaml"),
        ("rotation.restart.enabled=true", "restart-rules.yaml"),
    ] {
        for scope in [&[][..], &["scope.namespaces={a,b}"]] {
            let wanted = [scope, &[value]].concat();
            let kind = if scope.is_empty() {
                "ClusterRole"
            } else {
                "Role"
            };
            let rules_of = |all: &[Value]| -> Vec<Value> {
                let operators = all.iter().filter(|object| object["kind"] == kind);
                let rules = operators.map(|object| object["rules"].clone());
                rules
                    .filter(|rules| rules.to_string().contains("events.k8s.io"))
                    .collect()
            };
            let without = rules_of(&objects(Tool::Helm4, NEWEST, &set(scope))?);
            let classes: &[&str] = if scope.is_empty() {
                &["class-rules.yaml"]
            } else {
                &[]
            };
            let base = with(classes)?;
            ensure!(!without.is_empty() && without.iter().all(|rules| *rules == base));
            let more = rules_of(&objects(Tool::Helm4, NEWEST, &set(&wanted))?);
            let expected = with(&[&[file], classes].concat())?;
            ensure!(more.len() == without.len() && more.iter().all(|rules| *rules == expected));
        }
    }
    Ok(())
}

#[test]
fn nobody_is_given_the_status_or_a_wildcard() -> Result<()> {
    for (way, values) in ways()? {
        for object in objects(Tool::Helm4, NEWEST, &values)? {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            let further = [
                "consumer-rules.yaml",
                "restart-rules.yaml",
                "class-rules.yaml",
            ];
            let everything = with(&further)?;
            let [base, cluster] = [with(&[])?, with(&["class-rules.yaml"])?];
            let of_namespaces = with(&["consumer-rules.yaml", "restart-rules.yaml"])?;
            let ours = [base, cluster, of_namespaces, everything].contains(&object["rules"]);
            for (group, resource, verb) in rights(&object["rules"]) {
                ensure!(
                    ours || !resource.contains('/'),
                    "{way}: {name} has {resource}"
                );
                ensure!(
                    group != "*" && resource != "*" && verb != "*",
                    "{way}: {name}"
                );
                let escalates = ["escalate", "bind", "impersonate"].contains(&verb.as_str());
                ensure!(!escalates, "{way}: {name} may {verb}");
            }
        }
    }
    Ok(())
}

#[test]
fn every_rule_has_its_reason_above_it() -> Result<()> {
    for (way, values) in ways()? {
        let text = template(Tool::Helm4, NEWEST, &values)?;
        let lines: Vec<&str> = text.lines().collect();
        let rules = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.trim_start().starts_with("- apiGroups:"))
            // The rules of an admission policy match requests and grant nothing.
            .filter(|(at, _)| {
                lines[..*at]
                    .iter()
                    .rev()
                    .find(|line| line.starts_with("kind: "))
                    .is_some_and(|line| line.ends_with("Role"))
            });
        for (at, line) in rules {
            ensure!(lines[at - 1].starts_with("# "), "{way}: line {at}: {line}");
        }
    }
    Ok(())
}

#[test]
fn the_test_s_account_has_the_names_that_api_check_uses() -> Result<()> {
    let all = objects(Tool::Helm4, NEWEST, &[])?;
    let name = "aws-static-aws-credentials-api-check";
    let role = find(&all, "Role", name, Some("operators"));
    let names = |verb: &str| {
        let rules = role["rules"].as_array().into_iter().flatten();
        let mut rules = rules.filter(|rule| rule["resources"] == json!(["secrets"]));
        rules
            .find(|rule| {
                rule["verbs"]
                    .as_array()
                    .is_some_and(|verbs| verbs.contains(&json!(verb)))
            })
            .map_or(Value::Null, |rule| rule["resourceNames"].clone())
    };
    ensure!(names("get") == json!([api_check::SOURCE]), "{role}");
    let target = format!("{}-credentials", api_check::NAME);
    ensure!(
        names("create") == json!([target]) && names("update") == json!([target]),
        "{role}"
    );
    Ok(())
}

fn rules(file: &str) -> Result<Value> {
    let text = fs::read_to_string(format!("{CHART}/files/{file}"))?;
    Ok(serde_saphyr::from_str(&text)?)
}

fn find<'a>(all: &'a [Value], kind: &str, name: &str, namespace: Option<&str>) -> &'a Value {
    all.iter()
        .find(|object| {
            let metadata = &object["metadata"];
            object["kind"] == kind
                && metadata["name"] == name
                && metadata["namespace"].as_str() == namespace
        })
        .unwrap_or(&Value::Null)
}

fn rights(rules: &Value) -> BTreeSet<Right> {
    let list = |value: &Value| -> Vec<String> {
        let all = value.as_array().into_iter().flatten();
        all.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut rights = BTreeSet::new();
    for rule in rules.as_array().into_iter().flatten() {
        for group in list(&rule["apiGroups"]) {
            for resource in list(&rule["resources"]) {
                for verb in list(&rule["verbs"]) {
                    rights.insert((group.clone(), resource.clone(), verb));
                }
            }
        }
    }
    rights
}
