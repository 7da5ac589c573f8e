//! `cargo bench-cluster`: measures the operator on a real control plane, against a bare client that
//! sends the requests of a perfect reconcile to the same API server in the same run.
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
mod ceiling;
mod comparison;
mod counting;
mod digits;
mod fairness;
mod figure;
mod large;
mod load;
mod measure;
mod objects;
mod observer;
mod operator;
mod ours;
mod outage;
mod page;
mod pairs;
mod plot;
mod process;
mod progress;
mod report;
mod requests;
mod rest;
mod size;
mod slopes;
mod space;
mod stats;
mod table;
mod test_cluster;
mod unrelated;

use std::{ffi::OsString, path::Path, process::ExitCode};

use anyhow::Result;
use clap::Parser;

use args::{Args, Mode};
use comparison::COMPARISONS;
use figure::Figure;
use measure::Measure;
use report::{Conditions, Report};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs");

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

fn run(args: &Args) -> Result<()> {
    let report = match &args.from {
        Some(file) => Report::read(file)?,
        None => measured(args)?,
    };
    print!(
        "{}\n\n{}",
        report.conditions.words(),
        table::table(&report.figures)
    );
    if let Some(file) = &args.json {
        report.write(file)?;
    }
    if let Some(file) = &args.plot {
        std::fs::write(file, plot::plot(&report.figures))?;
    }
    if args.document {
        page::write(Path::new(DOCS), &report)?;
    }
    Ok(())
}

#[tokio::main]
async fn measured(args: &Args) -> Result<Report> {
    let program = args.operator.clone().map_or_else(operator::build, Ok)?;
    let bytes = std::fs::metadata(&program)?.len();
    let mut figures = vec![Figure::new(Measure::BinarySize, 0, megabytes(bytes))];
    if args.image {
        eprintln!("building the image; this takes minutes the first time");
        let built = tokio::task::spawn_blocking(image::built).await??;
        let bytes = std::fs::metadata(&built.archive)?.len();
        figures.push(Figure::new(Measure::ImageSize, 0, megabytes(bytes)));
    }
    let mut conditions = Conditions::of(args);
    for size in &args.sizes {
        let measured = size::measure(args, &program, *size).await?;
        figures.extend(measured.figures);
        conditions.kubernetes = measured.kubernetes;
    }
    if args.measures(Mode::Large) {
        let measured = large::measure(args, &program).await?;
        figures.extend(measured.figures);
        conditions.kubernetes = measured.kubernetes;
    }
    figures.extend(slopes::slopes(&figures));
    if figures.iter().any(|figure| figure.ratios.is_some()) {
        conditions.comparisons = COMPARISONS;
    }
    figures.sort_by_key(|figure| (figure.measure, figure.resources));
    Ok(Report {
        conditions,
        figures,
    })
}

fn megabytes(bytes: u64) -> f64 {
    // `u32` holds hundredths of a megabyte up to 42 TB.
    let hundredths = u32::try_from(bytes / 10_000).unwrap_or(u32::MAX);
    f64::from(hundredths) / 100.0
}
