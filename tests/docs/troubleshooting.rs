//! The README says of every reason what to do about it.

use anyhow::{Context, Result};
use static_aws_credentials::api::Reason;
use strum::VariantArray;

const README: &str = include_str!("../../README.md");
const HEADING: &str = "## Troubleshooting";

/// Rows of the table: what stands in backticks in the first column, and the second column.
fn rows() -> Result<Vec<(&'static str, &'static str)>> {
    let section = README.split_once(HEADING);
    let section = section
        .context("README.md has no section on troubleshooting")?
        .1;
    let section = section.split_once("\n## ").map_or(section, |(own, _)| own);
    let row = |line: &'static str| {
        let (reason, advice) = line.strip_prefix("| `")?.split_once("` |")?;
        Some((reason, advice.trim_end_matches('|').trim()))
    };
    Ok(section.lines().filter_map(row).collect())
}

#[test]
fn the_readme_explains_every_reason_once_in_their_order_and_no_other() -> Result<()> {
    let documented: Vec<&str> = rows()?.into_iter().map(|(reason, _)| reason).collect();
    let reasons: Vec<&str> = Reason::VARIANTS
        .iter()
        .map(|reason| reason.as_str())
        .collect();
    assert_eq!(documented, reasons);
    Ok(())
}

#[test]
fn the_readme_says_what_to_do_in_a_sentence() -> Result<()> {
    for (reason, advice) in rows()? {
        assert!(
            advice.len() > 6 && advice.ends_with(['.', '`']),
            "{reason}: {advice}"
        );
    }
    Ok(())
}
