//! The commit that an image is made from, and its only timestamp.

use std::{path::Path, process::Command};

use anyhow::{Context, Result};
use jiff::Timestamp;

/// The origin of the sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The time of the image, in RFC 3339.
    pub created: String,
    /// The commit, if there are no uncommitted changes.
    pub revision: Option<String>,
    /// The place where the sources are published, which only the publisher knows: `IMAGE_SOURCE`.
    pub source: Option<String>,
}

impl Origin {
    /// The time is `SOURCE_DATE_EPOCH`, else that of the commit, else 1970: the time of the build
    /// would make every image different.
    ///
    /// # Errors
    /// When `SOURCE_DATE_EPOCH` is not a number of seconds.
    pub fn of(workspace: &Path) -> Result<Self> {
        let set = std::env::var("SOURCE_DATE_EPOCH").ok();
        let committed = || git(workspace, &["log", "-1", "--format=%ct"]);
        let seconds = set.or_else(committed).unwrap_or_else(|| "0".to_owned());
        let created = seconds.parse().ok().map(Timestamp::from_second);
        let created = created.and_then(Result::ok);
        let created =
            created.with_context(|| format!("SOURCE_DATE_EPOCH: {seconds} are no seconds"))?;
        let changes = git(
            workspace,
            &["status", "--porcelain", "--untracked-files=no"],
        );
        let is_clean = changes.is_some_and(|changes| changes.is_empty());
        let revision = is_clean
            .then(|| git(workspace, &["rev-parse", "HEAD"]))
            .flatten();
        Ok(Self {
            created: created.to_string(),
            revision,
            source: std::env::var("IMAGE_SOURCE").ok(),
        })
    }
}

fn git(workspace: &Path, args: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(workspace)
        .args(args)
        .output()
        .ok()?;
    let text = output
        .status
        .success()
        .then(|| String::from_utf8(output.stdout).ok())??;
    Some(text.trim().to_owned())
}
