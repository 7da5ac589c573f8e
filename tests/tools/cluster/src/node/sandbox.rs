//! The namespaces of a node, and the programs inside them.
//!
//! When the first process of those namespaces ends, the kernel ends all others, containers included, and drops
//! their mounts. So nothing is left, even when the owner is killed.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{config::Layout, machine};
use crate::{child_process::ChildProcess, control_plane::DEADLINE};

/// Paths to which containerd, runc, the plugins and kubelet write regardless of their configuration. The node's
/// own mount namespace covers each of them, so that two nodes never share one.
const SANDBOX: &str = r#"
set -e
mount --make-rshared /
for path in /run/containerd /run/netns /var/lib/cni /var/lib/kubelet /var/log/containers; do
  mkdir -p "$path"
  mount -t tmpfs -o mode=0711 tmpfs "$path"
done
touch "$1"
exec "$2"
"#;

/// Makes the namespaces.
pub(super) fn start(layout: &Layout, pause: &Path) -> Result<ChildProcess> {
    let ready = layout.path("sandbox-is-ready");
    let mut args: Vec<String> = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        .map(str::to_owned)
        .to_vec();
    args.extend(["sh", "-c", SANDBOX, "sandbox"].map(str::to_owned));
    args.extend([ready.display().to_string(), pause.display().to_string()]);
    let unshare = machine::program("unshare").context("no unshare")?;
    let log = layout.path("sandbox.log");
    let sandbox = ChildProcess::spawn("the node's sandbox", &unshare, &args, &[], &log)?;
    wait_for(&sandbox, "the node's namespaces", || ready.exists())?;
    Ok(sandbox)
}

/// Starts a program inside the namespaces.
pub(super) fn enter(
    sandbox: &ChildProcess,
    layout: &Layout,
    name: &str,
    program: &Path,
    args: &[String],
) -> Result<ChildProcess> {
    let nsenter = machine::program("nsenter").context("no nsenter")?;
    let mut all = namespaces(sandbox).to_vec();
    all.push(program.display().to_string());
    all.extend_from_slice(args);
    ChildProcess::spawn(
        name,
        &nsenter,
        &all,
        &[],
        &layout.path(&format!("{name}.log")),
    )
}

/// The arguments with which `nsenter` enters the namespaces.
pub(super) fn namespaces(sandbox: &ChildProcess) -> [String; 3] {
    let of = format!("/proc/{}/ns", sandbox.pid());
    [
        format!("--mount={of}/mnt"),
        // The process that made the namespace is itself outside of it.
        format!("--pid={of}/pid_for_children"),
        "--".to_owned(),
    ]
}

/// Polls, since none of these programs reports that it is ready. Blocks.
pub(super) fn wait_for(part: &ChildProcess, what: &str, there: impl Fn() -> bool) -> Result<()> {
    let end = Instant::now() + DEADLINE;
    while !there() {
        part.check()?;
        ensure!(Instant::now() < end, "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
