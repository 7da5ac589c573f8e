//! The versions of Kubernetes that a control plane can have, and the Go module of each.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{kubernetes_version, patch};

/// The variable that names the version of every control plane whose test does not choose one, such as `1.34.4`.
const VARIABLE: &str = "KUBERNETES_RELEASE";

/// A version of Kubernetes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// The version that everything is tested with.
    Current,
    /// The oldest minor version that the chart admits, with an API server and a controller manager only.
    Floor,
    /// The patch of this minor version, with an API server and a controller manager only.
    Patch(u32, u32),
}

impl Release {
    /// The release that `KUBERNETES_RELEASE` names, if the variable is set.
    ///
    /// # Errors
    /// When the variable is no version such as `1.34.4`.
    pub fn named() -> Result<Option<Self>> {
        let Some(name) = std::env::var(VARIABLE).ok().filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        let named = Self::parsed(&name);
        let named = named.with_context(|| format!("{VARIABLE} is {name:?}, not like 1.34.4"))?;
        for pinned in [Self::Current, Self::Floor] {
            if pinned.version()? == named.version()? {
                return Ok(Some(pinned));
            }
        }
        Ok(Some(named))
    }

    /// The release that `KUBERNETES_RELEASE` names, else the current one.
    ///
    /// # Errors
    /// As [`Self::named`].
    pub fn selected() -> Result<Self> {
        Ok(Self::named()?.unwrap_or(Self::Current))
    }

    /// The release of a minor version: the pinned one if there is one, else the newest patch whose modules the Go proxy
    /// serves. Blocks, for minutes the first time: the modules are downloaded.
    ///
    /// # Errors
    /// When no patch has all modules; the error has the reason for each.
    pub fn of_minor(minor: u32) -> Result<Self> {
        for pinned in [Self::Current, Self::Floor] {
            if pinned.minor()? == minor {
                return Ok(pinned);
            }
        }
        patch::newest(minor).map(|patch| Self::Patch(minor, patch))
    }

    /// The second number of the version.
    ///
    /// # Errors
    /// When the module of the release cannot be read.
    pub fn minor(self) -> Result<u32> {
        if let Self::Patch(minor, _) = self {
            return Ok(minor);
        }
        let version = self.version()?;
        let Some(Self::Patch(minor, _)) = Self::parsed(&version) else {
            anyhow::bail!("{version} is no version");
        };
        Ok(minor)
    }

    /// The version without the letter `v`.
    ///
    /// # Errors
    /// When the module of the release cannot be read.
    pub fn version(self) -> Result<String> {
        if let Self::Patch(minor, patch) = self {
            return Ok(format!("1.{minor}.{patch}"));
        }
        let go_mod = std::fs::read_to_string(self.module()?.join("go.mod"))?;
        let version = kubernetes_version(&go_mod).context("go.mod requires no Kubernetes")?;
        Ok(version.trim_start_matches('v').to_owned())
    }

    /// The folder of the Go module from which the release is built. Blocks: see [`Self::of_minor`].
    pub(super) fn module(self) -> Result<PathBuf> {
        let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools");
        match self {
            Self::Current => Ok(tools),
            Self::Floor => Ok(tools.join("kubernetes-floor")),
            Self::Patch(minor, patch) => patch::module(&format!("v1.{minor}.{patch}")),
        }
    }

    fn parsed(name: &str) -> Option<Self> {
        let (minor, patch) = name.strip_prefix("1.")?.split_once('.')?;
        Some(Self::Patch(minor.parse().ok()?, patch.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_three_numbers() {
        assert_eq!(Release::parsed("1.34.4"), Some(Release::Patch(34, 4)));
        for name in ["", "1.34", "v1.34.4", "1.34.4-rc.0", "2.1.0", "1.a.0"] {
            assert_eq!(Release::parsed(name), None, "{name}");
        }
    }

    #[test]
    fn a_pinned_release_has_the_version_of_its_module() -> Result<()> {
        let chart = std::fs::read_to_string(Path::new(crate::shipped::CHART).join("Chart.yaml"))?;
        let floor = Release::Floor.minor()?;
        assert!(
            chart.contains(&format!("kubeVersion: \">=1.{floor}.0-0\"")),
            "{chart}"
        );
        assert_eq!(Release::of_minor(floor)?, Release::Floor);
        let current = Release::Current.minor()?;
        assert!(current > floor);
        assert_eq!(Release::of_minor(current)?, Release::Current);
        Ok(())
    }
}
