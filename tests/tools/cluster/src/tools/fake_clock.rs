//! libfaketime, which gives a program a wrong clock.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use debian::unpacked;

const LIBRARY: &str = "libfaketimeMT.so.1";
const PACKAGE: &str = "libfaketime";

/// The environment of a program whose wall clock is off by `seconds`. Its monotonic clock is right, as on a node
/// whose clock was set wrongly. Blocks, for some seconds the first time.
///
/// # Errors
/// When libfaketime is missing and apt-get cannot fetch it.
pub fn skewed_by(seconds: i64) -> Result<Vec<(String, String)>> {
    let library = library()?;
    let variables = [
        ("LD_PRELOAD", library.display().to_string()),
        ("FAKETIME", format!("{seconds:+}s")),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ];
    Ok(variables
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec())
}

/// The machine's library, or else the one from Debian's package.
fn library() -> Result<PathBuf> {
    if let Some(installed) = below(Path::new("/usr/lib"))? {
        return Ok(installed);
    }
    let place = unpacked(PACKAGE)?;
    below(&place.join("usr/lib"))?.with_context(|| format!("{PACKAGE} has no {LIBRARY}"))
}

/// `lib/faketime/` or `lib/<architecture>/faketime/`.
fn below(lib: &Path) -> Result<Option<PathBuf>> {
    let mut places = vec![lib.to_owned()];
    let entries = std::fs::read_dir(lib).with_context(|| format!("read {}", lib.display()))?;
    places.extend(entries.flatten().map(|entry| entry.path()));
    let mut files = places
        .into_iter()
        .map(|place| place.join("faketime").join(LIBRARY));
    Ok(files.find(|file| file.is_file()))
}
