//! The `credential_process` of AWS SDKs: prints the key pair that is mounted, with an `Expiration` soon
//! after, so that an SDK asks again and meets the new pair after a rotation.
//!
//! It runs in other people's containers, many times a day: it has no network, no cluster and no code of the
//! operator, hence a package of its own, and key material leaves it by its standard output alone.

mod command;
mod credentials;
mod install;
mod read;
mod utc;

use std::{
    io::{Write, stderr, stdout},
    process::ExitCode,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use command::{Command, Refused};

fn main() -> ExitCode {
    let done = match command::parse(std::env::args_os()) {
        Ok(Command::Print { file, ttl }) => {
            read::credentials(&file).and_then(|pair| print(pair, ttl))
        }
        Ok(Command::Install(directory)) => install::into(&directory),
        Ok(Command::Version) => {
            let line = concat!("credential-process ", env!("CARGO_PKG_VERSION"), "\n");
            write(line.as_bytes())
        }
        Err(Refused { code, message }) => return failed(code, &message),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => failed(1, &message),
    }
}

fn print(pair: credentials::Credentials, ttl: Duration) -> Result<(), String> {
    let clock = || "the clock is wrong; set it".to_owned();
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(|_| clock())?;
    let expiration = utc::format((now + ttl).as_secs());
    let mut line = pair.with_expiration(expiration);
    line.push(b'\n');
    write(&line)
}

/// All at once: a reader that goes away in between has a torn line, and knows that it is torn.
fn write(line: &[u8]) -> Result<(), String> {
    let written = stdout().write_all(line).and_then(|()| stdout().flush());
    written.map_err(|error| format!("standard output cannot be written: {error}"))
}

/// Some SDKs show this line in the application's own log.
fn failed(code: u8, message: &str) -> ExitCode {
    // A closed standard error leaves no other place for the message.
    let _ = writeln!(stderr(), "credential-process: {message}");
    ExitCode::from(code)
}
