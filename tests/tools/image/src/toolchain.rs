//! The programs of a build: those of this machine, or for another platform those of Debian, which link Debian's C
//! library of that platform.

use std::{
    ffi::OsString,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use crate::platform::Platform;

/// Links a static program at random addresses. rustc asks for fixed ones, since its target for arm64 does not know that
/// the C library has what such a program needs; the code is position-independent all the same.
const LINKER: &str = r#"#!/bin/sh
for argument; do
    shift
    case "$argument" in
        -static | -no-pie) ;;
        *) set -- "$@" "$argument" ;;
    esac
done
exec "CC" -static-pie "$@"
"#;

/// The programs for a platform.
#[derive(Debug)]
pub(crate) struct Toolchain {
    pub(crate) platform: Platform,
    /// The root of Debian's packages, unless the programs are those of this machine.
    root: Option<PathBuf>,
}

/// A program of a build.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Program {
    Rustc,
    /// The C compiler, which is also the linker.
    Cc,
    Ar,
    Objcopy,
}

impl Toolchain {
    /// The programs of this machine if it has the platform, else those of Debian. Blocks, while these are fetched.
    pub(crate) fn of(platform: Platform) -> Result<Self> {
        let is_own = Platform::own().is_ok_and(|own| own == platform);
        let fetched = (!is_own).then(|| debian::cross_tools(platform.in_debian()));
        Ok(Self {
            platform,
            root: fetched.transpose()?,
        })
    }

    /// The standard output of a program.
    pub(crate) fn output_of(&self, program: Program, args: &[&str]) -> Result<String> {
        let mut command = self.command(program);
        let output = command.args(args).stdin(Stdio::null()).output();
        let output = output.with_context(|| {
            let words =
                "the linker comes with a C compiler, objcopy with Debian's package binutils";
            format!("cannot start {}; {words}", command.get_program().display())
        })?;
        let complaints = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "{command:?}: {}",
            complaints.trim()
        );
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Makes Cargo use these programs, and a linker that is written into the directory.
    pub(crate) fn prepare(&self, cargo: &mut Command, directory: &Path) -> Result<()> {
        let triple = self.platform.triple().replace('-', "_");
        if self.platform == Platform::Arm64 {
            fs::create_dir_all(directory)?;
            let linker = directory.join("link-arm64");
            let text = LINKER.replace("CC", &self.path(Program::Cc).to_string_lossy());
            fs::write(&linker, text)?;
            fs::set_permissions(&linker, Permissions::from_mode(0o755))?;
            let name = format!("CARGO_TARGET_{}_LINKER", triple.to_uppercase());
            cargo.env(name, linker);
        }
        if let Some(root) = &self.root {
            cargo.env("RUSTC", self.path(Program::Rustc));
            cargo.env(format!("CC_{triple}"), self.path(Program::Cc));
            cargo.env(format!("AR_{triple}"), self.path(Program::Ar));
            cargo.env("LD_LIBRARY_PATH", libraries(root));
        }
        Ok(())
    }

    /// The version of the C library that is linked in.
    pub(crate) fn glibc(&self) -> Result<String> {
        let args = [
            "-E",
            "-dM",
            "-include",
            "features.h",
            "-x",
            "c",
            "/dev/null",
        ];
        let macros = self.output_of(Program::Cc, &args)?;
        let value = |name: &str| {
            let line = format!("#define {name} ");
            let found = macros.lines().find_map(|macros| macros.strip_prefix(&line));
            found.with_context(|| format!("the C library does not define {name}"))
        };
        Ok(format!(
            "{}.{}",
            value("__GLIBC__")?,
            value("__GLIBC_MINOR__")?
        ))
    }

    /// The licence of Rust's standard library.
    pub(crate) fn license_of_rust(&self) -> Result<PathBuf> {
        if let Some(file) = self.document("libstd-rust-web-dev") {
            return Ok(file);
        }
        let sysroot = self.output_of(Program::Rustc, &["--print=sysroot"])?;
        Ok(Path::new(&sysroot).join("share/doc/rust/COPYRIGHT-library.html"))
    }

    /// The licence of a library from Debian, by the name of its package on this machine.
    pub(crate) fn license_of(&self, package: &str) -> PathBuf {
        let architecture = self.platform.architecture();
        let cross = self.document(&format!("{package}-{architecture}-cross"));
        cross.unwrap_or_else(|| format!("/usr/share/doc/{package}/copyright").into())
    }

    fn document(&self, package: &str) -> Option<PathBuf> {
        let root = self.root.as_ref()?;
        Some(root.join("usr/share/doc").join(package).join("copyright"))
    }

    fn command(&self, program: Program) -> Command {
        let mut command = Command::new(self.path(program));
        if let Some(root) = &self.root {
            command.env("LD_LIBRARY_PATH", libraries(root));
        }
        command
    }

    fn path(&self, program: Program) -> OsString {
        let own = match program {
            Program::Rustc => "rustc",
            Program::Cc => "cc",
            Program::Ar => "ar",
            Program::Objcopy => "objcopy",
        };
        let Some(root) = &self.root else {
            return own.into();
        };
        let prefix = self.platform.in_debian().prefix;
        let name = match program {
            Program::Rustc => own.to_owned(),
            Program::Cc => format!("{prefix}-gcc"),
            Program::Ar | Program::Objcopy => format!("{prefix}-{own}"),
        };
        root.join("usr/bin").join(name).into()
    }
}

/// The shared libraries of Debian's programs.
fn libraries(root: &Path) -> PathBuf {
    root.join("usr/lib/x86_64-linux-gnu")
}
