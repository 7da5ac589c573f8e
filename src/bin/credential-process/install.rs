//! Copies the program to where other containers find it: the image has no `cp`.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

const NAME: &str = "credential-process";
const MODE: u32 = 0o755;

/// Puts this program into a directory, all at once: nobody can start a half of it.
pub fn into(directory: &Path) -> Result<(), String> {
    let unfinished = directory.join(format!(".{NAME}.{}", std::process::id()));
    let copied =
        std::env::current_exe().and_then(|own| put(&own, &unfinished, directory.join(NAME)));
    copied.map_err(|error| {
        // It may not even exist.
        let _ = fs::remove_file(&unfinished);
        format!(
            "install: {} cannot be written: {error}; name a directory that this user may write to",
            directory.display()
        )
    })
}

fn put(own: &Path, unfinished: &Path, place: PathBuf) -> io::Result<()> {
    fs::copy(own, unfinished)?;
    fs::set_permissions(unfinished, fs::Permissions::from_mode(MODE))?;
    fs::rename(unfinished, place)
}
