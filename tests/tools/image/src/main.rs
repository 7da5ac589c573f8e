//! `cargo image`: builds the archive and prints its place.

use std::{ffi::OsString, process::ExitCode};

use anyhow::Result;
use clap::Parser;

/// Builds the operator's image into target/image, without a container engine.
#[derive(Debug, Parser)]
#[command(name = "cargo image", bin_name = "cargo image")]
struct Args {
    /// Build the image again from a copy of the sources elsewhere, and fail unless both are the same
    #[arg(long)]
    verify: bool,
}

fn main() -> ExitCode {
    // The alias ends with `--`, so that both `cargo image --verify` and `cargo image -- --verify` work.
    let mut args: Vec<OsString> = std::env::args_os().collect();
    if args.get(1).is_some_and(|first| first == "--") {
        args.remove(1);
    }
    match run(&Args::parse_from(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("image: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let built = if args.verify {
        image::verify()?
    } else {
        image::built()?
    };
    let bytes = std::fs::metadata(&built.archive)?.len();
    let size = format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10);
    println!("image:   {}", built.name);
    println!("digest:  {}", built.digest);
    println!("archive: {} ({size})", built.archive.display());
    println!("sbom:    {}", built.sbom.display());
    if args.verify {
        println!("two builds in different directories are the same, byte for byte");
    }
    Ok(())
}
