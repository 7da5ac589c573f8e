//! The SDKs, how each is installed, and the layouts that it has a way to read.

use std::path::{Path, PathBuf};

use anyhow::Result;
use static_aws_credentials::api::Layout;

use crate::install;

/// An SDK, or a program that people use as one.
pub struct Sdk {
    /// Its name in the table.
    pub name: &'static str,
    /// The directory of its client, and the name of its pod.
    pub client: &'static str,
    /// What it can read.
    pub layouts: &'static [Layout],
    /// Installs it.
    pub prepare: fn(&Path) -> Result<Client>,
}

/// A client that can be started.
pub struct Client {
    pub command: Vec<String>,
    pub runs: Runs,
}

/// What is around the client in its container.
pub enum Runs {
    /// An image with this static binary and nothing else, in a namespace under `restricted`.
    Alone(PathBuf),
    /// The machine's own programs and libraries, read-only, and these directories.
    OnTheMachine(Vec<PathBuf>),
}

const FILES_AND_BINDING: &[Layout] = &[
    Layout::Env,
    Layout::SharedCredentialsFile,
    Layout::ProcessJson,
    Layout::ServiceBinding,
    Layout::CloudCredential,
];
const NO_SHELL: &[Layout] = &[
    Layout::Env,
    Layout::SharedCredentialsFile,
    Layout::CloudCredential,
];

/// In the order of the table.
pub const SDKS: &[Sdk] = &[
    Sdk {
        name: "Python, boto3",
        client: "boto3",
        layouts: FILES_AND_BINDING,
        prepare: install::python,
    },
    Sdk {
        name: "Go v2",
        client: "go",
        layouts: NO_SHELL,
        prepare: install::go,
    },
];

impl Sdk {
    /// The directory of its client.
    pub fn directory(&self) -> PathBuf {
        clients().join(self.client)
    }
}

/// The directory of all clients.
pub fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/clients")
}
