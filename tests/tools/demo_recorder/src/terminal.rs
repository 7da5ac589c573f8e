//! A terminal of our own, in which the demo runs.

use std::{
    fs::File,
    io::Read,
    os::fd::{AsFd, OwnedFd},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result};
use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};

use crate::recording::{COLUMNS, ROWS, Recording};

/// Records the demo from its first output on, and whether the demo has succeeded. What Cargo and the launcher print is
/// no part of the recording, and is shown. Blocks.
pub(crate) fn record(root: &Path) -> Result<(Recording, bool)> {
    let (reader, writer) = open().context("cannot open a terminal")?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .arg("demo")
        .current_dir(root)
        .env_remove("NO_COLOR")
        .stdin(Stdio::null())
        .stdout(writer);
    // Variables of this package, for which the launcher would compile ring again.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_"]
            .iter()
            .any(|start| text.starts_with(start))
        {
            cargo.env_remove(&name);
        }
    }
    let mut child = cargo.spawn().context("cannot start cargo")?;
    // The command holds a copy of the terminal: without the drop, the end of the output would never come.
    drop(cargo);
    let recording = read_all(File::from(reader))?;
    let has_succeeded = child.wait()?.success();
    Ok((recording.since_first_part(), has_succeeded))
}

/// Both ends of a terminal.
fn open() -> Result<(OwnedFd, OwnedFd)> {
    let reader = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&reader)?;
    unlockpt(&reader)?;
    let name = ptsname(&reader, Vec::new())?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let writer = rustix::fs::open(name, flags, Mode::empty())?;
    let size = Winsize {
        ws_row: ROWS,
        ws_col: COLUMNS,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(writer.as_fd(), size)?;
    Ok((reader, writer))
}

fn read_all(mut reader: File) -> Result<Recording> {
    let start = Instant::now();
    let mut recording = Recording::default();
    let (mut buffer, mut rest) = (vec![0; 4096], Vec::new());
    loop {
        let read = match reader.read(&mut buffer) {
            // Linux reports the end of a terminal as an error.
            Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => 0,
            read => read?,
        };
        if read == 0 {
            return Ok(recording);
        }
        rest.extend(buffer.iter().take(read));
        rest = recording.add(start, &rest)?;
    }
}
