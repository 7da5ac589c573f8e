//! Checks that the build is reproducible, with a second build from a copy of the sources in another directory.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use crate::{
    build::{Built, Place, build},
    cargo,
    origin::Origin,
};

/// Not copied: build results, and files that a build does not read.
const LEFT_OUT: [&str; 2] = ["target", ".git"];

/// Builds the image of this workspace and, from scratch, that of a copy, and compares the two. Blocks during both
/// builds.
///
/// # Errors
/// When a build fails or the two differ.
pub fn verify() -> Result<Built> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let workspace = cargo::metadata(&workspace)?.workspace_root;
    let elsewhere = tempfile::Builder::new().prefix("image-").tempdir()?;
    let copy = elsewhere.path().join("a/copy/of/the/sources");
    copy_tree(&workspace, &copy)?;
    let origin = Origin::of(&workspace)?;
    let first = crate::built()?;
    eprintln!("image: once more, in {}", copy.display());
    let metadata = cargo::metadata(&copy)?;
    let place = Place {
        workspace: metadata.workspace_root.clone(),
        directory: elsewhere.path().join("built"),
        origin,
    };
    let second = build(&place, &metadata)?;
    ensure!(
        first.digest == second.digest,
        "two builds differ: {} here, {} there",
        first.digest,
        second.digest
    );
    ensure!(
        fs::read(&first.archive)? == fs::read(&second.archive)?,
        "the archives of two builds differ, though not the images in them"
    );
    Ok(first)
}

/// Copies a folder without build results.
pub(crate) fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    let entries = fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        if LEFT_OUT.iter().any(|left_out| name == *left_out) {
            continue;
        }
        let target: PathBuf = to.join(&name);
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
