//! The output of the layouts is read by botocore itself, from the package index, and by Python's own JSON and INI.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use fuzz::{corpus::Corpus, mutate::Mutations, target, written};
use serde_json::json;

use crate::report;

const READER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/read.py");

#[test]
fn botocore_reads_what_every_layout_wrote() -> Result<()> {
    let target = target("layouts").context("the target is there")?;
    let inputs = Corpus::of(target)?.all();
    let seed = fastrand::u64(..);
    let count = if report::thorough() { 100_000 } else { 3_000 };
    let mutations = Mutations::new(seed, &inputs, target.longest);
    let all = inputs.iter().cloned().chain(mutations);
    let files: Vec<_> = all
        .filter_map(|input| written(&input))
        .take(count)
        .collect();

    let directory = tempfile::tempdir()?;
    let mut python = Command::new(cluster::moto::python()?)
        .arg(READER)
        .current_dir(directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut stdin = python.stdin.take().context("a pipe")?;
    let writer = std::thread::spawn(move || -> Result<()> {
        for file in &files {
            let (id, secret, region) = (&file.id, &file.secret, &file.region);
            let line = json!({"id": id, "secret": secret, "region": region, "data": file.data});
            writeln!(stdin, "{line}")?;
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
    report::tried("fuzz::botocore", tried, tried - misread, &what);
    ensure!(
        output.status.success() && tried == count,
        "{tried} of {count}"
    );
    ensure!(misread == 0, "{printed}");
    Ok(())
}
