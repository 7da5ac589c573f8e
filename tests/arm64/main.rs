//! The image for arm64, built on this machine and run under QEMU's user emulation, unless the machine is arm64: the
//! tests of the archive of `repository`, a reconcile by the operator in the image's root, and a second build. `cargo
//! arm64` runs the program, which needs Linux 6.7 or newer and user namespaces.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../repository/image_archive/bill.rs"]
mod bill;
#[path = "../repository/image_archive/binary.rs"]
mod binary;
mod emulation;
#[path = "../repository/image_archive/layout.rs"]
mod layout;
#[path = "../repository/image_archive/reader.rs"]
mod reader;
#[path = "../support/registry.rs"]
mod registry;
#[path = "../support/rights.rs"]
mod rights;
mod root;
#[path = "../api_server/harness/sts.rs"]
mod sts;
#[path = "../repository/image_archive/trust.rs"]
mod trust;

use std::{path::Path, process::Command, sync::OnceLock};

use image::{Built, Platform, built_for};

/// The name of the program, the crate and the image.
const NAME: &str = "static-aws-credentials";

/// The program that other containers copy from the image.
const HELPER: &str = "credential-process";

/// The image, built once for all of these tests.
fn image() -> &'static Built {
    static BUILT: OnceLock<Built> = OnceLock::new();
    BUILT.get_or_init(|| built_for(platform()).expect("the image can be built"))
}

fn platform() -> Platform {
    Platform::Arm64
}

/// A command that starts a program of the image.
fn start(program: &Path) -> Command {
    emulation::command(Path::new("/"), program)
}

#[test]
fn a_second_build_in_another_directory_has_the_same_digest() {
    let first = image();
    let verified = image::verify(platform()).expect("both are the same");
    assert_eq!(verified.digest, first.digest);
}

#[test]
fn it_prints_what_the_operator_of_this_machine_prints() {
    let of_this_machine = Path::new(env!("CARGO_BIN_EXE_static-aws-credentials"));
    for args in [
        &["crd"][..],
        &["--version"],
        &["--help"],
        &["run", "--help"],
    ] {
        let printed = |mut command: Command| {
            let output = command.args(args).env_clear().output().expect("it starts");
            assert!(output.status.success(), "{args:?}: {output:?}");
            String::from_utf8(output.stdout).expect("text")
        };
        let emulated = printed(start(binary::program(NAME)));
        assert!(!emulated.is_empty(), "{args:?}");
        assert_eq!(emulated, printed(Command::new(of_this_machine)), "{args:?}");
    }
}
