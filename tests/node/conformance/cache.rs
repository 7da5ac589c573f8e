//! The cache of installed SDKs: one entry for each content of a client's directory.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

/// Returns a directory of the cache, filled on first use. `make` gets its temporary path.
pub fn filled(
    client: &Path,
    more: &str,
    make: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let name = client.file_name().and_then(|name| name.to_str());
    let name = name.context("a client has no name")?;
    let cache = cluster::cache::directory()?;
    std::fs::create_dir_all(&cache)?;
    let place = cache.join(format!("conformance-{name}-{}", digest(client, more)?));
    if place.is_dir() {
        return Ok(place);
    }
    let lock = File::create(place.with_extension("lock"))?;
    lock.lock()?;
    if place.is_dir() {
        return Ok(place);
    }
    let start = Instant::now();
    eprintln!("conformance: installing {name} (once; at most two minutes)");
    let unfinished = place.with_extension("unfinished");
    if unfinished.exists() {
        std::fs::remove_dir_all(&unfinished)?;
    }
    std::fs::create_dir(&unfinished)?;
    make(&unfinished).with_context(|| format!("cannot install {name}"))?;
    std::fs::rename(&unfinished, &place)?;
    eprintln!("conformance: installed {name} in {:.0?}", start.elapsed());
    Ok(place)
}

/// Runs a program to its end.
pub fn run(command: &mut Command) -> Result<String> {
    let program = command.get_program().display().to_string();
    let output = command
        .output()
        .with_context(|| format!("cannot start {program}"))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{command:?} failed:\n{printed}{errors}"
    );
    Ok(printed)
}

fn digest(client: &Path, more: &str) -> Result<String> {
    let mut files = Vec::new();
    collect(client, &mut files)?;
    files.sort();
    let mut hash = Sha256::new().chain_update(more);
    for file in files {
        hash.update(file.strip_prefix(client)?.as_os_str().as_encoded_bytes());
        hash.update(std::fs::read(&file)?);
    }
    let bytes = hash.finalize();
    let hex = bytes.iter().take(6).map(|byte| format!("{byte:02x}"));
    Ok(hex.collect())
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        match entry.file_type()?.is_dir() {
            // Leftovers of cargo or npm runs by hand.
            true if path.ends_with("target") || path.ends_with("node_modules") => {}
            true => collect(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}
