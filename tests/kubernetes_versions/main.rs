//! The suites of `api_server` on each minor version of Kubernetes from the oldest that the chart admits to the current
//! one. Each version is built from the newest patch of its Go module, which takes a quarter of an hour once.
//! `cargo kubernetes-versions` runs all, and `cargo kubernetes-versions 1.34` these; with `UPDATE_DOCS=1` the rows of
//! docs/install.md are replaced.

#[allow(
    dead_code,
    unused_imports,
    reason = "`cargo reliability` uses the rest, and runs its tests"
)]
#[path = "../tools/test_report/src/outcome.rs"]
mod outcome;
mod run;
mod table;

use std::process::ExitCode;

use anyhow::{Context, Result};
use cluster::binaries::Release;
use table::Row;

fn main() -> Result<ExitCode> {
    let mut rows = Vec::new();
    for minor in wanted()? {
        // A version that cannot be built has a row with the reason.
        let row = run::on(minor)
            .unwrap_or_else(|error| Row::not_run(minor, &format!("not run: {error:#}")));
        eprint!("{}", table::rendered(std::slice::from_ref(&row)));
        // Each row is written at once: a later version may take an hour.
        table::update(&row)?;
        rows.push(row);
    }
    eprint!("{}", table::rendered(&rows));
    let has_failed = rows.iter().any(Row::has_failed);
    Ok(ExitCode::from(if has_failed { 101 } else { 0 }))
}

/// The minor versions of the command line, or all.
fn wanted() -> Result<Vec<u32>> {
    let named = std::env::args().skip(1).map(|name| {
        let minor = name.strip_prefix("1.").and_then(|minor| minor.parse().ok());
        minor.with_context(|| format!("{name:?} is no minor version such as 1.34"))
    });
    let named: Vec<u32> = named.collect::<Result<_>>()?;
    if named.is_empty() {
        return Ok((Release::Floor.minor()?..=Release::Current.minor()?).collect());
    }
    Ok(named)
}
