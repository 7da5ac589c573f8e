//! `cargo reliability`: runs the tests that prove the guarantee, and prints the attempts of each
//! and how many succeeded. With `--all` it runs the long form of each, up to an hour.

mod inventory;
mod outcome;
mod table;

use std::{
    fs,
    io::{BufRead, BufReader, Write, stdout},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context, Result, bail};
use clap::Parser;

use outcome::Outcomes;

/// Shows the promise kept: a pair that was not proven never reaches a pod, and a pair that was
/// proven is never taken away by accident.
#[derive(Parser)]
#[command(name = "cargo reliability")]
struct Args {
    /// The long form of every test, up to an hour.
    #[arg(long)]
    all: bool,
    /// Runs nothing: reads what `cargo test` printed into this file, with `RELIABILITY_REPORT` set
    /// to the file beside it that ends in `.tsv`.
    #[arg(long, value_name = "FILE", conflicts_with = "all")]
    from: Option<PathBuf>,
}

/// Test programs of the operator's package with suites that cover a line of the inventory.
const PROGRAMS: [&str; 5] = ["decide", "components", "repository", "api_server", "e2e"];

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("reliability: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<bool> {
    let (printed, report) = match &args.from {
        Some(printed) => {
            let text = fs::read_to_string(printed);
            let text = text.with_context(|| format!("cannot read {}", printed.display()))?;
            (
                text,
                fs::read_to_string(printed.with_extension("tsv")).unwrap_or_default(),
            )
        }
        None => run_tests(args.all)?,
    };
    let outcomes = Outcomes::read(&printed, &report)?;
    table::print(&outcomes)?;
    let missing = inventory::missing(&outcomes);
    for number in &missing {
        println!("{number}: no test of this number passed");
    }
    let failed = outcomes.failed();
    for name in &failed {
        println!("{name}: failed or was skipped");
    }
    Ok(missing.is_empty() && failed.is_empty())
}

/// Runs the programs, and returns their output and their reports.
fn run_tests(all: bool) -> Result<(String, String)> {
    let report = Path::new("target/reliability.tsv");
    fs::create_dir_all("target")?;
    fs::write(report, "")?;
    let mut printed = String::new();
    let mut programs = Vec::new();
    for program in PROGRAMS {
        // Searches take an hour unless they are optimized.
        if all && program == "decide" {
            printed += &cargo(&["--profile", "search", "--test", program], report, all)?;
        } else {
            programs.extend(["--test", program]);
        }
    }
    printed += &cargo(&programs, report, all)?;
    printed += &cargo(&["--package", "fuzz"], report, all)?;
    Ok((printed, fs::read_to_string(report)?))
}

/// Runs `cargo test`, and prints its output while it runs. The output shows a failure too.
fn cargo(arguments: &[&str], report: &Path, all: bool) -> Result<String> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["test", "--locked", "--no-fail-fast"])
        .args(arguments);
    command.env("RELIABILITY_REPORT", std::path::absolute(report)?);
    if all {
        command.env("THOROUGH", "1");
    }
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run cargo")?;
    let output = child.stdout.take().context("cargo has no output")?;
    let mut printed = String::new();
    for line in BufReader::new(output).lines() {
        let line = line?;
        writeln!(stdout(), "{line}")?;
        printed += &line;
        printed.push('\n');
    }
    let ended = child.wait()?;
    if !ended.success() && !printed.contains("test result: FAILED") {
        bail!("cargo test {}: {ended}", arguments.join(" "));
    }
    Ok(printed)
}
