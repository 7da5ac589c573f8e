//! Two results of Cargo: the metadata of a workspace, and the static binaries with their packages.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::{platform::Platform, toolchain::Toolchain};

/// The operator's package and its binary.
pub(crate) const NAME: &str = "static-aws-credentials";

/// The package and its binary for the containers of others.
pub(crate) const HELPER: &str = "credential-process";

/// Prefixes of environment variables: those of an outer Cargo about a package, and settings of builds. If the
/// former differ from the last build, ring is compiled again; if the latter do, everything else is too.
const TELLING: [&str; 7] = [
    "CARGO_PKG_",
    "CARGO_MANIFEST_",
    "CARGO_BIN_",
    "CARGO_CFG_",
    "CARGO_PROFILE_",
    "CARGO_BUILD_R",
    "CARGO_TARGET_",
];

/// A workspace, as `cargo metadata` reports it.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) resolve: Resolve,
    pub(crate) target_directory: PathBuf,
    pub(crate) workspace_root: PathBuf,
}

/// A package.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    pub(crate) repository: Option<String>,
    pub(crate) authors: Vec<String>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) source: Option<String>,
}

/// The dependencies between packages.
#[derive(Debug, Deserialize)]
pub(crate) struct Resolve {
    pub(crate) nodes: Vec<Node>,
}

/// One package's dependencies.
#[derive(Debug, Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) deps: Vec<Dependency>,
}

/// A dependency.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) pkg: String,
    pub(crate) dep_kinds: Vec<DependencyKind>,
}

/// The use of a dependency; `None` is the program itself.
#[derive(Debug, Deserialize)]
pub(crate) struct DependencyKind {
    pub(crate) kind: Option<String>,
}

/// The circumstances of a build, none of which may change the bytes of a program.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub(crate) workspace: PathBuf,
    /// Cargo's target directory.
    pub(crate) target: PathBuf,
    pub(crate) cargo_home: PathBuf,
    /// Variables beside those of this process.
    pub(crate) variables: Vec<(&'static str, &'static str)>,
}

/// The built binaries.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) binary: PathBuf,
    pub(crate) helper: PathBuf,
    /// The IDs of the packages that were compiled for the target, without procedural macros.
    pub(crate) packages: BTreeSet<String>,
}

/// Reads the metadata, for a platform, of the workspace that contains a directory.
pub(crate) fn metadata(workspace: &Path, platform: Platform) -> Result<Metadata> {
    let output = cargo(workspace)
        .args(["metadata", "--locked", "--format-version=1"])
        .args(["--filter-platform", platform.triple()])
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    ensure!(output.status.success(), "cargo metadata failed");
    serde_json::from_slice(&output.stdout).context("cannot read cargo's metadata")
}

/// Builds both binaries if they are not up to date; the first build takes minutes.
pub(crate) fn build(around: &Surroundings, tools: &Toolchain) -> Result<Compiled> {
    let start = Instant::now();
    let messages = compile(around, tools, &[NAME, HELPER])?;
    let seconds = start.elapsed().as_secs();
    if seconds > 9 {
        eprintln!("image: built {NAME} in {seconds} s");
    }
    compiled(&messages, &around.target.join(tools.platform.triple()))
}

/// Builds the binaries of packages, which have the names of their packages, and returns Cargo's messages.
pub(crate) fn compile(
    around: &Surroundings,
    tools: &Toolchain,
    packages: &[&str],
) -> Result<String> {
    let triple = tools.platform.triple();
    let mut cargo = cargo(&around.workspace);
    tools.prepare(&mut cargo, &around.target)?;
    cargo
        .args(["build", "--release", "--locked", "--target", triple])
        .arg("--message-format=json-render-diagnostics");
    for package in packages {
        cargo.args(["--package", package, "--bin", package]);
    }
    let output = cargo
        .envs(around.variables.iter().copied())
        .env("CARGO_HOME", &around.cargo_home)
        .env("CARGO_TARGET_DIR", &around.target)
        .env("CARGO_ENCODED_RUSTFLAGS", rustflags(around, tools)?)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    let packages = packages.join(" and ");
    ensure!(output.status.success(), "cargo cannot build {packages}");
    Ok(String::from_utf8(output.stdout)?)
}

fn cargo(workspace: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        // It decides the target directory that `cargo metadata` reports.
        let is_place = text == "CARGO_TARGET_DIR";
        if !is_place && TELLING.iter().any(|prefix| text.starts_with(prefix)) {
            cargo.env_remove(&name);
        }
    }
    cargo
}

/// Static, and without the paths of this machine in the messages of panics, so that builds do not differ.
fn rustflags(around: &Surroundings, tools: &Toolchain) -> Result<OsString> {
    let mut flags = OsString::from("-Ctarget-feature=+crt-static");
    // Saves half a megabyte of addresses. An older C library cannot start such a program; an older linker for arm64
    // ignores the flag.
    if numbers(&tools.glibc()?).as_slice() >= &[2, 36] {
        flags.push("\x1f-Clink-arg=-Wl,-z,pack-relative-relocs");
    }
    // Folds identical functions. Rust links with LLD there, and elsewhere with linkers that cannot.
    if tools.platform == Platform::Amd64 {
        flags.push("\x1f-Clink-arg=-Wl,--icf=all");
    }
    // The last match wins, and the target directory may be in the workspace.
    let mut renamed = vec![
        (around.workspace.clone(), "/source"),
        (around.target.clone(), "/target"),
    ];
    let registry = around.cargo_home.join("registry/src");
    if let Ok(entries) = std::fs::read_dir(&registry) {
        let mut sources: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        sources.sort();
        renamed.extend(sources.into_iter().map(|path| (path, "/registry")));
    }
    for (from, to) in renamed {
        flags.push("\x1f--remap-path-prefix=");
        flags.push(from);
        flags.push("=");
        flags.push(to);
    }
    Ok(flags)
}

fn numbers(version: &str) -> Vec<u32> {
    let parts = version.split('.');
    parts.map_while(|part| part.parse().ok()).collect()
}

/// Cargo's directory for sources of crates.
pub(crate) fn home() -> Result<PathBuf> {
    let set = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let usual = || std::env::home_dir().map(|home| home.join(".cargo"));
    set.or_else(usual)
        .context("neither CARGO_HOME nor HOME is set")
}

/// Reads Cargo's messages, which name the files of each unit, fresh or not.
fn compiled(messages: &str, of_target: &Path) -> Result<Compiled> {
    let mut packages = BTreeSet::new();
    let mut programs = BTreeMap::new();
    for message in messages.lines() {
        let message: Value = serde_json::from_str(message)?;
        if message["reason"] != "compiler-artifact" {
            continue;
        }
        let files = message["filenames"].as_array().into_iter().flatten();
        let mut files = files.filter_map(Value::as_str).map(Path::new);
        if files.any(|file| file.starts_with(of_target)) {
            packages.extend(message["package_id"].as_str().map(str::to_owned));
        }
        let name = message["target"]["name"].as_str();
        let program = message["executable"].as_str().map(PathBuf::from);
        programs.extend(name.map(str::to_owned).zip(program));
    }
    let mut program = |name: &str| {
        let path = programs.remove(name);
        path.with_context(|| format!("cargo tells of no binary {name}"))
    };
    Ok(Compiled {
        binary: program(NAME)?,
        helper: program(HELPER)?,
        packages,
    })
}
