//! One package, of this machine's architecture. Only an outdated index needs root, for `apt-get update`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::cache::{self, lock};

/// The directory of an unpacked package. Blocks, for some seconds the first time.
///
/// # Errors
/// When apt-get cannot fetch it.
pub fn unpacked(package: &str) -> Result<PathBuf> {
    filled(package, |directory, place| {
        unpack(package, directory, place)
    })
}

/// The folder `unpacked` in a directory of the cache. If it is missing, `fill` makes it, from what it puts into the
/// directory beside it.
pub(crate) fn filled(name: &str, fill: impl FnOnce(&Path, &Path) -> Result<()>) -> Result<PathBuf> {
    let directory = cache::directory()?.join(name);
    let place = directory.join("unpacked");
    if !place.is_dir() {
        std::fs::create_dir_all(&directory)?;
        let _lock = lock(&directory.join("lock"))?;
        if !place.is_dir() {
            fill(&directory, &place)?;
        }
    }
    Ok(place)
}

fn unpack(name: &str, directory: &Path, place: &Path) -> Result<()> {
    eprintln!("cache: fetching {name} with apt-get (once)");
    // An old index may name a version that the mirror no longer has.
    if download(name, directory).is_err() {
        run(name, Command::new("apt-get").arg("update"))?;
        download(name, directory)?;
    }
    let package = packages(directory)?.pop();
    let package = package.with_context(|| format!("apt-get brought no {name}"))?;
    let unfinished = place.with_extension("unfinished");
    extract(name, &package, &unfinished)?;
    std::fs::remove_file(package)?;
    Ok(std::fs::rename(unfinished, place)?)
}

/// The packages in a directory.
pub(crate) fn packages(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(directory)?.flatten();
    let packages = entries.map(|entry| entry.path());
    Ok(packages
        .filter(|path| path.extension().is_some_and(|end| end == "deb"))
        .collect())
}

/// Extracts the files of a package.
pub(crate) fn extract(name: &str, package: &Path, to: &Path) -> Result<()> {
    let mut dpkg = Command::new("dpkg-deb");
    run(name, dpkg.arg("--extract").arg(package).arg(to)).map(drop)
}

fn download(name: &str, directory: &Path) -> Result<()> {
    let mut apt_get = Command::new("apt-get");
    apt_get.args(["--quiet", "download", name]);
    run(name, apt_get.current_dir(directory)).map(drop)
}

/// Runs a command that is to bring `wanted`, and returns its output.
pub(crate) fn run(wanted: &str, command: &mut Command) -> Result<String> {
    let program = command.get_program().display().to_string();
    let output = match command.env("DEBIAN_FRONTEND", "noninteractive").output() {
        Err(error) => bail!(
            "{wanted} is missing, and `{program}` cannot be run to fetch it ({error}); install \
             Debian's package {wanted}, or what is so called here"
        ),
        Ok(output) => output,
    };
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{wanted} is missing, and {command:?} failed: {words}"
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
