//! The chart configures the operator by the environment variables of its flags.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use clap::{Arg, CommandFactory as _};
use cluster::tools::Tool;
use serde_json::{Value, json};
use static_aws_credentials::cli::args::Cli;

use super::render::{NEWEST, objects, ways};

/// Flags that the chart does not set, each with its reason.
const LEFT: [(&str, &str); 3] = [
    (
        "AWSCREDS_BIND",
        "Service, monitors and NetworkPolicy name its port",
    ),
    (
        "AWSCREDS_PROBE_BIND",
        "probes and NetworkPolicy name its port",
    ),
    (
        "AWSCREDS_LEASE_NAMESPACE",
        "the lease is in the pod's own namespace",
    ),
];

/// Values whose default differs from the flag's default.
const OTHER_DEFAULTS: [(&str, &str); 1] = [(
    "AWSCREDS_LOG_FORMAT",
    "a person at a terminal reads text, a cluster's log JSON",
)];

#[test]
fn every_flag_has_a_value_and_every_variable_a_flag() -> Result<()> {
    let twins: BTreeSet<String> = flags().into_keys().collect();
    let mut set = BTreeSet::new();
    for (_, values) in ways()? {
        let names = variables(&values)?.into_keys();
        set.extend(names.filter(|name| name.starts_with("AWSCREDS_")));
    }
    let unknown: Vec<_> = set.difference(&twins).collect();
    ensure!(unknown.is_empty(), "no flag reads {unknown:?}");
    let left: BTreeSet<String> = LEFT.iter().map(|(name, _)| (*name).to_owned()).collect();
    let missing: BTreeSet<String> = twins.difference(&set).cloned().collect();
    ensure!(missing == left, "not set by any value: {missing:?}");
    Ok(())
}

#[test]
fn defaults_are_those_of_the_flags() -> Result<()> {
    let flags = flags();
    let mut compared = 0;
    for (name, value) in variables(&[])? {
        let Some(flag) = flags.get(&name) else {
            continue;
        };
        let other = OTHER_DEFAULTS.iter().any(|(known, _)| *known == name);
        let default = flag.get_default_values().first();
        let default = default.filter(|_| flag.get_action().takes_values());
        if let (Some(default), false) = (default, other || name == "AWSCREDS_LEASE_NAME") {
            ensure!(value == json!(default.to_str()), "{name} is {value}");
            compared += 1;
        }
    }
    ensure!(compared == 5, "{compared} defaults were compared");
    Ok(())
}

#[test]
fn the_ports_are_where_the_operator_listens() -> Result<()> {
    let flags = flags();
    let container = container(&[])?;
    for (at, flag) in ["AWSCREDS_BIND", "AWSCREDS_PROBE_BIND"].iter().enumerate() {
        let bind = flags.get(*flag).context("no flag")?;
        let default = bind.get_default_values().first().context("no default")?;
        let port = container["ports"][at]["containerPort"].to_string();
        ensure!(
            default.to_string_lossy().ends_with(&format!(":{port}")),
            "{flag}: {port}"
        );
    }
    Ok(())
}

/// Flags of `run` by the name of their variable.
fn flags() -> BTreeMap<String, Arg> {
    let command = Cli::command();
    let run = command.find_subcommand("run").cloned().unwrap_or_default();
    let named = |arg: &Arg| Some((arg.get_env()?.to_string_lossy().into_owned(), arg.clone()));
    run.get_arguments().filter_map(named).collect()
}

fn variables(values: &[String]) -> Result<BTreeMap<String, Value>> {
    let container = container(values)?;
    let env = container["env"].as_array().context("no variables")?;
    let named = |one: &Value| Some((one["name"].as_str()?.to_owned(), one["value"].clone()));
    Ok(env.iter().filter_map(named).collect())
}

fn container(values: &[String]) -> Result<Value> {
    let all = objects(Tool::Helm4, NEWEST, values)?;
    let deployment = all.iter().find(|object| object["kind"] == "Deployment");
    let deployment = deployment.context("no Deployment")?;
    Ok(deployment["spec"]["template"]["spec"]["containers"][0].clone())
}
