//! The image as other programs read it: crane and its registry, `readelf`, Cargo's own tree, webpki.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod bill;
mod binary;
mod layout;
mod reader;
mod trust;
mod writer;

use std::{path::Path, process::Command, sync::OnceLock};

use image::{Built, Platform, built};

/// The name of the program, the crate and the image.
const NAME: &str = "static-aws-credentials";

/// The program that other containers copy from the image.
const HELPER: &str = "credential-process";

/// The image, built once for all of these tests.
fn image() -> &'static Built {
    static BUILT: OnceLock<Built> = OnceLock::new();
    BUILT.get_or_init(|| built().expect("the image can be built"))
}

/// The platform of the image.
fn platform() -> Platform {
    Platform::own().expect("this machine has an image")
}

/// A command that starts a program of the image.
fn start(program: &Path) -> Command {
    Command::new(program)
}
