//! Runs the program, and checks on every run that the output has no key material.

use std::{process::Stdio, time::Duration};

use anyhow::{Context, Result, ensure};
use cluster::leak_check::{self, SHORTEST};
use tokio::{io::AsyncWriteExt, process::Command};

use crate::check::test_cluster::PAIR;

/// Far more than any run takes: a longer run is an endless loop.
const PATIENCE: Duration = Duration::from_mins(2);

/// Result of a run.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A command line to run.
pub struct Program {
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    input: Vec<u8>,
    canaries: Vec<String>,
}

/// `check` with these flags.
pub fn check<T: AsRef<str>>(flags: impl IntoIterator<Item = T>) -> Program {
    program("check", flags)
}

/// A subcommand with these flags.
pub fn program<T: AsRef<str>>(name: &str, flags: impl IntoIterator<Item = T>) -> Program {
    let flags = flags.into_iter().map(|flag| flag.as_ref().to_owned());
    Program {
        arguments: [name.to_owned()].into_iter().chain(flags).collect(),
        environment: vec![("KUBECONFIG".to_owned(), "/nowhere".to_owned())],
        input: Vec::new(),
        canaries: vec![PAIR.0.to_owned(), PAIR.1.to_owned()],
    }
}

impl Program {
    /// Sets the standard input.
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a value that must not occur in the output.
    pub fn canary(mut self, value: &str) -> Self {
        self.canaries.push(value.to_owned());
        self
    }

    pub async fn run(self) -> Result<Run> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_static-aws-credentials"))
            .args(&self.arguments)
            .envs(self.environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut stdin = child.stdin.take().context("no standard input")?;
        let input = self.input;
        let feed = tokio::spawn(async move {
            // The program may end before it has read all input.
            let _ = stdin.write_all(&input).await;
        });
        let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await??;
        feed.abort();
        let run = Run {
            code: output.status.code().context("it was killed")?,
            out: String::from_utf8(output.stdout)?,
            err: String::from_utf8(output.stderr)?,
        };
        ensure!(!run.err.contains("panicked"), "{}", run.err);
        for form in self.canaries.iter().flat_map(|value| forms(value)) {
            for text in [&run.out, &run.err] {
                ensure!(!text.contains(&form), "{form} stands in {text}");
            }
        }
        Ok(run)
    }

    /// Runs the program, and expects this exit code and this standard output.
    pub async fn prints(self, code: i32, out: &str) -> Result<()> {
        let arguments = self.arguments.join(" ");
        let run = self.run().await?;
        let actual = (run.code, run.out.as_str(), run.err.as_str());
        ensure!(
            actual == (code, out, ""),
            "{arguments}\n{}\nexpected {code}:\n{out}",
            run.output()
        );
        Ok(())
    }

    /// Runs the program, and expects exactly one error with these words.
    pub async fn fails_with(self, words: &str) -> Result<()> {
        let arguments = self.arguments.join(" ");
        let run = self.run().await?;
        let errors = run
            .err
            .lines()
            .filter(|line| line.contains("error: "))
            .count();
        ensure!(
            run.code == 3 && run.out.is_empty() && errors == 1 && run.err.contains(words),
            "{arguments}\n{}\nexpected 3: {words}",
            run.output()
        );
        Ok(())
    }
}

impl Run {
    /// The whole result, for error messages.
    pub fn output(&self) -> String {
        format!("{}:\n{}{}", self.code, self.out, self.err)
    }

    /// The verdict as JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_str(&self.out).with_context(|| self.output())
    }
}

/// A value in every form in which it could leak, including its beginning and its end.
fn forms(value: &str) -> Vec<String> {
    if value.len() < SHORTEST {
        return Vec::new();
    }
    let part = value.chars().take(SHORTEST).collect();
    let tail = value.chars().skip(value.chars().count() - SHORTEST);
    let whole = leak_check::forms(value.as_bytes());
    whole.into_iter().chain([part, tail.collect()]).collect()
}
