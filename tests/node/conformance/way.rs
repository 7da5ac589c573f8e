//! The ways in which a pod gets the pair. Each has an example in docs/sdks.md.

use std::fmt;

use static_aws_credentials::api::Layout;

/// A layout, and its use by a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    Env,
    SharedCredentialsFile,
    ProcessJson,
    /// `ProcessJson` with an expiration, after which the SDK asks again.
    ProcessJsonExpiring,
    /// Two annotations; the injection adds the rest.
    CredentialProcess,
    ServiceBinding,
    CloudCredential,
    Mendix,
    MendixStorage,
}

impl Way {
    /// In the order of the table.
    pub const ALL: [Self; 9] = [
        Self::Env,
        Self::SharedCredentialsFile,
        Self::ProcessJson,
        Self::ProcessJsonExpiring,
        Self::CredentialProcess,
        Self::ServiceBinding,
        Self::CloudCredential,
        Self::Mendix,
        Self::MendixStorage,
    ];

    /// The layout of the target.
    pub fn layout(self) -> Layout {
        match self {
            Self::Env => Layout::Env,
            Self::SharedCredentialsFile => Layout::SharedCredentialsFile,
            Self::ProcessJson | Self::ProcessJsonExpiring => Layout::ProcessJson,
            Self::CredentialProcess => Layout::CredentialProcess,
            Self::ServiceBinding => Layout::ServiceBinding,
            Self::CloudCredential => Layout::CloudCredential,
            Self::Mendix => Layout::Mendix,
            Self::MendixStorage => Layout::MendixStorage,
        }
    }

    /// The heading of the example.
    pub fn heading(self) -> &'static str {
        match self {
            Self::ProcessJsonExpiring => "ProcessJson, expiring",
            _ => self.layout().as_str(),
        }
    }

    /// The name of the container.
    pub fn container(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// Whether the SDK has to start a process through a shell of its image.
    pub fn needs_shell(self) -> bool {
        self.layout() == Layout::ProcessJson
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.heading())
    }
}
