//! The command line, also as a shell's: most SDKs hand the command to `sh -c`, and in an image without a
//! shell this program stands in for it, to run itself and nothing else.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    time::Duration,
};

/// Where the target Secret is mounted by the operator's injection.
const FILE: &str = "/var/run/secrets/awscredentials.dev/credentials.json";
/// More than the fifteen minutes below which one of the SDKs starts a process for each request.
const TTL: u32 = 1080;
/// The longest session that STS grants; a rotation takes no longer to arrive.
const LONGEST_TTL: u32 = 43_200;

const NAME: &str = "credential-process";
const USAGE: &str = "usage: credential-process [--file PATH] [--ttl SECONDS], credential-process install DIRECTORY, or credential-process --version";

/// Prints the version, as programs do.
pub const VERSION: &str = "--version";

/// The exit code of a command line that is wrong.
const MISUSED: u8 = 2;
/// The exit code of a shell that found a command and cannot run it.
const CANNOT_RUN: u8 = 126;

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Print the content of the file. The SDK runs the program again after this time.
    Print { file: PathBuf, ttl: Duration },
    /// Copy this program into a directory.
    Install(PathBuf),
    /// Print the version.
    Version,
}

/// Why nothing is done.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    pub code: u8,
    pub message: String,
}

/// Reads the command line, the name of the program first.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Command, Refused> {
    let words: Vec<OsString> = words.into_iter().collect();
    let (name, arguments) = match words.split_first() {
        Some((name, arguments)) => (Path::new(name), arguments),
        None => (Path::new(NAME), words.as_slice()),
    };
    match arguments {
        [flag, command] if flag == "-c" => as_shell(command),
        [flag, ..] if flag == "-c" => Err(no_shell()),
        _ if name.file_name() == Some(OsStr::new("sh")) => Err(no_shell()),
        [verb, directory] if verb == "install" => Ok(Command::Install(directory.into())),
        [flag] if flag == VERSION => Ok(Command::Version),
        arguments => print(arguments),
    }
}

fn as_shell(command: &OsStr) -> Result<Command, Refused> {
    let command = command.to_str().ok_or_else(no_shell)?;
    let mut words = command.split_whitespace();
    let program = words.next().map(Path::new).and_then(Path::file_name);
    if program != Some(OsStr::new(NAME)) {
        return Err(no_shell());
    }
    let arguments: Vec<OsString> = words.map(OsString::from).collect();
    print(&arguments)
}

fn print(mut arguments: &[OsString]) -> Result<Command, Refused> {
    let (mut file, mut ttl) = (PathBuf::from(FILE), TTL);
    while let [flag, value, rest @ ..] = arguments {
        match flag.to_str() {
            Some("--file") if !value.is_empty() => file = PathBuf::from(value),
            Some("--ttl") => ttl = seconds(value)?,
            _ => return Err(misused(USAGE)),
        }
        arguments = rest;
    }
    if !arguments.is_empty() {
        return Err(misused(USAGE));
    }
    let ttl = Duration::from_secs(ttl.into());
    Ok(Command::Print { file, ttl })
}

fn seconds(text: &OsStr) -> Result<u32, Refused> {
    let number = text.to_str().and_then(|text| text.parse().ok());
    let within = number.filter(|number| (1..=LONGEST_TTL).contains(number));
    within.ok_or_else(|| {
        let message =
            format!("--ttl: it must be a whole number of seconds from 1 to {LONGEST_TTL}");
        misused(&message)
    })
}

fn misused(message: &str) -> Refused {
    Refused {
        code: MISUSED,
        message: message.to_owned(),
    }
}

fn no_shell() -> Refused {
    Refused {
        code: CANNOT_RUN,
        message: "it replaces the shell and runs only itself; if the image has a shell, remove the annotation \
                  awscredentials.dev/shell from the pod"
            .to_owned(),
    }
}
