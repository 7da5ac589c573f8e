//! What Artifact Hub shows of the chart: the changes of its version, which are those of the changelog, and its publisher.

use std::{fmt::Write as _, path::Path};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::pages::{CHART, changelog, page, parsed, text, written};

const PUBLISHER: &str = "charts/artifacthub-repo.yaml";
/// The last annotation of the chart.
const BEGIN: &str = "  artifacthub.io/changes: |\n";

#[test]
fn the_changes_of_the_chart_are_those_of_the_changelog() -> Result<()> {
    let file = Path::new(CHART).join("Chart.yaml");
    let changes = changes(&changelog()?.text, env!("CARGO_PKG_VERSION"))?;
    let chart = page(file.clone())?.text;
    let (before, after) = chart.split_once(BEGIN).context("no changes")?;
    let is_last = after.lines().all(|line| line.starts_with("    "));
    ensure!(is_last, "the changes are not at the end of the chart");
    let mut renewed = format!("{before}{BEGIN}");
    for (kind, description) in &changes {
        let description = Value::from(description.as_str());
        writeln!(
            renewed,
            "    - kind: {kind}\n      description: {description}"
        )?;
    }
    written(&file.display().to_string(), &renewed)?;

    let annotations = &parsed(&file)?["annotations"];
    let has_fix = changes.iter().any(|(kind, _)| kind == "security");
    let annotation = text(&annotations["artifacthub.io/containsSecurityUpdates"]);
    ensure!(annotation == has_fix.to_string(), "{annotation}");
    Ok(())
}

#[test]
fn a_change_has_the_kind_of_its_heading_and_is_one_line() -> Result<()> {
    let log = "# Changelog\n\n## 0.2.0 (unreleased)\n\n### Fixed\n\n- One\n  bug.\n- Another.\n\n### Security\n\n- A leak.\n\n\
        ## 0.1.0 (2027-01-31)\n\n### Added\n\n- All.\n";
    let found = changes(log, "0.2.0")?;
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|(kind, description)| (kind.as_str(), description.as_str()))
        .collect();
    let expected = [
        ("fixed", "One bug."),
        ("fixed", "Another."),
        ("security", "A leak."),
    ];
    ensure!(found == expected, "{found:?}");
    ensure!(changes(log, "0.3.0").is_err());
    ensure!(changes("## 1.0.0 (x)\n\n### Improved\n\n- It.\n", "1.0.0").is_err());
    Ok(())
}

/// Artifact Hub ignores a file that it cannot read.
#[test]
fn artifact_hub_can_read_who_publishes_the_chart() -> Result<()> {
    let publisher = parsed(Path::new(PUBLISHER))?;
    let fields = publisher.as_object().context("an empty file is refused")?;
    for (name, value) in fields {
        let is_known = match name.as_str() {
            "repositoryID" => value
                .as_str()
                .is_some_and(|id| uuid::Uuid::parse_str(id).is_ok()),
            "owners" => value.as_array().is_some_and(|owners| {
                let keys = ["name", "email"];
                owners
                    .iter()
                    .all(|owner| keys.iter().all(|key| owner[key].is_string()))
            }),
            _ => false,
        };
        ensure!(is_known, "{name}: {value}");
    }
    let workflow = page(".github/workflows/release.yaml".into())?.text;
    ensure!(workflow.contains(PUBLISHER), "no release has {PUBLISHER}");
    Ok(())
}

/// The changes of a version: the kind, as Artifact Hub names it, and the text.
fn changes(changelog: &str, version: &str) -> Result<Vec<(String, String)>> {
    const KINDS: [&str; 6] = [
        "added",
        "changed",
        "deprecated",
        "removed",
        "fixed",
        "security",
    ];
    let start = format!("\n## {version} (");
    let changelog = format!("\n{changelog}");
    let entry = changelog.split_once(&start);
    let (_, entry) = entry.with_context(|| format!("no entry of {version}"))?;
    let entry = entry.split("\n## ").next().unwrap_or_default();
    let mut changes = Vec::new();
    for section in entry.split("\n### ").skip(1) {
        let (heading, list) = section.split_once('\n').context("an empty section")?;
        let kind = heading.trim().to_lowercase();
        ensure!(
            KINDS.contains(&kind.as_str()),
            "{heading:?} is no kind of change"
        );
        for change in format!("\n{list}").split("\n- ").skip(1) {
            let words: Vec<&str> = change.split_whitespace().collect();
            changes.push((kind.clone(), words.join(" ")));
        }
    }
    ensure!(!changes.is_empty(), "{version} has no change");
    Ok(changes)
}
