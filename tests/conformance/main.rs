//! Which AWS SDK reads which layout. Programs with the SDKs run in pods on a real node, with what the
//! operator published mounted as docs/sdks.md shows it, and ask an STS that checks signatures; then the
//! pair is rotated under them. The outcome is the table in docs/sdks.md.
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cache;
mod examples;
mod install;
mod matrix;
mod play;
mod pods;
mod sdk;
mod stage;

use anyhow::{Result, ensure};
use cluster::node::Node;
use libtest_mimic::{Arguments, Trial};
use tokio::runtime::Runtime;

use crate::{matrix::Matrix, sdk::SDKS};

fn main() -> Result<()> {
    let arguments = Arguments::from_args();
    if arguments.list {
        libtest_mimic::run(&arguments, trials(&Matrix::default())).exit();
    }
    if is_unsupported()? {
        return Ok(());
    }
    let matrix = Runtime::new()?.block_on(play::play())?;
    println!("\n{}", matrix.table());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        matrix.write()?;
    }
    libtest_mimic::run(&arguments, trials(&matrix)).exit();
}

/// One for each SDK and layout, and one for the page.
fn trials(matrix: &Matrix) -> Vec<Trial> {
    let cells = SDKS
        .iter()
        .flat_map(|sdk| sdk.layouts.iter().map(move |layout| (sdk, *layout)));
    let cell = |(sdk, layout): (&sdk::Sdk, _)| {
        let name = format!("{} reads {layout:?}", sdk.name);
        let outcome = matrix
            .judge(sdk, layout)
            .map_err(|error| format!("{error:#}"));
        Trial::test(name, move || Ok(outcome?))
    };
    let page = matrix
        .is_in_the_docs()
        .map_err(|error| format!("{error:#}"));
    let page = Trial::test("docs/sdks.md has the table", move || Ok(page?));
    cells.map(cell).chain([page]).collect()
}

fn is_unsupported() -> Result<bool> {
    let Err(reason) = Node::supported() else {
        return Ok(false);
    };
    // Continuous integration sets this, so that the suite cannot vanish there unseen.
    ensure!(
        std::env::var_os("CI").is_none(),
        "the SDKs were not tried: {reason}"
    );
    eprintln!("SKIPPED: the SDKs were not tried, because {reason}");
    Ok(true)
}
