//! Debian packages, unpacked into the cache instead of installed: only an outdated index needs root, for `apt-get
//! update`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::binaries::{Cache, lock};

/// The directory of an unpacked package. Blocks, for some seconds the first time.
///
/// # Errors
/// When apt-get cannot fetch it.
pub fn unpacked(package: &str) -> Result<PathBuf> {
    let cache = Cache::at(package)?;
    let place = cache.path("unpacked");
    if !place.is_dir() {
        std::fs::create_dir_all(cache.path(""))?;
        let _lock = lock(&cache.path("lock"))?;
        if !place.is_dir() {
            unpack(package, &cache.path(""), &place)?;
        }
    }
    Ok(place)
}

fn unpack(name: &str, directory: &Path, place: &Path) -> Result<()> {
    eprintln!("cluster: fetching {name} with apt-get (once)");
    // An old index may name a version that the mirror no longer has.
    if download(name, directory).is_err() {
        run(name, Command::new("apt-get").arg("update"))?;
        download(name, directory)?;
    }
    let entries = std::fs::read_dir(directory)?.flatten();
    let mut packages = entries.map(|entry| entry.path());
    let package = packages.find(|path| path.extension().is_some_and(|end| end == "deb"));
    let package = package.with_context(|| format!("apt-get brought no {name}"))?;
    let unfinished = place.with_extension("unfinished");
    let mut dpkg = Command::new("dpkg-deb");
    run(name, dpkg.arg("--extract").arg(&package).arg(&unfinished))?;
    std::fs::remove_file(package)?;
    Ok(std::fs::rename(unfinished, place)?)
}

fn download(name: &str, directory: &Path) -> Result<()> {
    let mut apt_get = Command::new("apt-get");
    apt_get.args(["--quiet", "download", name]);
    run(name, apt_get.current_dir(directory))
}

fn run(package: &str, command: &mut Command) -> Result<()> {
    let program = command.get_program().display().to_string();
    let output = match command.env("DEBIAN_FRONTEND", "noninteractive").output() {
        Err(error) => bail!(
            "{package} is missing, and `{program}` cannot be run to fetch it ({error}); install \
             Debian's package {package}, or what is so called here"
        ),
        Ok(output) => output,
    };
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{package} is missing, and {command:?} failed: {words}"
    );
    Ok(())
}
