//! The ways in which a pod gets the pair. Each has an example in docs/sdks.md.

use std::fmt;

use static_aws_credentials::api::Layout;
use strum::VariantArray as _;

/// A layout, and its use by a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    Layout(Layout),
    /// `ProcessJson` with an expiration, after which the SDK asks again.
    ProcessJsonExpiring,
}

impl Way {
    /// Two annotations; the injection adds the rest.
    pub const CREDENTIAL_PROCESS: Self = Self::Layout(Layout::CredentialProcess);

    /// In the order of the table: every layout, and the expiring form beside the other.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for &layout in Layout::VARIANTS {
            all.push(Self::Layout(layout));
            if layout == Layout::ProcessJson {
                all.push(Self::ProcessJsonExpiring);
            }
        }
        all
    }

    /// The layout of the target.
    pub fn layout(self) -> Layout {
        match self {
            Self::Layout(layout) => layout,
            Self::ProcessJsonExpiring => Layout::ProcessJson,
        }
    }

    /// The heading of the example.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Layout(layout) => layout.as_str(),
            Self::ProcessJsonExpiring => "ProcessJson, expiring",
        }
    }

    /// The name of the container.
    pub fn container(self) -> String {
        self.heading().to_lowercase().replace(", ", "")
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
