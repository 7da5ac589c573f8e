//! The requirements of a node on the machine, and the installation of missing packages.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};

/// Programs, and the Debian packages that contain them.
const PROGRAMS: [(&str, &str); 9] = [
    ("containerd", "containerd"),
    ("ctr", "containerd"),
    ("containerd-shim-runc-v2", "containerd"),
    ("runc", "runc"),
    ("iptables", "iptables"),
    ("ip", "iproute2"),
    ("unshare", "util-linux"),
    ("nsenter", "util-linux"),
    ("mount", "mount"),
];

/// Where distributions put the network plugins.
const CNI_DIRECTORIES: [&str; 3] = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];

/// Checks whether a node can run here.
///
/// # Errors
/// The reason, as one sentence.
pub(super) fn supported() -> Result<(), String> {
    if !cfg!(target_os = "linux") {
        return Err("a node needs Linux".to_owned());
    }
    if !rustix::process::geteuid().is_root() {
        return Err("a node needs root".to_owned());
    }
    if !Path::new("/sys/fs/cgroup").is_dir() {
        return Err("a node needs cgroups at /sys/fs/cgroup".to_owned());
    }
    let isolated = ["--mount", "--pid", "--fork", "--mount-proc", "true"];
    if !succeeds("unshare", &isolated) {
        return Err("this process may not make mount and process namespaces".to_owned());
    }
    let missing = missing_packages();
    if !missing.is_empty() && !succeeds("apt-get", &["--version"]) {
        let missing = missing.join(", ");
        return Err(format!(
            "there is no apt-get to install what is missing: {missing}"
        ));
    }
    Ok(())
}

/// Installs the packages that are missing. Blocks.
pub(super) fn prepare() -> Result<()> {
    let missing = missing_packages();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!(
        "cluster: installing {} with apt-get (once)",
        missing.join(", ")
    );
    apt_get(&["update"])?;
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend(&missing);
    apt_get(&install)?;
    let still = missing_packages();
    ensure!(
        still.is_empty(),
        "apt-get did not bring {}",
        still.join(", ")
    );
    Ok(())
}

/// The directory with the network plugins.
pub(super) fn cni_directory() -> Option<PathBuf> {
    let all = CNI_DIRECTORIES.iter().map(PathBuf::from);
    { all }.find(|path| path.join("bridge").exists() && path.join("host-local").exists())
}

/// A program on the PATH, or in one of Debian's usual directories.
pub(super) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"].map(PathBuf::from);
    let directories = std::env::split_paths(&path).chain(more);
    { directories }
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
}

fn missing_packages() -> Vec<&'static str> {
    let lacking = PROGRAMS.iter().filter(|(name, _)| program(name).is_none());
    let mut packages: Vec<&str> = lacking.map(|(_, package)| *package).collect();
    if cni_directory().is_none() {
        packages.push("containernetworking-plugins");
    }
    packages.dedup();
    packages
}

fn succeeds(program: &str, args: &[&str]) -> bool {
    let quiet = Command::new(program)
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    quiet.is_ok_and(|status| status.success())
}

fn apt_get(args: &[&str]) -> Result<()> {
    let output = Command::new("apt-get")
        .args(args)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .output()
        .context("cannot start apt-get")?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        bail!("apt-get {} failed: {}", args.join(" "), words.trim());
    }
    Ok(())
}
