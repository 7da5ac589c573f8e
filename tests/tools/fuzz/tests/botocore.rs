//! The output of the layouts, and the files of sources, are read by botocore itself, from the package index, and by Python's own JSON and INI.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use fuzz::{corpus::Corpus, mutate::Mutations, taken, written};
use serde_json::{Value, json};

use crate::report;

const READER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/read.py");

#[test]
fn botocore_reads_what_every_layout_wrote() -> Result<()> {
    let case = |input: &[u8]| {
        let written = written(input)?;
        let (id, secret, region) = (&written.id, &written.secret, &written.region);
        Some(json!({"id": id, "secret": secret, "region": region, "data": written.data}))
    };
    read_back("layouts", "fuzz::botocore", case)
}

#[test]
fn botocore_reads_the_pair_that_is_taken_from_a_credentials_file() -> Result<()> {
    let case = |input: &[u8]| {
        let taken = taken(input)?;
        let (id, secret, others) = (&taken.id, &taken.secret, taken.has_others());
        Some(json!({"id": id, "secret": secret, "others": others, "file": taken.file}))
    };
    read_back("credentials_file", "fuzz::botocore of sources", case)
}

/// Gives the cases from the inputs of a target, and from mutations of them, to Python.
fn read_back(target: &str, test: &str, case: impl Fn(&[u8]) -> Option<Value>) -> Result<()> {
    let target = fuzz::target(target).context("the target is there")?;
    let inputs = Corpus::of(target)?.all();
    let seed = fastrand::u64(..);
    let count = if report::thorough() { 100_000 } else { 3_000 };
    let mutations = Mutations::new(seed, &inputs, target.longest);
    let all = inputs.iter().cloned().chain(mutations);
    let cases: Vec<_> = all.filter_map(|input| case(&input)).take(count).collect();

    let directory = tempfile::tempdir()?;
    let mut python = Command::new(cluster::moto::python()?)
        .arg(READER)
        .current_dir(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut stdin = python.stdin.take().context("a pipe")?;
    let writer = std::thread::spawn(move || -> Result<()> {
        for case in &cases {
            writeln!(stdin, "{case}")?;
        }
        Ok(())
    });
    let output = python.wait_with_output()?;
    let sent = writer.join();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(matches!(sent, Ok(Ok(()))), "it stopped reading: {printed}");
    let misread = printed.lines().count().saturating_sub(1);
    let tried: usize = printed.lines().last().unwrap_or_default().parse()?;
    let what = format!("files, read back by botocore and Python; seed {seed}");
    report::tried(test, tried, tried - misread, &what);
    ensure!(
        output.status.success() && tried == count,
        "{tried} of {count}"
    );
    ensure!(misread == 0, "{printed}");
    Ok(())
}
