//! Programs for arm64 on this machine: executed by the kernel, which starts QEMU for them in a namespace of their own.

use std::{path::Path, process::Command, sync::OnceLock};

use cluster::tools;
use image::{Platform, oci::USER};

const SCRIPT: &str = include_str!("emulated.sh");

/// The arguments of `unshare` that run a program in a root, as the user of the image.
pub fn arguments(root: &Path, program: &Path, args: &[&str]) -> Vec<String> {
    let (user, group) = USER.split_once(':').expect("both are numbers");
    let namespaces = ["--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT];
    let (root, program) = (root.display().to_string(), program.display().to_string());
    let script = ["sh", user, group, emulator(), &root, &program];
    let all = namespaces.iter().chain(&script).chain(args);
    all.map(|argument| (*argument).to_owned()).collect()
}

/// A command that runs a program in a root.
pub fn command(root: &Path, program: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(arguments(root, program, &[]));
    command
}

/// The emulator; none if the machine runs the programs itself.
fn emulator() -> &'static str {
    static EMULATOR: OnceLock<String> = OnceLock::new();
    EMULATOR.get_or_init(|| {
        let is_own = Platform::own().is_ok_and(|own| own == Platform::Arm64);
        let fetched = (!is_own).then(|| tools::qemu_aarch64().expect("apt-get brings it"));
        fetched.map_or_else(String::new, |path| path.display().to_string())
    })
}
