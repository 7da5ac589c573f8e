//! Requirements of the demo on the machine, and how to satisfy them.

use std::{
    env, fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
};

use crate::cache::{Cache, existing};

/// Prints whether a virtual environment for moto can be created.
const PYTHON_PROBE: &str = "import ensurepip, sys, venv; print(sys.version_info[:2] >= (3, 11))";

/// A part of the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A control plane of its own.
    Cluster,
    /// A node, and a pod on it.
    Pod,
    /// The program that reads a bucket.
    Client,
    /// The stand-in for AWS.
    Moto,
}

/// A missing requirement.
pub(crate) struct Lack {
    pub(crate) what: String,
    pub(crate) why: String,
    pub(crate) how: String,
}

/// All missing requirements.
pub(crate) fn all(parts: &[Part], workspace: &Path) -> Vec<Lack> {
    let Some(cache) = Cache::open() else {
        return vec![lack(
            "a place for the cache",
            "neither XDG_CACHE_HOME nor HOME is set, and the cluster's programs are kept there",
            "set HOME to a directory of yours",
        )];
    };
    let go_mod = go_mod(workspace);
    let programs = programs(parts, &cache, &go_mod);
    let mut lacks = Vec::new();
    if !programs.is_empty() {
        lacks.extend(go(&programs, &go_mod));
    }
    if parts.contains(&Part::Moto) {
        lacks.extend(python());
    }
    lacks.extend(loopback());
    lacks.extend(space(&cache, &programs, workspace));
    lacks
}

/// Programs that Go has to build, according to the names in the cache.
pub(crate) fn missing_programs(parts: &[Part], workspace: &Path) -> Vec<&'static str> {
    let cache = Cache::open();
    cache.map_or(Vec::new(), |cache| {
        programs(parts, &cache, &go_mod(workspace))
    })
}

fn go_mod(workspace: &Path) -> String {
    let path = workspace.join("tests/tools/cluster/tools/go.mod");
    fs::read_to_string(path).unwrap_or_default()
}

fn programs(parts: &[Part], cache: &Cache, go_mod: &str) -> Vec<&'static str> {
    let version = line_after(go_mod, "k8s.io/kubernetes").unwrap_or_default();
    let mut all: Vec<(&str, &'static str)> = Vec::new();
    if parts.contains(&Part::Cluster) {
        let programs = [
            "etcd",
            "kube-apiserver",
            "kube-controller-manager",
            "kubectl",
        ];
        all.extend(programs.map(|program| (version, program)));
    }
    if parts.contains(&Part::Pod) {
        all.extend([
            (version, "kube-scheduler"),
            (version, "kubelet"),
            ("pause-", "pause"),
        ]);
    }
    if parts.contains(&Part::Client) {
        all.push(("s3client-", "s3client"));
    }
    let missing = all
        .iter()
        .filter(|(prefix, file)| !cache.has(prefix, &[file]));
    missing.map(|(_, file)| *file).collect()
}

fn go(programs: &[&str], go_mod: &str) -> Option<Lack> {
    let needed = line_after(go_mod, "go").unwrap_or("1.26");
    let why = format!(
        "Kubernetes and its like are built from source, once: {}",
        programs.join(", ")
    );
    let how =
        format!("install Go {needed} or newer from https://go.dev/dl/ and put `go` on the PATH");
    let output = Command::new("go")
        .args(["env", "GOVERSION"])
        .env("GOTOOLCHAIN", "local")
        .output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        return Some(lack("Go: there is no `go` on the PATH", &why, &how));
    };
    let found = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let is_enough = numbers(found.trim_start_matches("go")) >= numbers(needed);
    (!is_enough).then(|| {
        let what = format!("a newer Go: `go` is {found}, and it must be {needed} or newer");
        lack(&what, &why, &how)
    })
}

fn python() -> Option<Lack> {
    let python = env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let name = python.display();
    let why =
        "moto, which stands in for AWS's IAM, STS and S3, is installed into a virtual environment";
    let how = "apt-get install python3 python3-venv, or set PYTHON to another Python of 3.11 or newer \
               (or ask the real AWS: cargo demo -- --aws)";
    let what = match Command::new(&python).args(["-c", PYTHON_PROBE]).output() {
        Err(_) => format!("Python: there is no `{name}` on the PATH"),
        Ok(output) if !output.status.success() => {
            format!("Python's venv: `{name}` cannot make a virtual environment with pip in it")
        }
        Ok(output) if !output.stdout.starts_with(b"True") => {
            format!("a newer Python: `{name}` is older than 3.11")
        }
        Ok(_) => return None,
    };
    Some(lack(&what, why, how))
}

/// Every server listens on a free port, so no particular port is required.
fn loopback() -> Option<Lack> {
    let listened = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let called = listened.and_then(|listener| TcpStream::connect(listener.local_addr()?));
    let error = called.err()?;
    Some(lack(
        &format!("a port: nothing can listen on 127.0.0.1 and be called there ({error})"),
        "API server, etcd, operator and moto listen there, each on a free port",
        "bring the interface `lo` up (ip link set lo up), or allow this process to listen",
    ))
}

/// Disk space in gigabytes that a first build needs: in our cache, in Go's two caches, and in Cargo's target directory.
fn space(cache: &Cache, programs: &[&str], workspace: &Path) -> Vec<Lack> {
    let mut needs: Vec<(PathBuf, u64, &str)> = Vec::new();
    if programs.contains(&"kube-apiserver") {
        needs.push((cache.directory.clone(), 1, "XDG_CACHE_HOME"));
        needs.extend(go_directory("GOCACHE").map(|path| (path, 5, "GOCACHE")));
        needs.extend(go_directory("GOMODCACHE").map(|path| (path, 1, "GOMODCACHE")));
    }
    if let Some(target) = env::current_exe()
        .ok()
        .and_then(|me| Some(me.parent()?.to_owned()))
    {
        let built = target.join("static-aws-credentials").exists();
        needs.extend((!built).then_some((target, 2, "CARGO_TARGET_DIR")));
    }
    // Directories on the same disk are added up.
    let mut disks: Vec<(String, u64, u64, Vec<&str>)> = Vec::new();
    for (path, gigabytes, variable) in needs {
        let Some((disk, free)) = free_space(existing(&workspace.join(path))) else {
            continue;
        };
        match disks.iter_mut().find(|(name, ..)| *name == disk) {
            Some((_, _, sum, variables)) => {
                *sum += gigabytes;
                variables.push(variable);
            }
            None => disks.push((disk, free, gigabytes, vec![variable])),
        }
    }
    let full = disks.into_iter().filter(|(_, free, sum, _)| free < sum);
    full.map(|(disk, free, sum, variables)| {
        lack(
            &format!("disk space: {disk} has {free} GB free, and the first build takes {sum} GB"),
            "Kubernetes, the operator and their dependencies are compiled",
            &format!(
                "free some, or set {} to a place on another disk",
                variables.join(", ")
            ),
        )
    })
    .collect()
}

fn go_directory(name: &str) -> Option<PathBuf> {
    let output = Command::new("go").args(["env", name]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (!text.trim().is_empty()).then(|| PathBuf::from(text.trim()))
}

/// Mount point of a path, and free gigabytes there. The standard library has no call for it.
fn free_space(path: &Path) -> Option<(String, u64)> {
    let output = Command::new("df").arg("-Pk").arg(path).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let words: Vec<&str> = text.lines().nth(1)?.split_whitespace().collect();
    let kilobytes: u64 = words.get(3)?.parse().ok()?;
    Some((words.get(5..)?.join(" "), kilobytes >> 20))
}

/// The word after `word` at the beginning of a line.
fn line_after<'a>(go_mod: &'a str, word: &str) -> Option<&'a str> {
    go_mod.lines().find_map(|line| {
        let mut words = line
            .split_whitespace()
            .skip_while(|first| *first == "require");
        (words.next() == Some(word)).then(|| words.next())?
    })
}

fn numbers(version: &str) -> Vec<u32> {
    let parts = version.split('.');
    parts.map_while(|part| part.parse().ok()).collect()
}

fn lack(what: &str, why: &str, how: &str) -> Lack {
    Lack {
        what: what.to_owned(),
        why: why.to_owned(),
        how: how.to_owned(),
    }
}
