//! The stack after a pair was used. The allocator overwrites freed memory, but the libraries that sign a request leave the
//! secret access key in their dead stack frames, where it stays until other calls happen to overwrite it.

use std::hint::black_box;

use zeroize::Zeroize;

/// Words of 8 bytes: 256 KiB, more than the frames of a reconcile take in a build without optimization.
const WORDS: usize = 32 * 1024;

/// Overwrites the dead frames below the caller's.
#[inline(never)]
#[allow(
    clippy::large_stack_arrays,
    reason = "the array covers the dead frames"
)]
pub fn wipe() {
    let mut frames = [1_u64; WORDS];
    frames.zeroize();
    black_box(&frames);
}
