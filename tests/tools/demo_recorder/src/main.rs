//! `cargo record-demo`: runs `cargo demo` in a terminal, and writes the recording as a file of asciinema, the picture
//! of it, and the same text into the README.

mod document;
mod picture;
mod recording;
mod terminal;
mod transcript;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Result, ensure};
use clap::Parser;

use recording::Recording;
use transcript::Transcript;

/// Records `cargo demo` into docs/demo.cast, and draws docs/demo.svg.
#[derive(Debug, Parser)]
#[command(name = "cargo record-demo", bin_name = "cargo record-demo")]
struct Args {
    /// Draw the recording that the repository has, and run nothing
    #[arg(long)]
    redraw: bool,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("record-demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let root = root();
    if !args.redraw {
        let (recording, has_succeeded) = terminal::record(&root)?;
        ensure!(has_succeeded, "the demo has failed; nothing was written");
        recording.write(&root.join(document::RECORDING))?;
    }
    let recording = Recording::read(&root.join(document::RECORDING))?;
    document::write(&root, &Transcript::of(&recording)?)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}
