//! QEMU's emulation of one program: arm64 on a machine of another architecture.

use std::path::PathBuf;

use anyhow::Result;
use debian::unpacked;

/// The path of the emulator, which is static, so that it also runs in the root of an image. Its first argument is a
/// program.
///
/// # Errors
/// When apt-get cannot fetch it.
pub fn qemu_aarch64() -> Result<PathBuf> {
    Ok(unpacked("qemu-user-static")?.join("usr/bin/qemu-aarch64-static"))
}
