//! The helm-unittest suites in the chart's `tests`, which must set every value.

use std::fs;

use anyhow::{Result, ensure};
use cluster::tools::Tool;
use serde_json::Value;

use super::{
    readme::leaves,
    render::{CHART, run},
};

#[test]
fn every_unit_test_passes() -> Result<()> {
    let (said, complaints, good) = run(Tool::HelmUnittest, &["--color=false", CHART])?;
    ensure!(good && said.contains(" passed"), "{said}{complaints}");
    Ok(())
}

#[test]
fn every_value_is_set_by_a_unit_test() -> Result<()> {
    let mut set = Vec::new();
    for entry in fs::read_dir(format!("{CHART}/tests"))? {
        let path = entry?.path();
        if path.is_dir() {
            // The directory of snapshots that helm-unittest creates.
            continue;
        }
        let suites: Vec<Value> = serde_saphyr::from_multiple(&fs::read_to_string(&path)?)?;
        let tests = suites.iter().filter_map(|suite| suite["tests"].as_array());
        for test in tests.flatten() {
            for (key, value) in test["set"].as_object().into_iter().flatten() {
                collect(key, value, &mut set);
            }
        }
    }
    ensure!(set.len() > 20, "the suites are found");
    let names = |one: &str, other: &str| {
        one.strip_prefix(other)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    for leaf in leaves()? {
        let is_set = set.iter().any(|path| names(path, &leaf.path));
        ensure!(
            is_set,
            "no test in charts/static-aws-credentials/tests sets {}",
            leaf.path
        );
    }
    Ok(())
}

fn collect(path: &str, value: &Value, set: &mut Vec<String>) {
    set.push(path.to_owned());
    for (key, value) in value.as_object().into_iter().flatten() {
        collect(&format!("{path}.{key}"), value, set);
    }
}
