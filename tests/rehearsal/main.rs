//! A rehearsal of a release on this machine: the commands of the job `publish` in .github/workflows/release.yaml,
//! against crane's registry on 127.0.0.1 and with a key pair in the place of the workflow's identity; the commands of
//! docs/verify.md; the published chart on a node; and images that verification must refuse. docs/release.md lists what
//! differs from a release, and what is not rehearsed. `cargo rehearsal` runs the program; with `UPDATE_DOCS=1` the
//! program also writes its log into that page.
#![allow(
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and a key that a JSON value lacks reads as null"
)]

mod install;
mod log;
#[path = "../support/marked.rs"]
mod marked;
mod publish;
mod refuse;
#[path = "../support/registry.rs"]
mod registry;
#[path = "../support/suite.rs"]
mod suite;
mod terminal;
mod verify;
mod workflow;

use std::process::ExitCode;

use anyhow::Result;
use futures::FutureExt;
use suite::{Program, Suite};

/// The published release, which all tests share.
pub type TestCluster = publish::Release;

/// The version of the release.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The name of program, image, chart and Deployment.
pub const NAME: &str = "static-aws-credentials";

fn main() -> Result<ExitCode> {
    let mut program = Program::from_args()?;
    program.run(Suite {
        name: "rehearsal",
        // The order of the tests is that of the log; the last test changes the registry.
        threads: 1,
        start: || TestCluster::publish().boxed_local(),
        run: |release, test| test(release),
        last: Some(("log::is_written", |release, passed| {
            release.terminal.log().written(passed)
        })),
        tests: vec![verify::tests(), install::tests(), refuse::tests()],
    });
    Ok(program.exit_code())
}
