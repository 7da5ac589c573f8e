//! The table of values in the chart's README, generated from values.yaml.

use std::{env, fmt::Write as _, fs};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::render::CHART;

const BEGIN: &str = "<!-- values: begin -->\n";
const END: &str = "<!-- values: end -->";

/// A value that a user sets, with the comment above it.
pub struct Leaf {
    /// The keys, joined by dots.
    pub path: String,
    /// The comment above the value.
    pub comment: String,
}

#[test]
fn the_table_of_values_is_fresh() -> Result<()> {
    let path = format!("{CHART}/README.md");
    let text = fs::read_to_string(&path)?;
    let (before, rest) = text.split_once(BEGIN).context(BEGIN)?;
    let (_, after) = rest.split_once(END).context(END)?;
    let fresh = format!("{before}{BEGIN}{}{END}{after}", table()?);
    if env::var_os("UPDATE_README").is_some() {
        fs::write(&path, &fresh)?;
    }
    ensure!(
        fs::read_to_string(&path)? == fresh,
        "{path} is stale: `UPDATE_README=1 cargo test --test repository chart::readme` writes its table again"
    );
    Ok(())
}

#[test]
fn every_value_is_described() -> Result<()> {
    let leaves = leaves()?;
    ensure!(leaves.len() > 50, "the values are found");
    for leaf in &leaves {
        ensure!(
            leaf.comment.ends_with('.'),
            "{}: {}",
            leaf.path,
            leaf.comment
        );
        default(&leaf.path)?;
    }
    Ok(())
}

#[test]
fn the_values_for_namespaces_alone_are_those_that_are_tested() -> Result<()> {
    let readme = fs::read_to_string(format!("{CHART}/README.md"))?;
    let (_, rest) = readme.split_once("```yaml\n").context("an example")?;
    let (shown, _) = rest.split_once("```").context("its end")?;
    let tested = fs::read_to_string(format!("{CHART}/ci/namespaced-values.yaml"))?;
    let shown: Value = serde_saphyr::from_str(shown)?;
    let tested: Value = serde_saphyr::from_str(&tested)?;
    ensure!(shown == tested, "{shown}\n{tested}");
    Ok(())
}

/// Values with a comment above them. A value without one belongs to the value above it.
pub fn leaves() -> Result<Vec<Leaf>> {
    let text = fs::read_to_string(format!("{CHART}/values.yaml"))?;
    let (_, text) = text.split_once("\n\n").context("a first comment")?;
    let mut leaves = Vec::new();
    let mut parents: Vec<&str> = Vec::new();
    let mut comment = String::new();
    for line in text.lines() {
        let inner = line.trim_start();
        if let Some(words) = inner.strip_prefix("# ") {
            let gap = if comment.is_empty() { "" } else { " " };
            write!(comment, "{gap}{words}")?;
            continue;
        }
        let Some((key, value)) = inner.split_once(':') else {
            continue;
        };
        parents.truncate((line.len() - inner.len()) / 2);
        if comment.is_empty() {
            let above = parents.join(".");
            let of_a_leaf = leaves.iter().any(|leaf: &Leaf| leaf.path == above);
            let leads_on = value.trim().is_empty();
            ensure!(of_a_leaf || leads_on, "no comment above {above}.{key}");
        } else {
            let path = [parents.as_slice(), &[key]].concat().join(".");
            let comment = std::mem::take(&mut comment);
            leaves.push(Leaf { path, comment });
        }
        parents.push(key);
    }
    Ok(leaves)
}

fn table() -> Result<String> {
    let mut table = "| value | default | |\n|---|---|---|\n".to_owned();
    for Leaf { path, comment } in leaves()? {
        let default = default(&path)?;
        writeln!(
            table,
            "| `{path}` | `{default}` | {} |",
            comment.replace('|', "\\|")
        )?;
    }
    Ok(table)
}

fn default(path: &str) -> Result<Value> {
    let text = fs::read_to_string(format!("{CHART}/values.yaml"))?;
    let values: Value = serde_saphyr::from_str(&text)?;
    let place = format!("/{}", path.replace('.', "/"));
    values.pointer(&place).cloned().context(place)
}
