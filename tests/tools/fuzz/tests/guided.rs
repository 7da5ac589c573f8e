//! A short run of libFuzzer for each target, guided by the branches that an input takes.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::{Result, ensure};
use fuzz::{
    TARGETS, Target,
    corpus::{self, Corpus},
    engine::{Engine, Limit},
};

use crate::report;

#[test]
fn inputs_that_coverage_leads_to_keep_the_promise() -> Result<()> {
    let engine = Engine::build()?;
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(target) = TARGETS.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(error) = guided(&engine, target) {
                let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
                failures.push(format!("{}: {error:?}", target.name));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let failures = failures.into_inner().unwrap_or_default();
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

fn guided(engine: &Engine, target: &Target) -> Result<()> {
    let limit = match (target.name, report::thorough()) {
        (_, true) => Limit::Seconds(60),
        ("world", false) => Limit::Runs(1_000),
        ("sts_reply" | "custom_resource", false) => Limit::Runs(5_000),
        (_, false) => Limit::Runs(20_000),
    };
    let directory = tempfile::tempdir()?;
    let inputs = Corpus::of(target)?.all();
    corpus::unpack(&inputs, directory.path())?;
    let seed = fastrand::u32(1..);
    let outcome = engine.run(target, directory.path(), limit, seed)?;
    let executions = usize::try_from(outcome.executions)?;
    let survived = executions - usize::from(outcome.broken.is_some());
    report::tried(
        &format!("fuzz::{} guided", target.name),
        executions,
        survived,
        &format!("{}; {} edges; --seed {seed}", target.promise, outcome.edges),
    );
    ensure!(executions > inputs.len(), "only the corpus was tried");
    ensure!(
        outcome.edges > 20,
        "{} edges: nothing is instrumented",
        outcome.edges
    );
    if let Some((input, message)) = outcome.broken {
        let line = corpus::line(&input);
        anyhow::bail!("broken by this line, for its corpus:\n{line}{message}");
    }
    Ok(())
}
