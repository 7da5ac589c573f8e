//! The results of several attempts.

use anyhow::{Result, ensure};

use crate::report;

/// Reports the number of attempts and of those that passed, and fails with the errors of the others.
pub fn all_survived(test: &str, ends: &[Result<()>], what: &str) -> Result<()> {
    let failures: Vec<String> = ends
        .iter()
        .filter_map(|end| Some(format!("{:#}", end.as_ref().err()?)))
        .collect();
    report::tried(test, ends.len(), ends.len() - failures.len(), what);
    ensure!(failures.is_empty(), "{what}\n{}", failures.join("\n"));
    Ok(())
}

/// Reports `tried` attempts that all passed, as the test has asserted.
pub fn survived(test: &str, tried: usize, what: &str) {
    report::tried(test, tried, tried, what);
}
