//! The `credential_process`, started like an SDK starts it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod install;
mod output;
mod patience;
mod shell;
#[path = "../../src/utc.rs"]
mod utc;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_credential-process");
const ID: &str = "AKIAQRSTUVWX23456723";
const SECRET: &str = "abcdefghijklmnopqrstuvwxyz/ABCDEFGHIJKL+";

/// The program with an empty environment, as a container may have it.
fn program(arguments: &[&str]) -> Command {
    started_as(Path::new(PROGRAM), arguments)
}

fn started_as(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.env_clear().args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

/// The content of the file that the operator writes.
fn json(id: &str, secret: &str) -> String {
    format!(r#"{{"Version":1,"AccessKeyId":"{id}","SecretAccessKey":"{secret}"}}"#)
}

/// A file in a directory that is removed after the test.
struct Mounted {
    directory: TempDir,
    file: PathBuf,
}

impl Mounted {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("credentials.json");
        Self { directory, file }
    }

    fn holding(content: &str) -> Self {
        let mounted = Self::new();
        fs::write(&mounted.file, content).unwrap();
        mounted
    }

    fn path(&self) -> &str {
        self.file.to_str().unwrap()
    }
}

/// The only line on standard error.
fn complaint(output: &Output) -> String {
    assert!(output.stdout.is_empty(), "it prints nothing where it fails");
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    for value in [ID, SECRET] {
        assert!(!text.contains(value), "{text}");
    }
    let said = text.trim_end().strip_prefix("credential-process: ");
    said.unwrap_or_else(|| panic!("{text}")).to_owned()
}
