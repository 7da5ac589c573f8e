//! Attempts of a test, beyond its result: `cargo reliability` shows them beside the test's name.

use std::{fs::OpenOptions, io::Write};

/// Reports the number of attempts, the number that succeeded, and the subject (with the seed, if
/// random). The numbers alone do not fail a test: assert them as well.
pub fn tried(test: &str, tried: usize, survived: usize, what: &str) {
    let line = format!("{test}\t{tried}\t{survived}\t{what}\n");
    // One write, so that suites that run at the same time do not interleave their lines.
    let written = std::env::var_os("RELIABILITY_REPORT").map(|path| {
        let file = OpenOptions::new().append(true).create(true).open(path);
        file.and_then(|mut file| file.write_all(line.as_bytes()))
    });
    if !matches!(written, Some(Ok(()))) {
        eprint!("{line}");
    }
}

/// Whether the long form is requested, which takes up to an hour.
pub fn thorough() -> bool {
    std::env::var_os("THOROUGH").is_some()
}
