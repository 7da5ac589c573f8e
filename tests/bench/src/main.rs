//! `cargo bench-cluster`: measures the operator on a real control plane, against a bare client that
//! sends the requests of a perfect run to the same API server in the same run.
#![cfg_attr(
    test,
    allow(
        clippy::expect_used,
        clippy::indexing_slicing,
        reason = "a test fails by panicking"
    )
)]

mod args;
mod bare;
mod bursts;
mod counting;
mod fairness;
mod figure;
mod load;
mod measure;
mod objects;
mod operator;
mod ours;
mod pairs;
mod process;
mod progress;
mod requests;
mod rest;
mod sightings;
mod size;
mod slopes;
mod space;
mod stage;
mod stats;
mod table;
mod unrelated;

use std::{ffi::OsString, process::ExitCode};

use anyhow::Result;
use clap::Parser;

use args::Args;

fn main() -> ExitCode {
    // The alias ends with `--`, so that `cargo bench-cluster -- --document` works as well.
    let mut words: Vec<OsString> = std::env::args_os().collect();
    if words.get(1).is_some_and(|first| first == "--") {
        words.remove(1);
    }
    match run(&Args::parse_from(words).settled()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-cluster: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(args: &Args) -> Result<()> {
    let program = args.operator.clone().map_or_else(operator::build, Ok)?;
    let mut figures = Vec::new();
    for size in &args.sizes {
        figures.extend(size::measure(args, &program, *size).await?);
    }
    figures.extend(slopes::slopes(&figures));
    println!("{}", table::table(&figures));
    Ok(())
}
