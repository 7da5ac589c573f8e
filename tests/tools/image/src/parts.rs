//! Everything in the image from other authors: crates in the binary, libraries that are linked to it, and Mozilla's
//! certificates.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use crate::{
    cargo::{Compiled, HELPER, Metadata, NAME, Package},
    toolchain::{Program, Toolchain},
    trust,
};

/// A part of the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) version: String,
    /// An SPDX expression.
    pub(crate) license: String,
    pub(crate) kind: Kind,
    pub(crate) authors: Vec<String>,
    pub(crate) repository: Option<String>,
    /// The paths of its own licence files.
    pub(crate) notices: Vec<PathBuf>,
    /// The indexes of its dependencies in the list of parts.
    pub(crate) depends_on: Vec<usize>,
}

/// The kind of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The operator.
    Operator,
    /// A crate, with the SHA-256 of its archive.
    Crate { sha256: Option<String> },
    /// A library that the linker adds.
    Library,
    /// A crate whose data alone are in the image.
    Data { sha256: Option<String> },
}

impl Part {
    /// Its package URL.
    pub(crate) fn purl(&self) -> String {
        // A crate of the workspace may have the name of another one in the registry.
        let kind = match self.kind {
            Kind::Library | Kind::Crate { sha256: None } => "generic",
            _ => "cargo",
        };
        format!("pkg:{kind}/{}@{}", self.name, self.version)
    }
}

/// The parts, the operator first.
pub(crate) fn all(
    metadata: &Metadata,
    compiled: &Compiled,
    tools: &Toolchain,
) -> Result<Vec<Part>> {
    let checksums = checksums(&metadata.workspace_root)?;
    let mut packages: Vec<&Package> = metadata.packages.iter().collect();
    packages.retain(|package| compiled.packages.contains(&package.id));
    packages.sort_by_key(|package| (package.name != NAME, &package.name, &package.version));
    ensure!(
        packages.len() == compiled.packages.len(),
        "cargo has compiled packages that its metadata do not know"
    );
    // The bill names the helper as a component of the operator.
    packages.retain(|package| package.name != HELPER || package.source.is_some());
    let places: BTreeMap<&str, usize> = packages
        .iter()
        .enumerate()
        .map(|(place, package)| (package.id.as_str(), place))
        .collect();
    let mut parts = Vec::new();
    for package in &packages {
        let sha256 = checksums.get(&(package.name.clone(), package.version.clone()));
        let sha256 = sha256.cloned().flatten();
        let kind = match &package.source {
            None if package.name == NAME => Kind::Operator,
            // A crate of the workspace has no archive.
            Some(_) | None => Kind::Crate { sha256 },
        };
        let mut part = of_package(package, kind)?;
        part.depends_on = dependencies(metadata, package, &places);
        parts.push(part);
    }
    let first = parts.first_mut().context("there is no operator")?;
    ensure!(first.name == NAME, "the operator was not compiled");
    first.notices = vec![metadata.workspace_root.join("LICENSE")];
    parts.extend(libraries(tools)?);
    parts.push(certificates(metadata, &checksums)?);
    Ok(parts)
}

fn of_package(package: &Package, kind: Kind) -> Result<Part> {
    let license = package.license.as_ref();
    let license = license.with_context(|| format!("{} names no licence", package.name))?;
    let directory = package.manifest_path.parent().unwrap_or(Path::new(""));
    Ok(Part {
        name: package.name.clone(),
        version: package.version.clone(),
        // Cargo once allowed a slash.
        license: license.replace('/', " OR "),
        kind,
        authors: package.authors.clone(),
        repository: package.repository.clone(),
        notices: notices(directory)?,
        depends_on: Vec::new(),
    })
}

/// Files at the root of a crate about its licence.
fn notices(directory: &Path) -> Result<Vec<PathBuf>> {
    const WORDS: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE"];
    let entries = std::fs::read_dir(directory)
        .with_context(|| format!("cannot read {}", directory.display()))?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        if WORDS.iter().any(|word| name.contains(word)) && entry.file_type()?.is_file() {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

fn dependencies(
    metadata: &Metadata,
    package: &Package,
    places: &BTreeMap<&str, usize>,
) -> Vec<usize> {
    let node = metadata
        .resolve
        .nodes
        .iter()
        .find(|node| node.id == package.id);
    let all = node.iter().flat_map(|node| &node.deps);
    let linked = all.filter(|dependency| {
        let mut kinds = dependency.dep_kinds.iter();
        kinds.any(|kind| kind.kind.is_none())
    });
    let found: BTreeSet<usize> = linked
        .filter_map(|dependency| places.get(dependency.pkg.as_str()).copied())
        .collect();
    found.into_iter().collect()
}

type Checksums = BTreeMap<(String, String), Option<String>>;

fn checksums(workspace: &Path) -> Result<Checksums> {
    let text = std::fs::read_to_string(workspace.join("Cargo.lock"))?;
    let mut all = Checksums::new();
    for block in text.split("[[package]]").skip(1) {
        let value = |key: &str| {
            let start = format!("{key} = \"");
            let line = block.lines().find_map(|line| line.strip_prefix(&start));
            line.and_then(|line| line.strip_suffix('"'))
                .map(str::to_owned)
        };
        let (Some(name), Some(version)) = (value("name"), value("version")) else {
            continue;
        };
        all.insert((name, version), value("checksum"));
    }
    Ok(all)
}

/// Libraries that the linker adds: Rust's standard library, the C library, GCC's unwinder.
fn libraries(tools: &Toolchain) -> Result<Vec<Part>> {
    let rustc = tools.output_of(Program::Rustc, &["--version"])?;
    let rustc = rustc.split_whitespace().nth(1).unwrap_or_default();
    let gcc = tools.output_of(Program::Cc, &["-dumpfullversion", "-dumpversion"])?;
    let major = gcc.split('.').next().unwrap_or_default();
    Ok(vec![
        library(
            "rust-std",
            rustc,
            "MIT OR Apache-2.0",
            tools.license_of_rust()?,
        ),
        library(
            "glibc",
            &tools.glibc()?,
            "LGPL-2.1-or-later",
            tools.license_of("libc6-dev"),
        ),
        library(
            "libgcc",
            &gcc,
            "GPL-3.0-or-later WITH GCC-exception-3.1",
            tools.license_of(&format!("libgcc-{major}-dev")),
        ),
    ])
}

fn library(name: &str, version: &str, license: &str, notice: PathBuf) -> Part {
    Part {
        name: name.to_owned(),
        version: version.to_owned(),
        license: license.to_owned(),
        kind: Kind::Library,
        authors: Vec::new(),
        repository: None,
        notices: Some(notice)
            .filter(|file| file.is_file())
            .into_iter()
            .collect(),
        depends_on: Vec::new(),
    }
}

fn certificates(metadata: &Metadata, checksums: &Checksums) -> Result<Part> {
    let mut packages = metadata.packages.iter();
    let package = packages.find(|package| package.name == trust::CRATE);
    let package = package.context("there are no certificates in the workspace")?;
    let sha256 = checksums.get(&(package.name.clone(), package.version.clone()));
    let sha256 = sha256.cloned().flatten();
    of_package(package, Kind::Data { sha256 })
}
