//! The workload: a program with AWS's own SDK for Go that lists a bucket again and again with the
//! credentials files it is given, and prints a line each time.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::binaries::go_binary;

/// What the workload says about one read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// When, in RFC 3339.
    pub at: String,
    /// How it went.
    pub outcome: Outcome,
    /// The last four characters of the access key ID it used, empty if it found none.
    pub key: String,
}

/// How one read went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The bucket was listed.
    Listed {
        /// How many objects it holds.
        objects: usize,
    },
    /// S3 refused, with this code.
    Refused {
        /// Such as `InvalidAccessKeyId`.
        code: String,
    },
    /// It got no answer, or found no credentials.
    Failed {
        /// In the SDK's words.
        message: String,
    },
}

/// The program: static, so it can be all there is in an image. Blocks; the first time it builds it.
///
/// # Errors
/// If Go is missing or the build fails.
pub fn binary() -> Result<PathBuf> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("s3client");
    go_binary(&module, ".", "s3client", 10)
}

impl Reading {
    /// Reads a line of the program's output; nothing if it is none.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let (rest, key) = line.trim_end().rsplit_once(" key=")?;
        let (at, outcome) = rest.split_once(' ')?;
        let outcome = if let Some(objects) = outcome.strip_prefix("ok objects=") {
            let objects = objects.parse().ok()?;
            Outcome::Listed { objects }
        } else if let Some(code) = outcome.strip_prefix("error code=") {
            let code = code.to_owned();
            Outcome::Refused { code }
        } else {
            let message = outcome.strip_prefix("error message=")?.to_owned();
            Outcome::Failed { message }
        };
        Some(Self {
            at: at.to_owned(),
            outcome,
            key: key.to_owned(),
        })
    }
}
