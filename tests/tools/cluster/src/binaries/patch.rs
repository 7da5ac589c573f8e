//! A Go module for any patch of Kubernetes, with the versions of Kubernetes' own `go.mod`. That file itself cannot be
//! built from: it replaces the modules of Kubernetes by folders that no module contains.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use debian::cache::{self, lock};
use serde::Deserialize;

use super::Binary;

const KUBERNETES: &str = "k8s.io/kubernetes";
/// Patches that are tried, newest first. A proxy may lack a module of the newest one.
const TRIED: usize = 3;

/// Parts of the answer of `go mod download -json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Download {
    go_mod: PathBuf,
    dir: PathBuf,
}

/// The newest patch of a minor version whose modules the Go proxy serves.
pub(super) fn newest(minor: u32) -> Result<u32> {
    let versions = go(Path::new("/"), &["list", "-m", "-versions", KUBERNETES])?;
    let patches = patches(&versions, minor);
    ensure!(
        !patches.is_empty(),
        "the Go proxy serves no patch of 1.{minor}"
    );
    let mut reasons = Vec::new();
    for patch in patches.into_iter().take(TRIED) {
        match module(&format!("v1.{minor}.{patch}")) {
            Ok(_) => return Ok(patch),
            Err(error) => {
                eprintln!("cluster: {error:#}");
                reasons.push(format!("{error:#}"));
            }
        }
    }
    bail!(reasons.join("; "))
}

/// The patches of a minor version in a list of versions, newest first.
fn patches(versions: &str, minor: u32) -> Vec<u32> {
    let prefix = format!("v1.{minor}.");
    let patches = versions.split_whitespace();
    let patches = patches.filter_map(|version| version.strip_prefix(&prefix)?.parse().ok());
    let mut patches: Vec<u32> = patches.collect();
    patches.sort_unstable_by(|one, other| other.cmp(one));
    patches
}

/// The folder of the module for a version, made once. Go checks each download against its checksum database.
pub(super) fn module(version: &str) -> Result<PathBuf> {
    let modules = cache::directory()?.join("kubernetes-modules");
    let module = modules.join(version);
    if module.join("go.mod").is_file() {
        return Ok(module);
    }
    std::fs::create_dir_all(&modules)?;
    let _lock = lock(&modules.join("lock"))?;
    if module.join("go.mod").is_file() {
        return Ok(module);
    }
    let wanted = format!("{KUBERNETES}@{version}");
    let answer = go(Path::new("/"), &["mod", "download", "-json", &wanted])?;
    let download: Download = serde_json::from_str(&answer)?;
    let unfinished = tempfile::tempdir_in(&modules)?;
    let go_mod = std::fs::read_to_string(&download.go_mod)?;
    let go_mod = own_go_mod(&go_mod, version).context("its go.mod has another form")?;
    std::fs::write(unfinished.path().join("go.mod"), go_mod)?;
    let sums = std::fs::read(download.dir.join("go.sum"))?;
    std::fs::write(unfinished.path().join("go.sum"), sums)?;
    let packages = [Binary::KubeApiserver, Binary::KubeControllerManager].map(Binary::package);
    let mut list = vec!["list", "-mod=mod", "-deps"];
    list.extend(packages.iter().map(String::as_str));
    // Downloads what the packages need, and adds it to both files.
    go(unfinished.path(), &list).with_context(|| format!("{version} lacks a module"))?;
    std::fs::rename(unfinished.keep(), &module)?;
    Ok(module)
}

/// Kubernetes' own `go.mod` as that of a module that requires Kubernetes. The version of Go and the `godebug` lines
/// stay, since the programs' defaults depend on those of the main module.
fn own_go_mod(of_kubernetes: &str, version: &str) -> Option<String> {
    let staging_version = version.replacen("v1.", "v0.", 1);
    let head = format!("module {KUBERNETES}\n");
    let ours = format!("module cluster.test/kubernetes\n\nrequire {KUBERNETES} {version}\n");
    let (before, after) = of_kubernetes.split_once(&head)?;
    let replaced = format!("{before}{ours}{after}");
    let lines = replaced
        .lines()
        .map(|line| match line.split_once(" => ./staging/") {
            Some((module, _)) => format!("{module} => {} {staging_version}\n", module.trim()),
            None => format!("{line}\n"),
        });
    Some(lines.collect())
}

fn go(directory: &Path, args: &[&str]) -> Result<String> {
    let output = Command::new("go")
        .current_dir(directory)
        .args(args)
        .env("GOTOOLCHAIN", "local")
        .env("GOWORK", "off")
        .env("CGO_ENABLED", "0")
        .output()
        .context("cannot start go")?;
    let complaints = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{}",
        reason(&complaints, &output.stdout)
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// The first line that is no progress, without the file that imports, and the proxy's reason if the line after has it.
fn reason(complaints: &str, answer: &[u8]) -> String {
    let mut lines = complaints.lines().filter(|line| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with("go: downloading ")
    });
    let Some(first) = lines.next() else {
        return String::from_utf8_lossy(answer).into_owned();
    };
    let (place, what) = first.split_once(": ").unwrap_or(("", first));
    let first = if place.starts_with('/') { what } else { first };
    let server = lines.next().map(str::trim);
    let server = server.filter(|line| line.starts_with("server response:"));
    [Some(first), server]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_patch_is_first_and_previews_are_none() {
        let versions = "k8s.io/kubernetes v1.3.4 v1.34.2 v1.34.10 v1.34.11-rc.0 v1.35.0\n";
        assert_eq!(patches(versions, 34), [10, 2]);
        assert_eq!(patches(versions, 36), [0_u32; 0]);
    }

    #[test]
    fn the_modules_of_kubernetes_have_the_version_of_the_patch() {
        let of_kubernetes = "// Generated.\n\nmodule k8s.io/kubernetes\n\ngo 1.24.0\n\ngodebug default=go1.24\n\n\
            require k8s.io/api v0.0.0\n\nreplace (\n\tk8s.io/api => ./staging/src/k8s.io/api\n)\n";
        let ours = "// Generated.\n\nmodule cluster.test/kubernetes\n\nrequire k8s.io/kubernetes v1.34.4\n\n\
            go 1.24.0\n\ngodebug default=go1.24\n\nrequire k8s.io/api v0.0.0\n\n\
            replace (\n\tk8s.io/api => k8s.io/api v0.34.4\n)\n";
        assert_eq!(own_go_mod(of_kubernetes, "v1.34.4").as_deref(), Some(ours));
        assert_eq!(own_go_mod("module another\n", "v1.34.4"), None);
    }

    #[test]
    fn the_reason_is_the_first_line_that_is_no_progress() {
        let complaints = "go: downloading k8s.io/api v0.32.13\n/mod/a.go:42:2: k8s.io/api: 403 Forbidden\n\
            \tserver response: not here\n/mod/b.go:1:1: more\n";
        assert_eq!(
            reason(complaints, b""),
            "k8s.io/api: 403 Forbidden server response: not here"
        );
        assert_eq!(reason("cannot: no\n", b""), "cannot: no");
        assert_eq!(reason("", b"{}"), "{}");
    }
}
