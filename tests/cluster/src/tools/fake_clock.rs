//! libfaketime, which makes a program believe in another time.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::binaries::{Cache, lock};

const LIBRARY: &str = "libfaketimeMT.so.1";
const PACKAGE: &str = "libfaketime";

/// The environment of a program whose wall clock is wrong by so many seconds. Its monotonic clock is
/// right, as that of a node whose clock was set wrongly is. Blocks, the first time for some seconds.
///
/// # Errors
/// When libfaketime is missing and apt-get cannot bring it.
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

/// That of the machine, or else one from Debian's package, which is unpacked into the cache: it need
/// not be installed, so no rights are needed.
fn library() -> Result<PathBuf> {
    if let Some(installed) = below(Path::new("/usr/lib"))? {
        return Ok(installed);
    }
    let cache = Cache::at(PACKAGE)?;
    let place = cache.path("unpacked");
    if !place.is_dir() {
        std::fs::create_dir_all(cache.path(""))?;
        let _lock = lock(&cache.path("lock"))?;
        if !place.is_dir() {
            unpack(&cache, &place)?;
        }
    }
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

fn unpack(cache: &Cache, place: &Path) -> Result<()> {
    eprintln!("cluster: fetching {PACKAGE} with apt-get (once)");
    let directory = cache.path("");
    // An old index may name a version that the mirror no longer has.
    if apt_get_download(&directory).is_err() {
        run(Command::new("apt-get").arg("update"))?;
        apt_get_download(&directory)?;
    }
    let entries = std::fs::read_dir(&directory)?.flatten();
    let mut packages = entries.map(|entry| entry.path());
    let package = packages.find(|path| path.extension().is_some_and(|end| end == "deb"));
    let package = package.with_context(|| format!("apt-get brought no {PACKAGE}"))?;
    let unfinished = place.with_extension("unfinished");
    let mut dpkg = Command::new("dpkg-deb");
    run(dpkg.arg("--extract").arg(&package).arg(&unfinished))?;
    std::fs::remove_file(package)?;
    Ok(std::fs::rename(unfinished, place)?)
}

fn apt_get_download(directory: &Path) -> Result<()> {
    let mut apt_get = Command::new("apt-get");
    apt_get.args(["--quiet", "download", PACKAGE]);
    run(apt_get.current_dir(directory))
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().display().to_string();
    let output = match command.env("DEBIAN_FRONTEND", "noninteractive").output() {
        Err(error) => bail!(
            "{LIBRARY} is missing, and `{program}` cannot be run to fetch it ({error}); install \
             Debian's package faketime, or what is so called here"
        ),
        Ok(output) => output,
    };
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} failed: {words}");
    Ok(())
}
