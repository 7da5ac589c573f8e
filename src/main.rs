//! The process: parse, wire, exit code.

use std::process::ExitCode;

use clap::Parser;
use static_aws_credentials::{
    api,
    cli::{
        api_check,
        args::{self, Cli, Command},
        check, core_dumps, panics, process,
    },
    error::chain,
};

/// Wipes all memory when it is given back: libraries copy key material too, into requests and
/// signatures, and drop it as it is.
#[global_allocator]
static WIPING: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    panics::hide_messages();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(args::refuse(&error)),
    };
    if let Err(error) = core_dumps::forbid() {
        eprintln!("error: core dumps cannot be forbidden: {error}");
        return ExitCode::FAILURE;
    }
    let result = match cli.command {
        Some(Command::Crd) => {
            print!("{}---\n{}", api::MANIFEST, api::CLASS_MANIFEST);
            Ok(())
        }
        Some(Command::Check(args)) => return ExitCode::from(check::run(*args).await),
        Some(Command::ApiCheck(args)) => return ExitCode::from(api_check::run(&args).await),
        Some(Command::Run(args)) => process::run(*args).await.map_err(|error| chain(&error)),
        None => process::run(cli.run).await.map_err(|error| chain(&error)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
