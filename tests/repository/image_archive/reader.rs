//! crane: reads the archive, keeps it in a registry of its own, and unpacks it.

use std::{collections::BTreeMap, io::Read as _, path::Path, process::Command, sync::OnceLock};

use anyhow::{Context, Result, ensure};
use cluster::{tools, tools::Tool};
use serde_json::Value;

use super::image;
use crate::registry::Registry;

/// A file or directory of the image's root.
pub(crate) struct Entry {
    pub(crate) mode: u32,
    pub(crate) owner: (u64, u64),
    pub(crate) modified: u64,
    pub(crate) content: Vec<u8>,
}

/// What crane found.
pub(crate) struct Read {
    pub(crate) digest: String,
    pub(crate) manifest: Value,
    pub(crate) config: Value,
    pub(crate) root: BTreeMap<String, Entry>,
}

/// The image, read once.
pub(crate) fn read() -> &'static Read {
    static READ: OnceLock<Read> = OnceLock::new();
    READ.get_or_init(|| through_registry(&image().archive).expect("crane can read the image"))
}

/// The content of a file in the image's root.
pub(crate) fn file(path: &str) -> &'static [u8] {
    let entry = read().root.get(path);
    &entry
        .unwrap_or_else(|| panic!("the image has no {path}"))
        .content
}

/// The same as text.
pub(crate) fn text(path: &str) -> &'static str {
    std::str::from_utf8(file(path)).expect("it is text")
}

fn through_registry(archive: &Path) -> Result<Read> {
    let directory = tempfile::tempdir()?;
    let layout = directory.path().join("layout");
    tar::Archive::new(std::fs::File::open(archive)?).unpack(&layout)?;
    let crane = tools::find(Tool::Crane)?;
    let registry = Registry::serve(&crane, &directory.path().join("registry.log"))?;
    let name = format!("{}/image:test", registry.address);
    let layout = layout.display().to_string();
    let archive = archive.display().to_string();
    let tell = |args: &[&str]| tell(&crane, args);
    tell(&["push", "--insecure", &layout, &name])?;
    // Reads every blob again and compares digests and sizes with config and manifest.
    tell(&["validate", "--insecure", "--remote", &name])?;
    tell(&["validate", "--tarball", &archive])?;
    let digest = tell(&["digest", "--insecure", &name])?;
    let root = tell(&["export", "--insecure", &name, "-"])?;
    Ok(Read {
        digest: String::from_utf8(digest)?.trim().to_owned(),
        manifest: serde_json::from_slice(&tell(&["manifest", "--insecure", &name])?)?,
        config: serde_json::from_slice(&tell(&["config", "--insecure", &name])?)?,
        root: entries(&root)?,
    })
}

fn tell(crane: &Path, args: &[&str]) -> Result<Vec<u8>> {
    let output = Command::new(crane).args(args).output()?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "crane {}: {words}", args.join(" "));
    Ok(output.stdout)
}

fn entries(root: &[u8]) -> Result<BTreeMap<String, Entry>> {
    let mut all = BTreeMap::new();
    for entry in tar::Archive::new(root).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.display().to_string();
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        let header = entry.header();
        let read = Entry {
            mode: header.mode()?,
            owner: (header.uid()?, header.gid()?),
            modified: header.mtime()?,
            content,
        };
        all.insert(path.trim_end_matches('/').to_owned(), read);
    }
    all.first_key_value().context("the root is empty")?;
    Ok(all)
}
