//! The platforms that have an image.

use anyhow::{Result, bail};
use clap::ValueEnum;
use debian::Target;

/// A platform, by the name that OCI's tools give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Platform {
    /// x86-64.
    #[value(name = "linux/amd64")]
    Amd64,
    /// 64-bit ARM.
    #[value(name = "linux/arm64")]
    Arm64,
}

impl Platform {
    /// The platform of this machine.
    ///
    /// # Errors
    /// When there is no image for it.
    pub fn own() -> Result<Self> {
        match std::env::consts::ARCH {
            "x86_64" => Ok(Self::Amd64),
            "aarch64" => Ok(Self::Arm64),
            other => bail!("there is no image for {other}: --platform names one"),
        }
    }

    /// OCI's name for the CPU architecture.
    #[must_use]
    pub fn architecture(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// The target triple. With an explicit triple, build scripts and macros are not linked statically.
    #[must_use]
    pub fn triple(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64-unknown-linux-gnu",
            Self::Arm64 => "aarch64-unknown-linux-gnu",
        }
    }

    /// Debian's names for the architecture.
    pub(crate) fn in_debian(self) -> Target {
        let prefix = match self {
            Self::Amd64 => "x86-64-linux-gnu",
            Self::Arm64 => "aarch64-linux-gnu",
        };
        Target {
            architecture: self.architecture(),
            prefix,
        }
    }
}
