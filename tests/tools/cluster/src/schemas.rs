//! The schemas of Kubernetes' own kinds, for kubeconform, which would fetch them from the network.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::python::Environment;

const ENVIRONMENT: Environment = Environment {
    name: "schemas",
    why: "the schemas of Kubernetes' kinds come in a Python package",
};

/// The schemas of one version. Their directory is removed with this value.
#[derive(Debug)]
pub struct Schemas {
    directory: TempDir,
}

impl Schemas {
    /// The strict schemas of a version such as `1.37`: they reject fields that Kubernetes does not know. Blocks,
    /// for half a minute the first time.
    ///
    /// # Errors
    /// If Python, the package, or this version in the package is missing.
    pub fn of(version: &str) -> Result<Self> {
        let from = packages(&ENVIRONMENT.directory()?)?
            .join("kubernetes_validate/kubernetes-json-schema")
            .join(format!("v{version}.0-local-strict"));
        let directory = tempfile::tempdir()?;
        let entries = fs::read_dir(&from)
            .with_context(|| format!("there are no schemas of {version} at {}", from.display()))?;
        for entry in entries {
            let path = entry?.path();
            // Absolute references: kubeconform would resolve them at a host, or from the root of the file system.
            let text = fs::read_to_string(&path)?
                .replace("\"/api/_definitions.json#", "\"_definitions.json#")
                .replace("\"$id\": \"https://", "\"x-id\": \"https://");
            let name = path.file_name().context("a schema has no name")?;
            fs::write(directory.path().join(name), text)?;
        }
        Ok(Self { directory })
    }

    /// The location of the schemas, as kubeconform's `-schema-location`.
    #[must_use]
    pub fn location(&self) -> String {
        location(self.directory.path())
    }
}

/// Schemas in a directory, with file names like those of Kubernetes, as kubeconform's `-schema-location`.
#[must_use]
pub fn location(directory: &Path) -> String {
    let file = "{{.ResourceKind}}{{.KindSuffix}}.json";
    directory.join(file).display().to_string()
}

/// Searched for, since the path contains the version of Python.
fn packages(environment: &Path) -> Result<PathBuf> {
    for entry in fs::read_dir(environment.join("lib"))? {
        let packages = entry?.path().join("site-packages");
        if packages.is_dir() {
            return Ok(packages);
        }
    }
    bail!("{} holds no packages", environment.display())
}
