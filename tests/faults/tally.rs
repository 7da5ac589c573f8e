//! How several attempts ended.

use anyhow::{Result, ensure};

use crate::report;

/// Reports how many there were and how many were survived, and fails with the errors of the others.
pub fn all_survived(test: &str, ends: &[Result<()>], what: &str) -> Result<()> {
    let failures: Vec<String> = ends
        .iter()
        .filter_map(|end| Some(format!("{:#}", end.as_ref().err()?)))
        .collect();
    report::tried(test, ends.len(), ends.len() - failures.len(), what);
    ensure!(failures.is_empty(), "{what}\n{}", failures.join("\n"));
    Ok(())
}

/// Reports that so many were survived, which the test has asserted of each.
pub fn survived(test: &str, tried: usize, what: &str) {
    report::tried(test, tried, tried, what);
}
