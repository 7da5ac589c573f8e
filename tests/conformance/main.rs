//! Layouts that each AWS SDK reads. Programs with the SDKs run in pods on a real node, mount the published pair as in
//! docs/sdks.md, and call an STS that checks signatures, before and after a rotation. The result is the table in
//! docs/sdks.md.
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cache;
mod examples;
mod follow;
mod install;
mod matrix;
mod operator;
mod pairs;
mod play;
mod pods;
mod running;
mod sdk;
mod stage;
mod way;

use anyhow::Result;
use cluster::node::Node;
use libtest_mimic::{Arguments, Trial};
use tokio::runtime::Runtime;

use crate::{
    matrix::Matrix,
    sdk::{FOLLOWED, SDKS, Sdk},
    way::Way,
};

fn main() -> Result<()> {
    let arguments = Arguments::from_args();
    if arguments.list {
        libtest_mimic::run(&arguments, trials(&Matrix::default())).exit();
    }
    if Node::is_lacking("the SDKs were not tried")? {
        return Ok(());
    }
    let matrix = Runtime::new()?.block_on(play::play())?;
    eprintln!("\n{}", matrix.table());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        matrix.write()?;
    }
    libtest_mimic::run(&arguments, trials(&matrix)).exit();
}

/// A trial for each SDK and way, and some for common properties.
fn trials(matrix: &Matrix) -> Vec<Trial> {
    let mut trials = vec![
        trial(
            "the examples cover every layout",
            examples::cover_every_layout(),
        ),
        trial("docs/sdks.md has the table", matrix.is_in_the_docs()),
        trial(
            "a restarted pod has the new pair in every way",
            matrix.judge_restarted(),
        ),
    ];
    for sdk in SDKS {
        let judged = |way: &Way| {
            trial(
                &format!("{} reads {way}", sdk.name),
                matrix.judge(sdk, *way),
            )
        };
        trials.extend(sdk.ways.iter().map(judged));
    }
    trials.extend(FOLLOWED.iter().map(|pod| {
        let name = format!("{pod} follows a rotation to its end, and no request fails");
        trial(&name, matrix.judge_followed(pod))
    }));
    let alone = |sdk: &&Sdk| ["go", "rust"].contains(&sdk.pod);
    trials.extend(SDKS.iter().filter(alone).map(|sdk| {
        let name = format!("{} starts no process without a shell", sdk.name);
        trial(&name, matrix.judge_without_shell(sdk))
    }));
    trials
}

fn trial(name: &str, outcome: Result<()>) -> Trial {
    let outcome = outcome.map_err(|error| format!("{error:#}"));
    Trial::test(name, move || Ok(outcome?))
}
