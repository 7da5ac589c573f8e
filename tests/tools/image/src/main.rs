//! `cargo image`: builds the archive and prints its place. `cargo image chart`: makes the chart of a release.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};
use image::{Platform, Published};

/// Builds the operator's image into target/image, without a container engine.
#[derive(Debug, Parser)]
#[command(
    name = "cargo image",
    bin_name = "cargo image",
    args_conflicts_with_subcommands = true
)]
struct Args {
    /// Build the image again from a copy of the sources elsewhere, and fail unless both are the same
    #[arg(long)]
    verify: bool,
    /// Build for this platform; for another one than that of this machine, with Debian's compilers
    #[arg(long, value_enum, value_name = "PLATFORM")]
    platform: Option<Platform>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Copy the chart, and set in the copy the published image and the version of the release
    Chart {
        /// Registry and name of the image
        #[arg(long, value_name = "REGISTRY/NAME")]
        repository: String,
        /// Digest of the index of all architectures
        #[arg(long, value_name = "sha256:…")]
        digest: String,
        /// Version of the release
        #[arg(long)]
        version: String,
        /// Repository of the sources, for the links and pictures of Artifact Hub
        #[arg(long, value_name = "URL")]
        source: String,
        /// Directory for the copy
        #[arg(long, value_name = "DIRECTORY")]
        out: PathBuf,
    },
}

fn main() -> ExitCode {
    // The alias ends with `--`, so that both `cargo image --verify` and `cargo image -- --verify` work.
    let mut args: Vec<OsString> = std::env::args_os().collect();
    if args.get(1).is_some_and(|first| first == "--") {
        args.remove(1);
    }
    match run(Args::parse_from(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("image: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<()> {
    match args.command {
        Some(Command::Chart {
            repository,
            digest,
            version,
            source,
            out,
        }) => {
            let published = Published {
                repository,
                digest,
                version,
                source,
            };
            println!("{}", image::chart(&published, &out)?.display());
            Ok(())
        }
        None => build(args.platform, args.verify),
    }
}

fn build(platform: Option<Platform>, verify: bool) -> Result<()> {
    let platform = platform.map_or_else(Platform::own, Ok)?;
    let built = if verify {
        image::verify(platform)?
    } else {
        image::built_for(platform)?
    };
    let bytes = std::fs::metadata(&built.archive)?.len();
    let size = format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10);
    println!("image:   {}", built.name);
    println!("digest:  {}", built.digest);
    println!("archive: {} ({size})", built.archive.display());
    println!("sbom:    {}", built.sbom.display());
    if verify {
        println!("two builds in different directories are the same, byte for byte");
    }
    Ok(())
}
