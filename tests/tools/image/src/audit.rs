//! The list of the crates inside the binary itself, in the format of cargo-auditable, so that
//! scanners (`cargo audit bin`, Trivy, Grype) find it even outside the image.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use flate2::{Compression, write::ZlibEncoder};
use serde_json::{Value, json};

use crate::{
    parts::{Kind, Part},
    toolchain::{Program, Toolchain},
};

/// The section that the format prescribes.
const SECTION: &str = ".dep-v0";

/// Copies a binary into a directory, and adds the list to the copy.
pub(crate) fn embed(
    binary: &Path,
    parts: &[Part],
    directory: &Path,
    tools: &Toolchain,
) -> Result<PathBuf> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(&serde_json::to_vec(&list(parts))?)?;
    let section = directory.join("dep-v0");
    fs::write(&section, zlib.finish()?)?;
    let name = binary.file_name().context("the binary has no name")?;
    let audited = directory.join(name);
    let args = [
        format!("--add-section={SECTION}={}", section.display()),
        format!("--set-section-flags={SECTION}=noload,readonly"),
        binary.display().to_string(),
        audited.display().to_string(),
    ];
    tools.output_of(Program::Objcopy, &args.each_ref().map(String::as_str))?;
    Ok(audited)
}

fn list(parts: &[Part]) -> Value {
    let crates = parts
        .iter()
        .take_while(|part| matches!(part.kind, Kind::Operator | Kind::Crate { .. }));
    let packages: Vec<Value> = crates
        .map(|part| {
            let is_root = part.kind == Kind::Operator;
            let is_local = is_root || part.kind == Kind::Crate { sha256: None };
            let source = if is_local { "local" } else { "crates.io" };
            let mut package = json!({
                "name": part.name,
                "version": part.version,
                "source": source,
            });
            if !part.depends_on.is_empty() {
                package["dependencies"] = json!(part.depends_on);
            }
            if is_root {
                package["root"] = json!(true);
            }
            package
        })
        .collect();
    json!({ "packages": packages })
}
