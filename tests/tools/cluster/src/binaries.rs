//! Where the programs of a cluster come from: `KUBEBUILDER_ASSETS`, else the cache, into which Go builds them from
//! `tools/go.mod`, once for each content of that file.

mod build;
mod patch;
mod release;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

pub use build::go_binary;
use build::{Build, Cache, digest};
pub use release::Release;

/// A program of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// The store behind the API server.
    Etcd,
    /// The API server.
    KubeApiserver,
    /// Garbage collection, namespaces, service accounts, workloads.
    KubeControllerManager,
    /// Assigns pods to nodes.
    KubeScheduler,
    /// Runs pods on a node.
    Kubelet,
    /// The command line client.
    Kubectl,
}

impl Binary {
    /// The name of the file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::KubeApiserver => "kube-apiserver",
            Self::KubeControllerManager => "kube-controller-manager",
            Self::KubeScheduler => "kube-scheduler",
            Self::Kubelet => "kubelet",
            Self::Kubectl => "kubectl",
        }
    }

    fn package(self) -> String {
        match self {
            Self::Etcd => "go.etcd.io/etcd/server/v3".to_owned(),
            _ => format!("k8s.io/kubernetes/cmd/{}", self.name()),
        }
    }

    /// The time of a first build on two cores, when the programs before it in the list are already built.
    fn usual_seconds(self) -> u64 {
        match self {
            Self::Etcd | Self::Kubectl => 50,
            Self::KubeApiserver => 300,
            Self::KubeControllerManager => 150,
            Self::KubeScheduler => 15,
            Self::Kubelet => 55,
        }
    }
}

/// Finds the programs, in the order of `wanted`, and builds missing ones. Blocks, for minutes the first time.
///
/// # Errors
/// When a program is missing and cannot be built; the error names the missing prerequisite.
pub fn find(wanted: &[Binary]) -> Result<Vec<PathBuf>> {
    find_of(Release::Current, wanted)
}

/// The same for a release.
///
/// # Errors
/// As [`find`].
pub fn find_of(release: Release, wanted: &[Binary]) -> Result<Vec<PathBuf>> {
    let module = release.module()?;
    let go_mod = std::fs::read_to_string(module.join("go.mod"))
        .with_context(|| format!("cannot read go.mod in {}", module.display()))?;
    let version = kubernetes_version(&go_mod).context("go.mod requires no k8s.io/kubernetes")?;
    let cache = Cache::at(&format!("{version}-{}", digest([go_mod.as_bytes()])))?;

    let paths: Vec<PathBuf> = wanted
        .iter()
        .map(|binary| {
            let provided = (release == Release::Current).then(|| provided(*binary));
            let built = || cache.path(binary.name());
            provided.flatten().unwrap_or_else(built)
        })
        .collect();
    let missing: Vec<Build> = wanted
        .iter()
        .zip(&paths)
        .filter(|(_, path)| !path.is_file())
        .map(|(binary, _)| Build {
            name: binary.name().to_owned(),
            package: binary.package(),
            ldflags: version_flags(version),
            usual_seconds: binary.usual_seconds(),
        })
        .collect();
    cache.fill(&module, &missing)?;
    Ok(paths)
}

/// The variable is a convention of envtest, which has these three programs only.
fn provided(binary: Binary) -> Option<PathBuf> {
    let conventional = [Binary::Etcd, Binary::KubeApiserver, Binary::Kubectl];
    let assets = std::env::var_os("KUBEBUILDER_ASSETS")?;
    let path = Path::new(&assets).join(binary.name());
    (conventional.contains(&binary) && path.is_file()).then_some(path)
}

fn kubernetes_version(go_mod: &str) -> Option<&str> {
    go_mod.lines().find_map(|line| {
        let mut words = line
            .split_whitespace()
            .skip_while(|word| *word == "require");
        (words.next() == Some("k8s.io/kubernetes")).then(|| words.next())?
    })
}

/// Without these flags the server reports v0.0.0, and clients that check the version refuse to work.
fn version_flags(version: &str) -> String {
    let mut numbers = version.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next().unwrap_or("0"), numbers.next().unwrap_or("0"));
    [
        ("gitVersion", version),
        ("gitMajor", major),
        ("gitMinor", minor),
    ]
    .map(|(name, value)| format!(" -X k8s.io/component-base/version.{name}={value}"))
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_that_go_mod_requires() {
        let go_mod = "module m\n\nrequire (\n\tk8s.io/kubernetes v1.37.2\n)\nreplace (\n\tk8s.io/api => k8s.io/api v0.37.2\n)\n";
        assert_eq!(kubernetes_version(go_mod), Some("v1.37.2"));
        assert_eq!(
            kubernetes_version("require k8s.io/kubernetes v1.2.3"),
            Some("v1.2.3")
        );
        assert_eq!(kubernetes_version("module m"), None);
        assert!(
            version_flags("v1.37.2")
                .ends_with("gitMajor=1 -X k8s.io/component-base/version.gitMinor=37")
        );
    }
}
