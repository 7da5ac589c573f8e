//! Reads the logs that containerd writes for kubelet: one file for each start of a container. Each line has a
//! time, a stream, and a letter that marks whether the line ends there.

use std::{
    ffi::OsStr,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::task::JoinHandle;

pub(super) fn read(logs: &Path, namespace: &str, pod: &str, container: &str) -> Result<String> {
    let prefix = format!("{namespace}_{pod}_");
    let mut files = Vec::new();
    for directory in entries(logs)? {
        let name = directory.file_name().unwrap_or_default().as_encoded_bytes();
        if name.starts_with(prefix.as_bytes()) {
            files.extend(entries(&directory.join(container)).unwrap_or_default());
        }
    }
    files.retain(|file| file.extension() == Some(OsStr::new("log")));
    files.sort_by_key(|file| number(file));
    anyhow::ensure!(
        !files.is_empty(),
        "{namespace}/{pod}/{container} has written no log"
    );
    let mut text = String::new();
    for file in files {
        let content =
            std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        text.push_str(&messages(&String::from_utf8_lossy(&content)));
    }
    Ok(text)
}

/// The logs of all pods of a namespace: collected until this value is dropped, kept until the node is.
#[derive(Debug)]
pub struct KeptLogs {
    directory: PathBuf,
    keeping: JoinHandle<()>,
}

impl KeptLogs {
    pub(super) fn new(logs: PathBuf, namespace: String, directory: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&directory)?;
        let kept = directory.clone();
        let keeping = tokio::spawn(async move {
            let mut often = tokio::time::interval(Duration::from_millis(50));
            loop {
                often.tick().await;
                // An error means that the node has been dropped, and its directory removed.
                let _ = keep(&logs, &namespace, &kept);
            }
        });
        Ok(Self { directory, keeping })
    }

    /// All logs, with names that begin with namespace and pod.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn read(&self) -> Result<Vec<(String, String)>> {
        let mut logs = Vec::new();
        for file in entries(&self.directory)? {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let text = messages(&String::from_utf8_lossy(&std::fs::read(&file)?));
            logs.push((name.into_owned(), text));
        }
        Ok(logs)
    }
}

impl Drop for KeptLogs {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}

/// Gives every log of a namespace a second name, which remains when the pod is deleted.
fn keep(logs: &Path, namespace: &str, kept: &Path) -> Result<()> {
    let prefix = format!("{namespace}_");
    for pod in entries(logs)? {
        let name = pod.file_name().unwrap_or_default().to_string_lossy();
        if !name.starts_with(&prefix) {
            continue;
        }
        // A directory or file that is gone now was linked in an earlier pass.
        for container in entries(&pod).unwrap_or_default() {
            for file in entries(&container).unwrap_or_default() {
                let Ok(about) = std::fs::metadata(&file) else {
                    continue;
                };
                let which = container.file_name().unwrap_or_default().to_string_lossy();
                // Rotation renames a file, so the inode identifies it.
                let second = kept.join(format!("{name}_{which}_{}", about.ino()));
                if !second.exists() {
                    let _ = std::fs::hard_link(&file, second);
                }
            }
        }
    }
    Ok(())
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(directory)
        .with_context(|| format!("cannot read {}", directory.display()))?;
    Ok(entries.flatten().map(|entry| entry.path()).collect())
}

fn number(file: &Path) -> u32 {
    let stem = file.file_stem().and_then(OsStr::to_str);
    stem.and_then(|stem| stem.parse().ok()).unwrap_or(u32::MAX)
}

fn messages(log: &str) -> String {
    let mut text = String::new();
    for line in log.lines() {
        let mut parts = line.splitn(4, ' ').skip(2);
        let ends = parts.next() != Some("P");
        text.push_str(parts.next().unwrap_or_default());
        if ends {
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_in_parts_is_put_together() {
        let log = "2026-01-01T00:00:00Z stdout P a b \n2026-01-01T00:00:00Z stdout F c\n\
                   2026-01-01T00:00:01Z stderr F \n";
        assert_eq!(messages(log), "a b c\n\n");
    }
}
