//! The table of the versions of Kubernetes, whose rows are results of `cargo kubernetes-versions`.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use cluster::binaries::Release;

use super::pages::ROOT;

#[test]
fn each_supported_version_of_kubernetes_has_a_row_without_a_failure() -> Result<()> {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/install.md"))?;
    let (_, rest) = page
        .split_once("<!-- kubernetes-versions: begin -->\n")
        .context("no table")?;
    let (table, _) = rest
        .split_once("<!-- kubernetes-versions: end -->")
        .context("no end")?;
    let rows: Vec<&str> = table.lines().skip(2).collect();
    let mut versions = Vec::new();
    for row in &rows {
        let version = row.split(" | ").next().unwrap_or_default();
        let mut numbers = version.trim_start_matches("| 1.").split('.');
        let minor = numbers.next().unwrap_or_default().parse::<u32>();
        versions.push(minor.with_context(|| (*row).to_owned())?);
        ensure!(!row.contains("failed: "), "{row}");
    }
    let supported: Vec<u32> = (Release::Floor.minor()?..=Release::Current.minor()?).collect();
    ensure!(versions == supported, "rows of {versions:?}");
    for (row, pinned) in [
        (rows.first(), Release::Floor),
        (rows.last(), Release::Current),
    ] {
        let version = format!("| {} | ", pinned.version()?);
        let is_pinned = row.is_some_and(|row| row.starts_with(&version));
        ensure!(is_pinned, "no row of {version}");
    }
    Ok(())
}
