//! The SDKs, how each is installed, and the layouts that it has a way to read.

use std::path::{Path, PathBuf};

use crate::{install, way::Way};
use anyhow::Result;

/// An SDK, or a program that people use as one.
pub struct Sdk {
    /// Its name in the table.
    pub name: &'static str,
    /// The name of its pod.
    pub pod: &'static str,
    /// What it can read.
    pub ways: &'static [Way],
    directory: &'static str,
    install: fn(&Path) -> Result<Client>,
}

/// A client that can be started.
#[derive(Clone)]
pub struct Client {
    pub command: Vec<String>,
    pub runs: Runs,
}

/// What is around the client in its container.
#[derive(Clone)]
pub enum Runs {
    /// An image with this static binary and nothing else, in a namespace under `restricted`.
    Alone(PathBuf),
    /// The machine's own programs and libraries, read-only, and these directories.
    OnTheMachine(Vec<PathBuf>),
}

use Way::{
    CloudCredential, CredentialProcess, Env, Mendix, MendixStorage, ProcessJson,
    ProcessJsonExpiring, ServiceBinding, SharedCredentialsFile,
};

const ALL: &[Way] = &[
    Env,
    SharedCredentialsFile,
    ProcessJson,
    ProcessJsonExpiring,
    CredentialProcess,
    ServiceBinding,
    CloudCredential,
];
/// Where there is no library for bindings.
const UNBOUND: &[Way] = &[
    Env,
    SharedCredentialsFile,
    ProcessJson,
    ProcessJsonExpiring,
    CredentialProcess,
    CloudCredential,
];
/// Those that are asked each second all the while, in the way that is made for it.
pub const FOLLOWED: [&str; 5] = ["boto3", "javascript", "go-alone", "java", "rust-alone"];

/// In the order of the table: name, pod, ways, directory of the client, how it is installed.
pub const SDKS: &[Sdk] = &[
    sdk("Python: boto3", "boto3", ALL, "boto3", install::python),
    sdk(
        "Python: aiobotocore",
        "aiobotocore",
        UNBOUND,
        "aiobotocore",
        install::python,
    ),
    sdk("AWS CLI 1", "awscli1", UNBOUND, "awscli", install::cli1),
    sdk("AWS CLI 2", "awscli2", UNBOUND, "awscli", install::cli2),
    sdk(
        "JavaScript 3",
        "javascript",
        UNBOUND,
        "javascript",
        install::javascript,
    ),
    sdk("Go 2", "go", UNBOUND, "go", install::go),
    sdk("Java 2", "java", ALL, "java", install::java),
    sdk("Rust", "rust", UNBOUND, "rust", install::rust),
    sdk("Ruby 3", "ruby", UNBOUND, "ruby", install::ruby),
    sdk(
        "C++, within pyarrow",
        "pyarrow",
        UNBOUND,
        "pyarrow",
        install::python,
    ),
    sdk(
        "minio-go 7",
        "minio",
        &[Env, SharedCredentialsFile],
        "minio",
        install::go,
    ),
    sdk(
        "object_store, within obstore",
        "obstore",
        &[Env],
        "obstore",
        install::python,
    ),
    sdk(
        "Mendix's variables, with Java 2",
        "mendix",
        &[Mendix, MendixStorage],
        "java",
        install::java,
    ),
];

const fn sdk(
    name: &'static str,
    pod: &'static str,
    ways: &'static [Way],
    directory: &'static str,
    install: fn(&Path) -> Result<Client>,
) -> Sdk {
    Sdk {
        name,
        pod,
        ways,
        directory,
        install,
    }
}

impl Sdk {
    /// Installs it. Blocks.
    pub fn prepare(&self) -> Result<Client> {
        (self.install)(&clients().join(self.directory))
    }
}

/// The directory of all clients.
pub fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/clients")
}
