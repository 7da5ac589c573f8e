//! Layouts that each AWS SDK reads. Programs with the SDKs run in pods on a real node, mount the published pair as in
//! docs/sdks.md, and call an STS that checks signatures, before and after a rotation. The result is the table in
//! docs/sdks.md.

mod cache;
mod examples;
mod follow;
pub mod install;
mod matrix;
mod operator;
mod pairs;
mod pods;
mod running;
mod scenario;
pub mod sdk;
mod test_cluster;
mod way;

use std::sync::OnceLock;

use anyhow::{Error, Result};
use cluster::node::Node;
use libtest_mimic::Trial;
use tokio::runtime::Runtime;

use crate::conformance::{
    matrix::Matrix,
    sdk::{FOLLOWED, SDKS, Sdk},
    way::Way,
};

/// A trial for each SDK and way, and some for common properties. The first trial runs the scenario for all.
pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial("the examples cover every layout", |_| {
            examples::cover_every_layout()
        }),
        trial("docs/sdks.md has the table", Matrix::is_in_the_docs),
        trial(
            "a restarted pod has the new pair in every way",
            Matrix::judge_restarted,
        ),
    ];
    for sdk in SDKS {
        let judged = |way: &Way| {
            let way = *way;
            let name = format!("{} reads {way}", sdk.name);
            trial(&name, move |matrix| matrix.judge(sdk, way))
        };
        trials.extend(sdk.ways.iter().map(judged));
    }
    trials.extend(FOLLOWED.iter().map(|pod| {
        let name = format!("{pod} follows a rotation to its end, and no request fails");
        trial(&name, move |matrix| matrix.judge_followed(pod))
    }));
    let alone = |sdk: &&Sdk| ["go", "rust"].contains(&sdk.pod);
    trials.extend(SDKS.iter().filter(alone).map(|sdk| {
        let name = format!("{} starts no process without a shell", sdk.name);
        trial(&name, move |matrix| matrix.judge_without_shell(sdk))
    }));
    trials
}

fn trial(name: &str, judge: impl FnOnce(&Matrix) -> Result<()> + Send + 'static) -> Trial {
    Trial::test(format!("conformance::{name}"), move || {
        let judged = matrix().and_then(|matrix| matrix.map_or(Ok(()), judge));
        judged.map_err(|error| format!("{error:#}").into())
    })
}

/// The answers of all clients, or `None` without a node.
fn matrix() -> Result<Option<&'static Matrix>> {
    static MATRIX: OnceLock<Result<Option<Matrix>, String>> = OnceLock::new();
    let matrix = MATRIX.get_or_init(|| asked().map_err(|error| format!("{error:#}")));
    matrix.as_ref().map(Option::as_ref).map_err(Error::msg)
}

fn asked() -> Result<Option<Matrix>> {
    if Node::is_lacking("the SDKs were not tried")? {
        return Ok(None);
    }
    let matrix = Runtime::new()?.block_on(scenario::run())?;
    eprintln!("\n{}", matrix.table());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        matrix.write()?;
    }
    Ok(Some(matrix))
}
