//! The only writer of images: an OCI layout in a tar, with one layer; the same content gives the same bytes.
//!
//! It reads no clock and no file system, sorts everything unordered, and the only timestamp is the one that it is
//! given.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::Permissions,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
};

use anyhow::{Context, Result, ensure};
use flate2::{Compression, GzBuilder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// An unprivileged user, as a number, so that the kubelet can check `runAsNonRoot` without a passwd file.
pub const USER: &str = "65532:65532";

/// An image to write.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// Its reference, registry included, as containerd stores it.
    pub name: String,
    /// OCI's name for the CPU architecture: `amd64`, `arm64`.
    pub architecture: String,
    /// The command.
    pub entrypoint: Vec<String>,
    /// Labels of the config; those with OCI's prefix become annotations of the manifest as well.
    pub labels: BTreeMap<String, String>,
    /// The time of creation, in RFC 3339.
    pub created: Option<String>,
    /// All files in its root.
    pub files: Vec<File>,
}

/// A file of an image, owned by root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The path, without a leading slash.
    pub path: String,
    /// Whether it is executable.
    pub is_program: bool,
    /// The content.
    pub content: Vec<u8>,
}

/// Writes an archive and returns the digest of the image's manifest.
///
/// # Errors
/// When two files have the same path, or the archive cannot be written.
pub fn write(archive: &Path, image: &Image) -> Result<String> {
    let tar = layer(&image.files)?;
    let gzip = compressed(&tar)?;
    let config = serde_json::to_vec(&config(image, &digest(&tar)))?;
    let annotations: BTreeMap<_, _> = image
        .labels
        .iter()
        .filter(|(name, _)| name.starts_with("org.opencontainers.image."))
        .collect();
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(CONFIG, &config),
        "layers": [descriptor(LAYER, &gzip)],
    });
    if !annotations.is_empty() {
        manifest["annotations"] = json!(annotations);
    }
    let manifest = serde_json::to_vec(&manifest)?;
    let mut entry = descriptor(MANIFEST, &manifest);
    entry["platform"] = json!({ "architecture": image.architecture, "os": "linux" });
    entry["annotations"] = json!({
        "io.containerd.image.name": image.name,
        "org.opencontainers.image.ref.name": tag(&image.name),
    });
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry],
    });

    let path = |blob: &[u8]| format!("blobs/{}", digest(blob).replace(':', "/"));
    // For engines that load no OCI layout.
    let docker = json!([{
        "Config": path(&config),
        "RepoTags": [image.name.trim_start_matches("docker.io/library/")],
        "Layers": [path(&gzip)],
    }]);
    let mut files = vec![
        file("index.json", serde_json::to_vec(&index)?),
        file("manifest.json", serde_json::to_vec(&docker)?),
        file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
    ];
    let blobs = [gzip, config, manifest.clone()];
    files.extend(blobs.map(|blob| file(&path(&blob), blob)));
    save(archive, &layer(&files)?)?;
    Ok(digest(&manifest))
}

/// The part after the last colon of a reference, unless it is a port.
fn tag(name: &str) -> &str {
    let tag = name.rsplit_once(':').map(|(_, tag)| tag);
    tag.filter(|tag| !tag.contains('/')).unwrap_or("latest")
}

fn config(image: &Image, diff_id: &str) -> Value {
    let mut process = json!({
        "Entrypoint": image.entrypoint,
        "User": USER,
        "WorkingDir": "/",
    });
    if !image.labels.is_empty() {
        process["Labels"] = json!(image.labels);
    }
    let mut config = json!({
        "architecture": image.architecture,
        "os": "linux",
        "config": process,
        "rootfs": { "type": "layers", "diff_ids": [diff_id] },
    });
    if let Some(created) = &image.created {
        config["created"] = json!(created);
        config["history"] = json!([{ "created": created, "created_by": "cargo image" }]);
    }
    config
}

/// A tar of the files and of their parent directories, sorted by path.
fn layer(files: &[File]) -> Result<Vec<u8>> {
    let mut sorted = BTreeMap::new();
    let mut directories = BTreeSet::new();
    for file in files {
        let before = sorted.insert(file.path.as_str(), file);
        ensure!(before.is_none(), "two files are called {}", file.path);
        let parents = file.path.match_indices('/').map(|(at, _)| at + 1);
        directories.extend(parents.filter_map(|end| file.path.get(..end)));
    }
    let mut tar = Builder::new(Vec::new());
    for directory in directories {
        let mut header = header(EntryType::Directory, 0o755, 0);
        tar.append_data(&mut header, directory, std::io::empty())?;
    }
    for (path, file) in sorted {
        let mode = if file.is_program { 0o755 } else { 0o644 };
        let mut header = header(EntryType::Regular, mode, file.content.len().try_into()?);
        tar.append_data(&mut header, path, file.content.as_slice())
            .with_context(|| format!("cannot add {path}"))?;
    }
    Ok(tar.into_inner()?)
}

/// User, group and time are zero.
fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header
}

fn compressed(tar: &[u8]) -> Result<Vec<u8>> {
    let mut gzip = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::best());
    gzip.write_all(tar)?;
    Ok(gzip.finish()?)
}

/// Under a temporary name until it is complete, so that no reader gets half of it.
fn save(archive: &Path, bytes: &[u8]) -> Result<()> {
    let directory = archive.parent().unwrap_or(Path::new("."));
    let written = || -> Result<()> {
        let mut named = tempfile::Builder::new();
        named.permissions(Permissions::from_mode(0o644));
        let mut unfinished = named.tempfile_in(directory)?;
        unfinished.write_all(bytes)?;
        unfinished.persist(archive)?;
        Ok(())
    };
    written().with_context(|| format!("cannot write {}", archive.display()))
}

fn file(path: &str, content: Vec<u8>) -> File {
    File {
        path: path.to_owned(),
        is_program: false,
        content,
    }
}

fn descriptor(media_type: &str, blob: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": digest(blob), "size": blob.len() })
}

/// The OCI digest of some bytes.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// OCI's name for the CPU architecture of this program.
#[must_use]
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
