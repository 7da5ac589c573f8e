//! Reads the logs that containerd writes for kubelet: one file for each start of a container, each line
//! with a time, a stream, and a letter that says whether the line ends there.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

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
