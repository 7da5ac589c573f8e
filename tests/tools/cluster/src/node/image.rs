//! Container images made from a static binary, for the pods of tests.

use std::path::Path;

use anyhow::{Context, Result};
use image::oci::{self, File, Image, architecture};

/// Writes an archive with one image called `name`, which starts `binary`.
pub(super) fn write(
    archive: &Path,
    name: &str,
    binary: &Path,
    extra_files: &[(String, Vec<u8>)],
) -> Result<()> {
    let program = binary.file_name().and_then(|file| file.to_str());
    let program = program.context("the binary has no name")?;
    let content =
        std::fs::read(binary).with_context(|| format!("cannot read {}", binary.display()))?;
    let mut files = vec![File {
        path: program.to_owned(),
        is_program: true,
        content,
    }];
    files.extend(extra_files.iter().map(|(path, content)| File {
        path: path.trim_start_matches('/').to_owned(),
        is_program: false,
        content: content.clone(),
    }));
    let image = Image {
        name: name.to_owned(),
        architecture: architecture().to_owned(),
        entrypoint: vec![format!("/{program}")],
        files,
        ..Image::default()
    };
    oci::write(archive, &image).map(drop)
}
