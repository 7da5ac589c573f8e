//! Copies the program to where other containers find it: the image has no `cp`.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::command::VERSION;

const NAME: &str = "credential-process";
const MODE: u32 = 0o755;

/// Puts this program into a directory, all at once: an incomplete copy cannot be started.
pub fn into(directory: &Path) -> Result<(), String> {
    let unfinished = directory.join(format!(".{NAME}.{}", std::process::id()));
    let done = std::env::current_exe()
        .and_then(|own| copy(&own, &unfinished))
        .map_err(|error| unwritten(directory, &error))
        .and_then(|()| starts(&unfinished).map_err(|error| unusable(directory, &error)))
        .and_then(|()| {
            let place: PathBuf = directory.join(NAME);
            fs::rename(&unfinished, place).map_err(|error| unwritten(directory, &error))
        });
    if done.is_err() {
        // It may not even exist.
        let _ = fs::remove_file(&unfinished);
    }
    done
}

fn copy(own: &Path, unfinished: &Path) -> io::Result<()> {
    fs::copy(own, unfinished)?;
    fs::set_permissions(unfinished, fs::Permissions::from_mode(MODE))
}

/// Where the copy cannot be executed, SDKs would say so in the log of each application, and this program
/// would have succeeded.
fn starts(copy: &Path) -> io::Result<()> {
    let mut copy = Command::new(copy);
    copy.arg(VERSION).stdin(Stdio::null()).stdout(Stdio::null());
    let status = copy.status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(status.to_string()))
    }
}

fn unwritten(directory: &Path, error: &io::Error) -> String {
    format!(
        "install: {} cannot be written: {error}; name a directory that this user may write to",
        directory.display()
    )
}

fn unusable(directory: &Path, error: &io::Error) -> String {
    format!(
        "install: a program in {} cannot be executed: {error}; the directory may be mounted noexec, or a security \
         module of the node may forbid it: run the pod on another node, or without the annotation \
         awscredentials.dev/rotation",
        directory.display()
    )
}
