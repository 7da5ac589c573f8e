//! Builds Go programs into the cache: one process at a time, each program under a temporary name until it is
//! complete.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use debian::cache::{self, lock};
use sha2::{Digest, Sha256};

use crate::child_process::ChildProcess;

/// A first build of all programs takes 0.5 GB in the cache, 4.3 GB in Go's build cache and 0.8 GB for modules; the
/// three are usually on one disk.
const GIGABYTES_NEEDED: [(&str, u64); 3] = [("", 1), ("GOCACHE", 6), ("GOMODCACHE", 2)];
const PROGRESS_EVERY: Duration = Duration::from_secs(30);

/// A program to build.
pub(super) struct Build {
    pub(super) name: String,
    pub(super) package: String,
    pub(super) ldflags: String,
    pub(super) usual_seconds: u64,
}

/// The directory of the programs of one version.
pub(crate) struct Cache {
    directory: PathBuf,
}

/// Builds a package of one of our own modules, which needs no file outside of the module's directory.
/// `usual_seconds` is the time of a first build on two cores.
///
/// # Errors
/// When Go is missing or the build fails.
pub fn go_binary(
    module_dir: &Path,
    package: &str,
    name: &str,
    usual_seconds: u64,
) -> Result<PathBuf> {
    let mut files = Vec::new();
    collect(module_dir, &mut files)?;
    files.sort();
    let mut contents = vec![package.as_bytes().to_vec()];
    for file in files {
        let inside = file.strip_prefix(module_dir)?;
        contents.push(inside.as_os_str().as_encoded_bytes().to_vec());
        contents.push(std::fs::read(&file)?);
    }
    let key = digest(contents.iter().map(Vec::as_slice));
    let cache = Cache::at(&format!("{name}-{key}"))?;
    let build = Build {
        name: name.to_owned(),
        package: package.to_owned(),
        ldflags: String::new(),
        usual_seconds,
    };
    cache.fill(module_dir, &[build])?;
    Ok(cache.path(name))
}

impl Cache {
    pub(crate) fn at(version_key: &str) -> Result<Self> {
        let directory = cache::directory()?.join(version_key);
        Ok(Self { directory })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Builds the missing programs. Two processes that need the same ones wait for each other.
    pub(super) fn fill(&self, module: &Path, builds: &[Build]) -> Result<()> {
        let missing = |build: &&Build| !self.path(&build.name).is_file();
        if !builds.iter().any(|build| missing(&build)) {
            return Ok(());
        }
        std::fs::create_dir_all(&self.directory)
            .with_context(|| format!("cannot make the cache {}", self.directory.display()))?;
        let _lock = lock(&self.path("lock"))?;
        let missing: Vec<&Build> = builds.iter().filter(missing).collect();
        if missing.is_empty() {
            return Ok(());
        }
        self.check_prerequisites(module, &missing)?;
        let minutes = missing
            .iter()
            .map(|build| build.usual_seconds)
            .sum::<u64>()
            .div_ceil(60);
        let names: Vec<&str> = missing.iter().map(|build| build.name.as_str()).collect();
        eprintln!(
            "cluster: building {} (once; about {minutes} min on two cores)",
            names.join(", ")
        );
        missing
            .iter()
            .try_for_each(|build| self.build(module, build))
    }

    fn check_prerequisites(&self, module: &Path, missing: &[&Build]) -> Result<()> {
        let names: Vec<&str> = missing.iter().map(|build| build.name.as_str()).collect();
        let wanted = names.join(", ");
        let needed = minimal_go(&std::fs::read_to_string(module.join("go.mod"))?);
        let how = format!(
            "{wanted} must be built, for which Go {needed} or newer is needed. Install it from \
             https://go.dev/dl/ and put it on the PATH (or set KUBEBUILDER_ASSETS to a directory with \
             etcd, kube-apiserver and kubectl, where only those are wanted)"
        );
        let Ok(found) = go_env(module, "GOVERSION") else {
            bail!("`go` is not on the PATH: {how}");
        };
        let version = numbers(found.trim_start_matches("go"));
        ensure!(version >= numbers(&needed), "`go` is {found}: {how}");
        if missing.iter().any(|build| build.usual_seconds > 10) {
            for (place, gigabytes) in GIGABYTES_NEEDED {
                let place = match place {
                    "" => self.directory.clone(),
                    name => go_env(module, name)?.into(),
                };
                check_space(&place, gigabytes, &wanted)?;
            }
        }
        Ok(())
    }

    fn build(&self, module: &Path, build: &Build) -> Result<()> {
        let start = Instant::now();
        let unfinished = self.path(&format!("{}.unfinished", build.name));
        let log = self.path(&format!("{}.log", build.name));
        let _ = std::fs::remove_file(&log);
        let mut args = vec!["build".to_owned(), format!("-C={}", module.display())];
        args.extend(["-mod=readonly", "-trimpath", "-buildvcs=false"].map(str::to_owned));
        args.push(format!("-ldflags=-s -w{}", build.ldflags));
        args.push(format!("-o={}", unfinished.display()));
        args.push(build.package.clone());
        let env = [("CGO_ENABLED", "0"), ("GOTOOLCHAIN", "local")];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
        // A build takes minutes and all processors, so it must not outlive this process.
        let go = ChildProcess::spawn("go", Path::new("go"), &args, &env, &log)?;
        while !go.wait(PROGRESS_EVERY) {
            report(build, start);
        }
        ensure!(
            go.exit_code() == Some(0),
            "go cannot build {}:\n{}",
            build.package,
            tail(&std::fs::read_to_string(&log).unwrap_or_default())
        );
        let _ = std::fs::remove_file(&log);
        std::fs::rename(&unfinished, self.path(&build.name))?;
        eprintln!(
            "cluster: built {} in {} s",
            build.name,
            start.elapsed().as_secs()
        );
        Ok(())
    }
}

/// The first twelve hexadecimal digits of the hash of all parts, each with its length.
pub(super) fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let bytes = hash.finalize();
    let hex = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    hex.take(12)
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

fn report(build: &Build, start: Instant) {
    eprintln!(
        "cluster: building {}: {} s of about {} s",
        build.name,
        start.elapsed().as_secs(),
        build.usual_seconds
    );
}

fn check_space(place: &Path, gigabytes: u64, wanted: &str) -> Result<()> {
    let existing = place
        .ancestors()
        .find(|path| path.exists())
        .unwrap_or(place);
    let space = rustix::fs::statvfs(existing)?;
    let free = (space.f_bavail * space.f_frsize) >> 30;
    ensure!(
        free >= gigabytes,
        "{wanted} must be built, which takes {gigabytes} GB at {}, where {free} GB are free. Free some, or \
         set XDG_CACHE_HOME, GOCACHE and GOMODCACHE to places with more",
        place.display()
    );
    Ok(())
}

fn go_env(module: &Path, name: &str) -> Result<String> {
    let output = Command::new("go")
        .current_dir(module)
        .args(["env", name])
        .env("GOTOOLCHAIN", "local")
        .output()?;
    ensure!(output.status.success(), "go env failed");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn minimal_go(go_mod: &str) -> String {
    let line = go_mod.lines().find_map(|line| line.strip_prefix("go "));
    line.unwrap_or("1.26").trim().to_owned()
}

fn numbers(version: &str) -> Vec<u32> {
    version
        .split('.')
        .map_while(|part| part.parse().ok())
        .collect()
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let skipped = lines.len().saturating_sub(30);
    lines
        .into_iter()
        .skip(skipped)
        .collect::<Vec<_>>()
        .join("\n")
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(directory)
        .with_context(|| format!("cannot read {}", directory.display()))?;
    for entry in entries {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
