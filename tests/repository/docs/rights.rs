//! The table of rights in docs/security.md, generated from the chart's rules and the comments above them.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Result, ensure};
use serde_json::Value;

use super::pages::{CHART, ROOT, fresh};

#[test]
fn the_table_of_rights_is_what_the_chart_grants() -> Result<()> {
    let mut table = "| group | resources | verbs | why |\n|---|---|---|---|\n".to_owned();
    let mut rows = 0;
    for file in [
        "rules.yaml",
        "consumer-rules.yaml",
        "restart-rules.yaml",
        "class-rules.yaml",
        "lease-rules.yaml",
        "policy-rules.yaml",
        "metrics-rules.yaml",
    ] {
        for (reason, rule) in rules(file)? {
            let list = |key: &str| -> Vec<&str> {
                let all = rule[key].as_array().into_iter().flatten();
                all.filter_map(Value::as_str).collect()
            };
            let group = list("apiGroups").join(", ");
            let group = if group.is_empty() { "core" } else { &group };
            let named = match rule.get("resourceNames") {
                Some(_) if file == "policy-rules.yaml" => ", by the policies' names",
                Some(_) => ", by the lease's name",
                None => "",
            };
            writeln!(
                table,
                "| `{group}` | `{}` | {}{named} | {reason} |",
                list("resources").join("`, `"),
                list("verbs").join(", ")
            )?;
            rows += 1;
        }
    }
    ensure!(rows == 14, "the rules are found: {rows}");
    fresh("docs/security.md", "rights", &table)
}

/// Each rule with the comment above it.
fn rules(file: &str) -> Result<Vec<(String, Value)>> {
    let text = fs::read_to_string(Path::new(ROOT).join(CHART).join("files").join(file))?;
    let rules: Vec<Value> = serde_saphyr::from_str(&text)?;
    let mut reasons = Vec::new();
    let mut reason: Vec<&str> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("# ") {
            Some(words) => reason.push(words),
            // An empty line follows the comment of the file itself.
            None if line.is_empty() => reason.clear(),
            None if line.starts_with("- ") => reasons.push(std::mem::take(&mut reason).join(" ")),
            None => {}
        }
    }
    ensure!(reasons.len() == rules.len(), "{file}: {reasons:?}");
    let empty = reasons.iter().find(|reason| reason.is_empty());
    ensure!(empty.is_none(), "{file}: a rule without a reason");
    Ok(reasons.into_iter().zip(rules).collect())
}
