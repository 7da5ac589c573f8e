//! The suites on one version.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};
use cluster::binaries::{self, Binary, Release};

use crate::{
    outcome::Outcomes,
    table::{Row, SUITES, Suite},
};

/// The outputs of the runs, for whoever looks for the reason of a failure.
const OUTPUTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/kubernetes-versions");

/// Builds a version if necessary, and runs the suites on it.
pub fn on(minor: u32) -> Result<Row> {
    let release = Release::of_minor(minor)?;
    let version = release.version()?;
    let programs = [Binary::KubeApiserver, Binary::KubeControllerManager];
    binaries::find_of(release, &programs).with_context(|| version.clone())?;
    let outcomes = suites_ran(&version)?;
    let suites = SUITES.map(|(name, _)| suite(&outcomes, name));
    Ok(Row {
        minor,
        version,
        suites: suites.into(),
        initial_lists: reported(&outcomes, "initial_lists").into_iter().next(),
        left_out: reported(&outcomes, "left_out").into_iter().collect(),
    })
}

fn suites_ran(version: &str) -> Result<Outcomes> {
    let outputs = Path::new(OUTPUTS);
    fs::create_dir_all(outputs)?;
    let (log, report) = (
        outputs.join(format!("{version}.log")),
        outputs.join(format!("{version}.tsv")),
    );
    fs::write(&report, "")?;
    let mut cargo = Command::new("cargo");
    cargo
        .args(["test", "--locked", "--test", "api_server"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("KUBERNETES_RELEASE", version)
        .env("RELIABILITY_REPORT", &report)
        .stdout(Stdio::piped());
    // A dependency is built again when one of these differs from the last build.
    for (name, _) in std::env::vars().filter(|(name, _)| is_of_this_package(name)) {
        cargo.env_remove(name);
    }
    let mut program = cargo.spawn().context("cannot start cargo")?;
    let mut file = fs::File::create(&log)?;
    let output = program.stdout.take().context("no output")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        eprintln!("{line}");
        writeln!(file, "{line}")?;
    }
    // A test that failed is in the output.
    program.wait()?;
    Outcomes::read(&fs::read_to_string(&log)?, &fs::read_to_string(&report)?)
}

/// Whether cargo has set the variable for this program.
fn is_of_this_package(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

fn suite(outcomes: &Outcomes, name: &str) -> Suite {
    let prefix = format!("{name}::");
    let mut suite = Suite::default();
    for (test, outcome) in &outcomes.0 {
        if test.starts_with(&prefix) {
            suite.tests += 1;
            if !outcome.passed {
                suite.failed.push(test.clone());
            }
        }
    }
    suite
}

/// The subjects under a name, each once.
fn reported(outcomes: &Outcomes, name: &str) -> BTreeSet<String> {
    let outcome = outcomes.0.get(name).into_iter();
    let tried = outcome.flat_map(|outcome| &outcome.tried);
    tried.map(|(_, _, what)| what.clone()).collect()
}
