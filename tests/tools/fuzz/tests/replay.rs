//! Every input of the corpus, and mutations of them, without instrumentation, so that no earlier finding is lost.

use std::panic::catch_unwind;

use anyhow::{Result, ensure};
use fuzz::{
    TARGETS, Target,
    corpus::{self, Corpus},
    mutate::Mutations,
};

use crate::report;

/// Sets the seed, to repeat a run.
const SEED: &str = "FUZZ_SEED";

#[test]
fn every_input_of_the_corpus_keeps_the_promise() -> Result<()> {
    for target in &TARGETS {
        let inputs = Corpus::of(target)?.all();
        ensure!(inputs.len() >= 8, "{} has a corpus", target.name);
        let survived = inputs.iter().filter(|input| survives(target, input));
        let survived = survived.count();
        let test = format!("fuzz::{} corpus", target.name);
        report::tried(&test, inputs.len(), survived, target.promise);
        ensure!(survived == inputs.len(), "{} is broken", target.name);
    }
    Ok(())
}

#[test]
fn mutations_of_the_corpus_keep_the_promise() -> Result<()> {
    let chosen = std::env::var(SEED).ok().map(|seed| seed.parse());
    let seed = chosen.transpose()?.unwrap_or_else(|| fastrand::u64(..));
    std::thread::scope(|scope| {
        let trials = TARGETS
            .each_ref()
            .map(|target| scope.spawn(move || mutated(target, seed)));
        trials.into_iter().try_for_each(|trial| {
            let outcome = trial.join();
            outcome.unwrap_or_else(|_| Err(anyhow::anyhow!("a trial ended early")))
        })
    })
}

#[test]
fn the_corpus_is_small_and_each_of_its_files_is_of_a_target() -> Result<()> {
    let mut size = 0;
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus"))? {
        let entry = entry?;
        let name = entry.file_name().into_string().unwrap_or_default();
        ensure!(fuzz::target(&name).is_some(), "{name} is of no target");
        size += entry.metadata()?.len();
    }
    ensure!(size <= 300 * 1024, "the corpus has {size} bytes");
    Ok(())
}

#[test]
fn a_line_of_a_corpus_is_the_input_that_was_written_there() -> Result<()> {
    let all: Vec<u8> = (0..=255).collect();
    for input in [
        b"# no comment".as_slice(),
        b"\\x23",
        b"'\"\t|",
        all.as_slice(),
    ] {
        let line = corpus::line(input);
        ensure!(
            !line.starts_with('#') && line.lines().count() == 1,
            "{line}"
        );
        ensure!(
            corpus::unescaped(line.trim_end_matches('\n'))? == input,
            "{line}"
        );
    }
    Ok(())
}

fn mutated(target: &Target, seed: u64) -> Result<()> {
    let inputs = Corpus::of(target)?.all();
    let count = match (target.name, report::thorough()) {
        // A story costs a thousand times as much as the check of a region, and a reply passes a socket.
        ("world", false) => 200,
        ("sts_reply" | "custom_resource", false) => 1_000,
        (_, false) | ("world", true) => 5_000,
        (_, true) => 100_000,
    };
    let mutations = Mutations::new(seed, &inputs, target.longest).take(count);
    let survived = mutations.filter(|input| survives(target, input)).count();
    let test = format!("fuzz::{} mutations", target.name);
    report::tried(
        &test,
        count,
        survived,
        &format!("{}; {SEED}={seed}", target.promise),
    );
    ensure!(
        survived == count,
        "{} is broken; {SEED}={seed}",
        target.name
    );
    Ok(())
}

fn survives(target: &Target, input: &[u8]) -> bool {
    let survived = catch_unwind(|| target.run(input)).is_ok();
    if !survived {
        eprint!("{} is broken by {}", target.name, corpus::line(input));
    }
    survived
}
