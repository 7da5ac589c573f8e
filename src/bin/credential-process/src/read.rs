//! Reads the mounted file, with some patience: the kubelet swaps the directory behind it while it
//! writes, and two of the SDKs do not try again before they fail a request.

use std::{
    fs, io,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use crate::credentials::Credentials;

const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);

/// What the file holds, once it can be read and is whole.
pub fn credentials(file: &Path) -> Result<Credentials, String> {
    let begun = Instant::now();
    loop {
        let read = once(file);
        if read.is_ok() || begun.elapsed() >= PATIENCE {
            return read;
        }
        sleep(PAUSE);
    }
}

fn once(file: &Path) -> Result<Credentials, String> {
    let said = |what: &str, advice: &str| format!("{}: {what}; {advice}", file.display());
    let bytes = fs::read(file).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => said(
            "there is no such file",
            "mount the target Secret there, with CredentialProcess among its layouts",
        ),
        io::ErrorKind::PermissionDenied => said(
            "reading it is not permitted",
            "let the container's user read the mounted Secret",
        ),
        _ => said(&error.to_string(), "name a file with --file"),
    })?;
    Credentials::parse(&bytes).map_err(|wrong| {
        said(
            wrong,
            "it has to be the key credentials.json of the target Secret",
        )
    })
}
