//! Builds the engine and runs one target at a time.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

use crate::{TARGET_VARIABLE, Target, corpus, mutate};

/// The end of a run.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// After this number of executions.
    Runs(u64),
    /// After this number of seconds.
    Seconds(u64),
}

/// The built engine, and its dictionary.
pub struct Engine {
    program: PathBuf,
    dictionary: PathBuf,
}

/// The result of a run.
#[derive(Debug)]
pub struct Outcome {
    /// The number of inputs that were tried.
    pub executions: u64,
    /// The number of instrumented branches that any of them took.
    pub edges: u64,
    /// The number of inputs in the directory after the run.
    pub kept: usize,
    /// The input that broke the promise, and the message of the panic.
    pub broken: Option<(Vec<u8>, String)>,
}

impl Engine {
    /// Builds the engine, in a target directory of its own, since every crate is built again for it.
    ///
    /// # Errors
    /// If there is no C++ compiler, or the targets do not compile.
    pub fn build() -> Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let directory = workspace().join("target/fuzz");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .current_dir(workspace())
            .env("RUSTC_WRAPPER", here.join("instrument"))
            .args([
                "build",
                "--quiet",
                "--locked",
                "--profile=fuzz",
                "--package=fuzz",
            ])
            .args(["--features=engine", "--bin=engine", "--target-dir"])
            .arg(&directory)
            .status()
            .context("cannot run cargo")?;
        ensure!(
            status.success(),
            "the engine cannot be built: cargo says why above; a C++ compiler (g++) and 1 GiB of disk are needed"
        );
        let dictionary = directory.join("dictionary");
        fs::write(&dictionary, mutate::dictionary())?;
        Ok(Self {
            program: directory.join("fuzz/engine"),
            dictionary,
        })
    }

    /// Runs a target from the inputs of a directory, and adds those that it finds.
    ///
    /// # Errors
    /// If the engine does not run; a broken promise is an outcome.
    pub fn run(
        &self,
        target: &Target,
        directory: &Path,
        limit: Limit,
        seed: u32,
    ) -> Result<Outcome> {
        let crash = tempfile::tempdir()?;
        let limit = match limit {
            Limit::Runs(count) => format!("-runs={count}"),
            Limit::Seconds(seconds) => format!("-max_total_time={seconds}"),
        };
        let output = self
            .command(target)
            .args([limit, format!("-seed={seed}"), prefix(crash.path())])
            .args(["-print_final_stats=1", "-timeout=60", "-rss_limit_mb=2048"])
            .arg(directory)
            .output()?;
        let log = String::from_utf8_lossy(&output.stderr);
        let executions = number(&log, "stat::number_of_executed_units:");
        let broken = corpus::pack(crash.path())?.into_iter().next();
        ensure!(
            output.status.success() != broken.is_some(),
            "{} ended without a reason:\n{log}",
            target.name
        );
        Ok(Outcome {
            executions: executions.context("libFuzzer does not say how often it ran")?,
            edges: number(&log, " cov:").unwrap_or_default(),
            kept: fs::read_dir(directory)?.count(),
            broken: broken.map(|input| (input, panic_message(&log))),
        })
    }

    /// The inputs of a directory without those that take no branch of their own.
    ///
    /// # Errors
    /// If one of them breaks the promise.
    pub fn minimised(&self, target: &Target, directory: &Path) -> Result<Vec<Vec<u8>>> {
        let fewer = tempfile::tempdir()?;
        let output = self
            .command(target)
            .arg("-merge=1")
            .args([fewer.path(), directory])
            .output()?;
        ensure!(
            output.status.success(),
            "{} cannot be minimised",
            target.name
        );
        corpus::pack(fewer.path())
    }

    fn command(&self, target: &Target) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env(TARGET_VARIABLE, target.name)
            .arg(format!("-dict={}", self.dictionary.display()))
            .arg(format!("-max_len={}", target.longest));
        command
    }
}

/// The directory for the inputs of long runs.
#[must_use]
pub fn gathered(target: &Target) -> PathBuf {
    workspace().join("target/fuzz/corpus").join(target.name)
}

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.."))
}

fn prefix(directory: &Path) -> String {
    format!("-artifact_prefix={}/", directory.display())
}

/// The last number behind a label.
fn number(log: &str, label: &str) -> Option<u64> {
    let (_, rest) = log.rsplit_once(label)?;
    rest.split_whitespace().next()?.parse().ok()
}

/// The lines of the panic, without libFuzzer's.
fn panic_message(log: &str) -> String {
    let from = log.find("panicked at").unwrap_or_default();
    let lines = log[from..].lines().take(12);
    lines.collect::<Vec<_>>().join("\n")
}
