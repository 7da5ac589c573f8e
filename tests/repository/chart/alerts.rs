//! The alerts, evaluated by promtool, and their runbooks.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use cluster::tools::{Tool, promtool};
use serde_json::Value;

use super::{
    promql,
    render::{NEWEST, objects, set},
};

const TESTS: &str = include_str!("alerts.yaml");
const TESTS_OF_A_WEEK: &str = include_str!("alerts-of-a-week.yaml");
const RUNBOOKS: &str = include_str!("../../../docs/runbooks.md");

#[test]
fn promtool_takes_them_and_they_are_raised_as_expected() -> Result<()> {
    judged(TESTS)?;
    judged(TESTS_OF_A_WEEK)?;
    // Counter-check: a wrong expectation fails.
    let other = TESTS.replace("is rejected (", "is fine (");
    ensure!(judged(&other).is_err(), "a wrong expectation passes");
    Ok(())
}

/// Runs tests of the rules with promtool.
pub fn judged(tests: &str) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let spec = rules()?["spec"].to_string();
    fs::write(directory.path().join("rules.yaml"), spec)?;
    let said = run(directory.path(), &["check", "rules", "rules.yaml"])?;
    ensure!(said.contains(" rules found"), "{said}");
    fs::write(directory.path().join("tests.yaml"), tests)?;
    let said = run(directory.path(), &["test", "rules", "tests.yaml"])?;
    ensure!(said.contains("SUCCESS"), "{said}");
    Ok(())
}

#[test]
fn each_is_raised_once_and_kept_quiet_once() -> Result<()> {
    let mut cases = Vec::new();
    for tests in [TESTS, TESTS_OF_A_WEEK] {
        let tests: Value = serde_saphyr::from_str(tests)?;
        cases.extend(tests["tests"].as_array().cloned().unwrap_or_default());
    }
    let cases = cases
        .iter()
        .filter_map(|test| test["alert_rule_test"].as_array());
    let mut seen: BTreeMap<String, BTreeSet<bool>> = BTreeMap::new();
    for case in cases.flatten() {
        let name = case["alertname"].as_str().context("no name")?;
        let raised = case["exp_alerts"].as_array().context("no alerts")?;
        let seen = seen.entry(name.to_owned()).or_default();
        seen.insert(!raised.is_empty());
    }
    for alert in alerts()? {
        let name = alert["alert"].as_str().context("no name")?;
        let both = seen.get(name).is_some_and(|seen| seen.len() == 2);
        ensure!(both, "{name}: {seen:?}");
    }
    Ok(())
}

#[tokio::test]
async fn each_asks_for_metrics_that_there_are() -> Result<()> {
    let series = promql::series().await?;
    for alert in alerts()? {
        let expression = alert["expr"].as_str().context("no expression")?;
        let names = promql::names(expression);
        ensure!(!names.is_empty(), "{expression}");
        for name in names {
            ensure!(series.contains(&name), "{}: {name}", alert["alert"]);
        }
    }
    Ok(())
}

#[test]
fn each_has_a_runbook_and_each_runbook_an_alert() -> Result<()> {
    let headings = RUNBOOKS.lines().filter_map(|line| line.strip_prefix("## "));
    let mut headings: BTreeSet<&str> = headings.collect();
    for alert in alerts()? {
        let name = alert["alert"].as_str().context("no name")?;
        ensure!(headings.remove(name), "docs/runbooks.md has no ## {name}");
        let (_, section) = RUNBOOKS
            .split_once(&format!("## {name}\n"))
            .context("none")?;
        let section = section.split("\n## ").next().unwrap_or_default();
        ensure!(section.contains("```sh\n"), "{name}: nothing to type");
        let anchor = format!("docs/runbooks.md#{}", name.to_lowercase());
        let url = &alert["annotations"]["runbook_url"];
        ensure!(*url == anchor.as_str(), "{name}: {url}");
        for key in ["summary", "description"] {
            ensure!(alert["annotations"][key].is_string(), "{name}: no {key}");
        }
        let severity = alert["labels"]["severity"].as_str().unwrap_or_default();
        ensure!(
            ["warning", "critical"].contains(&severity),
            "{name}: {severity}"
        );
    }
    ensure!(headings.is_empty(), "no alert is called {headings:?}");
    Ok(())
}

fn rules() -> Result<Value> {
    let all = objects(
        Tool::Helm4,
        NEWEST,
        &set(&["metrics.prometheusRule.enabled=true"]),
    )?;
    let mut rules = all
        .into_iter()
        .filter(|object| object["kind"] == "PrometheusRule");
    rules.next().context("no PrometheusRule")
}

fn alerts() -> Result<Vec<Value>> {
    let rules = rules()?;
    let groups = rules["spec"]["groups"].as_array().context("no groups")?;
    let alerts = groups.iter().filter_map(|group| group["rules"].as_array());
    let alerts: Vec<Value> = alerts.flatten().cloned().collect();
    ensure!(alerts.len() > 10, "{} alerts", alerts.len());
    Ok(alerts)
}

fn run(directory: &Path, args: &[&str]) -> Result<String> {
    let output = Command::new(promtool()?)
        .args(args)
        .current_dir(directory)
        .output()?;
    let words = [output.stdout, output.stderr].concat();
    let words = String::from_utf8_lossy(&words).into_owned();
    ensure!(output.status.success(), "promtool {args:?}: {words}");
    Ok(words)
}
