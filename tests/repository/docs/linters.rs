//! The table of kube-score's findings in docs/security.md, generated from the exceptions of the test that runs it.

use std::fmt::Write as _;

use anyhow::Result;

use super::pages::fresh;
use crate::chart::checks::EXCEPTIONS;

#[test]
fn the_table_of_findings_is_that_of_the_test() -> Result<()> {
    let mut table = "| check | asks for | why the chart differs |\n|---|---|---|\n".to_owned();
    for (id, wanted, reason) in EXCEPTIONS {
        writeln!(table, "| `{id}` | {wanted} | {reason} |")?;
    }
    fresh("docs/security.md", "kube-score", &table)
}
