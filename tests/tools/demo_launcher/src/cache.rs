//! Content of the cache from earlier runs, by name only: missing programs must be built.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The cache of this project.
pub(crate) struct Cache {
    pub(crate) directory: PathBuf,
}

impl Cache {
    pub(crate) fn open() -> Option<Self> {
        let base = env::var_os("XDG_CACHE_HOME")
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
            .or_else(|| env::home_dir().map(|home| home.join(".cache")))?;
        Some(Self {
            directory: base.join("static-aws-credentials"),
        })
    }

    /// Whether a directory whose name begins with `prefix` holds all these files. Their users check the version later.
    pub(crate) fn has(&self, prefix: &str, files: &[&str]) -> bool {
        let entries = fs::read_dir(&self.directory)
            .into_iter()
            .flatten()
            .flatten();
        entries
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
            .any(|entry| files.iter().all(|file| entry.path().join(file).is_file()))
    }
}

/// The directory itself, or the nearest one above it that exists.
pub(crate) fn existing(path: &Path) -> &Path {
    let mut all = path.ancestors();
    all.find(|path| path.exists()).unwrap_or(path)
}
