//! Checks that the build is reproducible, with a second build from a copy of the sources in another directory.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::{
    build::{Built, Place, build, built_for},
    cargo::{self, Surroundings},
    origin::Origin,
    platform::Platform,
    toolchain::Toolchain,
};

/// Not copied: build results, and files that a build does not read.
const LEFT_OUT: [&str; 2] = ["target", ".git"];

/// Builds the image of this workspace for a platform and, from scratch, that of a copy, and compares the two. Blocks
/// during both builds.
///
/// # Errors
/// When a build fails or the two differ.
pub fn verify(platform: Platform) -> Result<Built> {
    let workspace = cargo::metadata(&here(), platform)?.workspace_root;
    let elsewhere = tempfile::Builder::new().prefix("image-").tempdir()?;
    let copy = elsewhere.path().join("a/copy/of/the/sources");
    copy_tree(&workspace, &copy)?;
    let origin = Origin::of(&workspace)?;
    let first = built_for(platform)?;
    eprintln!("image: once more, in {}", copy.display());
    let metadata = cargo::metadata(&copy, platform)?;
    let place = Place {
        surroundings: other_surroundings(&metadata.workspace_root, elsewhere.path())?,
        origin,
        tools: Toolchain::of(platform)?,
    };
    let second = build(&place, &metadata)?;
    if fs::read(&first.archive)? != fs::read(&second.archive)? {
        let kept = first.archive.with_extension("second.tar");
        fs::copy(&second.archive, &kept)?;
        bail!(
            "two builds differ: {} is {}, and {} is {}",
            first.archive.display(),
            first.digest,
            kept.display(),
            second.digest
        );
    }
    Ok(first)
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}

/// Another target directory, another home of Cargo, one compiler process at a time, another time zone, other messages.
fn other_surroundings(workspace: &Path, elsewhere: &Path) -> Result<Surroundings> {
    let cargo_home = elsewhere.join("home of cargo");
    fs::create_dir(&cargo_home)?;
    for entry in fs::read_dir(cargo::home()?)? {
        let entry = entry?;
        symlink(entry.path(), cargo_home.join(entry.file_name()))?;
    }
    Ok(Surroundings {
        workspace: workspace.to_owned(),
        target: elsewhere.join("built"),
        cargo_home,
        variables: vec![
            ("CARGO_BUILD_JOBS", "1"),
            ("TZ", "Asia/Kathmandu"),
            ("LC_ALL", "C"),
        ],
    })
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

#[cfg(test)]
mod tests {
    use std::fs;

    use anyhow::{Result, ensure};

    use super::{copy_tree, here, other_surroundings};
    use crate::{
        cargo::{self, HELPER, Surroundings},
        platform::Platform,
        toolchain::Toolchain,
    };

    /// The bytes of the helper after a build from scratch.
    fn helper(around: &Surroundings, tools: &Toolchain) -> Result<Vec<u8>> {
        cargo::compile(around, tools, &[HELPER])?;
        let built = around.target.join(tools.platform.triple()).join("release");
        Ok(fs::read(built.join(HELPER))?)
    }

    fn contains(program: &[u8], text: &str) -> bool {
        let mut windows = program.windows(text.len());
        windows.any(|window| window == text.as_bytes())
    }

    /// The whole image takes some minutes: the release runs `cargo image --verify`.
    #[test]
    fn two_builds_of_the_helper_in_different_surroundings_are_the_same_bytes() -> Result<()> {
        let place = tempfile::tempdir()?;
        let tools = Toolchain::of(Platform::own()?)?;
        let workspace = cargo::metadata(&here(), tools.platform)?.workspace_root;
        let first = Surroundings {
            workspace: workspace.clone(),
            target: place.path().join("target"),
            cargo_home: cargo::home()?,
            variables: Vec::new(),
        };
        let copy = place.path().join("a/copy/of/the/sources");
        copy_tree(&workspace, &copy)?;
        let second = other_surroundings(&copy, place.path())?;
        let program = helper(&first, &tools)?;
        ensure!(program == helper(&second, &tools)?, "two builds differ");

        // The sources that two machines keep at different places are in the program, so the comparison can fail.
        ensure!(contains(&program, "/registry/"), "no source has a name");
        for path in [&workspace, place.path()] {
            let path = path.display().to_string();
            ensure!(!contains(&program, &path), "the program has {path}");
        }
        Ok(())
    }
}
