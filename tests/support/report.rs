//! What a test tried, beyond that it passed: `cargo reliability` shows it beside the test's name.

use std::{fs::OpenOptions, io::Write};

/// How often a test tried something, how often that was survived, and what it was (with the seed,
/// if it was chosen at random). Numbers alone do not fail a test: assert them as well.
pub fn tried(test: &str, tried: usize, survived: usize, what: &str) {
    let line = format!("{test}\t{tried}\t{survived}\t{what}\n");
    // One write, so that suites that run at the same time do not tear each other's lines.
    let written = std::env::var_os("RELIABILITY_REPORT").map(|path| {
        let file = OpenOptions::new().append(true).create(true).open(path);
        file.and_then(|mut file| file.write_all(line.as_bytes()))
    });
    if !matches!(written, Some(Ok(()))) {
        eprint!("{line}");
    }
}

/// Whether the long form is wanted, which takes up to an hour.
pub fn thorough() -> bool {
    std::env::var_os("THOROUGH").is_some()
}
