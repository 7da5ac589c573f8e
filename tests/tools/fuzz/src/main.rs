//! `cargo fuzz-targets`: runs all targets or those that are named, guided by coverage, for a given time.

use std::{process::ExitCode, time::Instant};

use anyhow::{Context as _, Result};
use clap::Parser;
use fuzz::{
    TARGETS, Target,
    corpus::{self, Corpus},
    engine::{Engine, Limit, gathered},
    target,
};

/// Runs the fuzz targets under libFuzzer and prints what each tried.
#[derive(Parser)]
struct Args {
    /// Targets; by default all of them.
    names: Vec<String>,
    /// Minutes in all, shared evenly.
    #[arg(long, default_value_t = 10, conflicts_with = "runs")]
    minutes: u64,
    /// Executions of each target, instead of minutes.
    #[arg(long)]
    runs: Option<u64>,
    /// The seed, to repeat a run.
    #[arg(long)]
    seed: Option<u32>,
    /// Writes the inputs that were found, minimised, to the corpus in the repository.
    #[arg(long)]
    keep: bool,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let named = |name: &String| target(name).with_context(|| format!("there is no target {name}"));
    let mut targets = args.names.iter().map(named).collect::<Result<Vec<_>>>()?;
    if targets.is_empty() {
        targets = TARGETS.iter().collect();
    }
    let limit = args.runs.map_or_else(
        || Limit::Seconds(args.minutes * 60 / targets.len() as u64),
        Limit::Runs,
    );
    // libFuzzer takes 0 for no seed.
    let seed = args.seed.unwrap_or_else(|| fastrand::u32(1..));
    let engine = Engine::build()?;
    println!("seed {seed}");
    println!("target           executions    edges   kept  seconds");
    let mut broken = false;
    for target in targets {
        broken |= !shown(&engine, target, limit, seed)?;
        if args.keep {
            keep(&engine, target)?;
        }
    }
    Ok(ExitCode::from(u8::from(broken)))
}

/// Whether the promise was kept.
fn shown(engine: &Engine, target: &Target, limit: Limit, seed: u32) -> Result<bool> {
    let directory = gathered(target);
    corpus::unpack(&Corpus::of(target)?.all(), &directory)?;
    let start = Instant::now();
    let outcome = engine.run(target, &directory, limit, seed)?;
    println!(
        "{:15} {:11} {:8} {:6} {:8}",
        target.name,
        outcome.executions,
        outcome.edges,
        outcome.kept,
        start.elapsed().as_secs()
    );
    let Some((input, message)) = outcome.broken else {
        return Ok(true);
    };
    println!("  broken: {}", target.promise);
    println!(
        "  by this line, for tests/tools/fuzz/corpus/{}:",
        target.name
    );
    println!("{}{message}", corpus::line(&input));
    Ok(false)
}

fn keep(engine: &Engine, target: &Target) -> Result<()> {
    let written = Corpus::of(target)?.written;
    let found = engine.minimised(target, &gathered(target))?;
    Corpus { written, found }.keep(target)
}
