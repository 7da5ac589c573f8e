//! Container images of one layer, made from a static binary: an OCI archive that containerd imports.

use std::{fs::File, path::Path};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{Builder, Header};

/// A user without rights, so that the image runs in a namespace that demands one.
const USER: &str = "65532:65532";

/// Writes an archive with one image called `name`, which starts `binary`.
pub(super) fn write(
    archive: &Path,
    name: &str,
    binary: &Path,
    extra_files: &[(String, Vec<u8>)],
) -> Result<()> {
    let (program, layer) = layer(binary, extra_files)?;
    let config = serde_json::to_vec(&json!({
        "architecture": architecture(),
        "os": "linux",
        "config": { "Entrypoint": [format!("/{program}")], "User": USER, "WorkingDir": "/" },
        "rootfs": { "type": "layers", "diff_ids": [digest(&layer)] },
    }))?;
    let manifest = serde_json::to_vec(&json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", &layer)],
    }))?;
    let mut entry = descriptor("application/vnd.oci.image.manifest.v1+json", &manifest);
    entry["annotations"] = json!({ "io.containerd.image.name": name });
    let index = json!({ "schemaVersion": 2, "manifests": [entry] });

    let mut image = Builder::new(File::create(archive)?);
    add(
        &mut image,
        "oci-layout",
        0o644,
        br#"{"imageLayoutVersion":"1.0.0"}"#,
    )?;
    add(
        &mut image,
        "index.json",
        0o644,
        &serde_json::to_vec(&index)?,
    )?;
    for blob in [&layer, &config, &manifest] {
        let path = format!("blobs/{}", digest(blob).replace(':', "/"));
        add(&mut image, &path, 0o644, blob)?;
    }
    image.into_inner()?;
    Ok(())
}

/// The only layer, and the name of the program in its root.
fn layer(binary: &Path, extra_files: &[(String, Vec<u8>)]) -> Result<(String, Vec<u8>)> {
    let program = binary.file_name().and_then(|file| file.to_str());
    let program = program.context("the binary has no name")?;
    let content =
        std::fs::read(binary).with_context(|| format!("cannot read {}", binary.display()))?;
    let mut layer = Builder::new(Vec::new());
    add(&mut layer, program, 0o755, &content)?;
    for (path, content) in extra_files {
        add(&mut layer, path.trim_start_matches('/'), 0o644, content)?;
    }
    Ok((program.to_owned(), layer.into_inner()?))
}

fn add<W: std::io::Write>(
    archive: &mut Builder<W>,
    path: &str,
    mode: u32,
    data: &[u8],
) -> Result<()> {
    let mut header = Header::new_gnu();
    header.set_size(data.len().try_into()?);
    header.set_mode(mode);
    archive.append_data(&mut header, path, data)?;
    Ok(())
}

fn descriptor(media_type: &str, blob: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": digest(blob), "size": blob.len() })
}

fn digest(blob: &[u8]) -> String {
    let hash = Sha256::digest(blob);
    let hex = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let hex: String = hex
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect();
    format!("sha256:{hex}")
}

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
