//! Compilers for another architecture: Rust with the standard library of both architectures, and GCC with the C
//! library.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};

use crate::package::{extract, filled, packages, run};

/// Debian's names for an architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The architecture of packages: `arm64`.
    pub architecture: &'static str,
    /// The prefix of programs, and of packages with a compiler: `aarch64-linux-gnu`.
    pub prefix: &'static str,
}

/// Rust of a version that Debian updates for its browsers, and newer than the one in the package `rustc`.
const RUSTC: &str = "rustc-web";
/// The standard library of that version, of which that of the other architecture is needed too.
const STANDARD: &str = "libstd-rust-web-dev";

/// The directory with the unpacked packages, in which programs find each other; their shared libraries are in
/// `usr/lib/x86_64-linux-gnu`. Blocks, for half a minute the first time.
///
/// # Errors
/// When the machine is not amd64, or apt-get cannot fetch a package.
pub fn cross_tools(target: Target) -> Result<PathBuf> {
    let own = std::env::consts::ARCH;
    ensure!(
        own == "x86_64",
        "compilers for {} are only fetched on amd64, and this machine is {own}",
        target.architecture
    );
    let name = format!("cross-{}", target.architecture);
    filled(&name, |directory, place| fetch(target, directory, place))
}

fn fetch(target: Target, directory: &Path, place: &Path) -> Result<()> {
    let wanted = format!("a compiler for {}", target.architecture);
    eprintln!("cache: fetching {wanted} with apt-get, 0.2 GB (once)");
    // An own index: the machine's has one architecture and may be outdated, and an update of it needs root.
    let index = directory.join("index");
    fs::create_dir_all(index.join("lists/partial"))?;
    let apt = |program: &str, args: &[&str]| {
        let mut apt = Command::new(program);
        apt.current_dir(directory).arg("--quiet");
        apt.arg(format!(
            "-oDir::State::Lists={}",
            index.join("lists").display()
        ));
        apt.arg(format!("-oDir::Cache={}", index.display()));
        for architecture in ["amd64", target.architecture] {
            apt.arg(format!("-oAPT::Architectures::={architecture}"));
        }
        run(&wanted, apt.args(args))
    };
    apt("apt-get", &["update"])?;
    let mut names = needed(target, &apt)?;
    names.insert(format!("{STANDARD}:{}", target.architecture));
    let mut download = vec!["download"];
    download.extend(names.iter().map(String::as_str));
    apt("apt-get", &download)?;

    let unfinished = place.with_extension("unfinished");
    for package in packages(directory)? {
        extract(&wanted, &package, &unfinished)?;
        fs::remove_file(package)?;
    }
    fs::remove_dir_all(index)?;
    Ok(fs::rename(unfinished, place)?)
}

/// The packages of the compilers, and those of their dependencies that a machine with a C compiler of its own lacks.
fn needed(
    target: Target,
    apt: &impl Fn(&str, &[&str]) -> Result<String>,
) -> Result<BTreeSet<String>> {
    let gcc = format!("gcc-{}", target.prefix);
    let libc = format!("libc6-dev-{}-cross", target.architecture);
    let mut depends = vec!["depends", "--recurse", "--no-recommends", "--no-suggests"];
    depends.extend([
        "--no-conflicts",
        "--no-breaks",
        "--no-replaces",
        "--no-enhances",
    ]);
    depends.extend([RUSTC, &gcc, &libc]);
    Ok(of_compilers(&apt("apt-cache", &depends)?, target))
}

/// The packages of the compilers in a list of `apt-cache depends --recurse`.
fn of_compilers(listed: &str, target: Target) -> BTreeSet<String> {
    let words = ["rust", "llvm", target.architecture, target.prefix];
    let is_needed = |name: &&str| {
        // Dependencies are indented below their package, and a colon names another architecture.
        let is_own = !name.starts_with([' ', '<']) && !name.contains(':');
        is_own && words.iter().any(|word| name.contains(word))
    };
    let needed = listed.lines().filter(is_needed);
    needed.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_machine_with_a_compiler_has_is_not_fetched() {
        let listed = "rustc-web\n  Depends: libc6\n  Depends: libstd-rust-web-dev\n |Depends: gcc\n  \
                      Depends: <libc-dev>\n    libc6-dev\nlibc6\nlibc6:arm64\nlibstd-rust-web-dev\nlibllvm22\n\
                      <rust-virtual>\nlibc6-dev-arm64-cross\nbinutils-aarch64-linux-gnu\n";
        let target = Target {
            architecture: "arm64",
            prefix: "aarch64-linux-gnu",
        };
        let needed = of_compilers(listed, target);
        assert_eq!(
            needed.iter().map(String::as_str).collect::<Vec<_>>(),
            [
                "binutils-aarch64-linux-gnu",
                "libc6-dev-arm64-cross",
                "libllvm22",
                "libstd-rust-web-dev",
                "rustc-web",
            ]
        );
    }
}
