//! The digest and the name in an archive.

use std::{fs::File, io::Read, path::Path};

use anyhow::{Context, Result};
use serde_json::Value;
use tar::Archive;

/// The digest of the image's manifest.
///
/// # Errors
/// When the file is not an archive of one image.
pub fn digest(archive: &Path) -> Result<String> {
    text(archive, "/manifests/0/digest")
}

/// The reference under which containerd imports the image.
///
/// # Errors
/// When the file is not an archive of one image.
pub fn name(archive: &Path) -> Result<String> {
    text(archive, "/manifests/0/annotations/io.containerd.image.name")
}

fn text(archive: &Path, pointer: &str) -> Result<String> {
    let index = index(archive).with_context(|| format!("cannot read {}", archive.display()))?;
    let value = index.pointer(pointer).and_then(Value::as_str);
    let value = value.with_context(|| format!("{} has no {pointer}", archive.display()))?;
    Ok(value.to_owned())
}

fn index(archive: &Path) -> Result<Value> {
    for entry in Archive::new(File::open(archive)?).entries()? {
        let mut entry = entry?;
        if entry.path()?.as_ref() == Path::new("index.json") {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            return Ok(serde_json::from_slice(&bytes)?);
        }
    }
    anyhow::bail!("it has no index.json")
}
