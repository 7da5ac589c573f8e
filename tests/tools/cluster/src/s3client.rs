//! The workload: a program with AWS's own SDK for Go that lists a bucket repeatedly with the given credentials
//! files, and prints a line each time.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::binaries::go_binary;

/// What the workload reports about one read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The time, in RFC 3339.
    pub at: String,
    /// The outcome.
    pub outcome: Outcome,
    /// The last four characters of the access key ID in use, empty if there was none.
    pub key: String,
}

/// The outcome of one read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The bucket was listed.
    Listed {
        /// The number of objects in the bucket.
        objects: usize,
    },
    /// S3 refused with this code.
    Refused {
        /// Such as `InvalidAccessKeyId`.
        code: String,
    },
    /// No answer, or no credentials.
    Failed {
        /// The SDK's message.
        message: String,
    },
}

/// The program: static, so that an image needs no other file. Blocks, since the first call builds it.
///
/// # Errors
/// If Go is missing or the build fails.
pub fn binary() -> Result<PathBuf> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("s3client");
    go_binary(&module, ".", "s3client", 10)
}

impl Reading {
    /// Parses a line of the program's output; `None` for any other line.
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
