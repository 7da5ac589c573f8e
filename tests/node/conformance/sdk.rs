//! The SDKs, how each is installed, and the layouts that it can read.

use std::path::{Path, PathBuf};

use anyhow::Result;
use static_aws_credentials::api::Layout::{
    CloudCredential, CredentialProcess, Env, Mendix, MendixStorage, ProcessJson, ServiceBinding,
    SharedCredentialsFile,
};

use crate::conformance::{
    install,
    way::Way::{self, Layout, ProcessJsonExpiring},
};

/// An SDK, or a program that is used like one.
pub struct Sdk {
    /// Name in the table.
    pub name: &'static str,
    /// Name of the pod.
    pub pod: &'static str,
    /// Ways that the SDK supports.
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

/// The environment of the client in its container.
#[derive(Clone)]
pub enum Runs {
    /// An image with only this static binary, in a namespace under `restricted`.
    Alone(PathBuf),
    /// The machine's own programs and libraries, read-only, and these directories.
    OnTheMachine(Vec<PathBuf>),
}

const ALL: &[Way] = &[
    Layout(Env),
    Layout(SharedCredentialsFile),
    Layout(ProcessJson),
    ProcessJsonExpiring,
    Layout(CredentialProcess),
    Layout(ServiceBinding),
    Layout(CloudCredential),
];
/// Ways of SDKs without a library for service bindings.
const UNBOUND: &[Way] = &[
    Layout(Env),
    Layout(SharedCredentialsFile),
    Layout(ProcessJson),
    ProcessJsonExpiring,
    Layout(CredentialProcess),
    Layout(CloudCredential),
];
/// Pods whose client is asked every second during the whole rotation, by `CredentialProcess`.
pub const FOLLOWED: [&str; 5] = ["boto3", "javascript", "go-alone", "java", "rust-alone"];

/// In the order of the table: name, pod, ways, directory of the client, installer.
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
        &[Layout(Env), Layout(SharedCredentialsFile)],
        "minio",
        install::go,
    ),
    sdk(
        "object_store, within obstore",
        "obstore",
        &[Layout(Env)],
        "obstore",
        install::python,
    ),
    sdk(
        "Mendix's variables, with Java 2",
        "mendix",
        &[Layout(Mendix), Layout(MendixStorage)],
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
    /// Installs the SDK. Blocks.
    pub fn prepare(&self) -> Result<Client> {
        (self.install)(&clients().join(self.directory))
    }
}

/// The directory of all clients.
pub fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node/conformance/clients")
}
