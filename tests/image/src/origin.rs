//! Which commit an image is made from, and the one time that it bears.

use std::{path::Path, process::Command};

use anyhow::{Context, Result};
use jiff::Timestamp;

/// Where the sources come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The time of the image, in RFC 3339.
    pub created: String,
    /// The commit, if the sources are exactly that.
    pub revision: Option<String>,
    /// Where the sources are published, which only who publishes them knows: `IMAGE_SOURCE`.
    pub source: Option<String>,
}

impl Origin {
    /// `SOURCE_DATE_EPOCH` decides on the time, else the commit's; 1970 where there is neither, since
    /// the hour of the build would make every image another.
    ///
    /// # Errors
    /// When `SOURCE_DATE_EPOCH` is no number of seconds.
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
