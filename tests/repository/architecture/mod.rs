//! Names that a file may use: the core is pure, effects have their places, files and functions are short.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod layers;

use std::{fs, path::Path};

const SRC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");

/// Code without effects: two layers, and the form in which the store keeps a resource.
const PURE: [&str; 3] = ["api/", "domain/", "runtime/compressed.rs"];

/// Names that are forbidden in pure code. `kube::Client` is also found within the braces of an import. An `Instant` is a
/// value, as a time of the wall clock is; what reads a clock is forbidden.
const IMPURE: [&str; 16] = [
    "Client",
    "Api",
    "tokio",
    "elapsed()",
    "SystemTime",
    "now()",
    "async",
    "await",
    "rand",
    "std::env",
    "std::fs",
    "std::net",
    "std::thread",
    "spawn",
    "reqwest",
    "println",
];

/// Files that read from or write to the API server.
const EFFECTS: [&str; 13] = [
    "runtime/act.rs",
    "runtime/act/leftovers.rs",
    "runtime/act/rehearse.rs",
    "runtime/events/publisher.rs",
    "runtime/guards/check.rs",
    "runtime/leader.rs",
    "runtime/observe.rs",
    "runtime/pages.rs",
    "runtime/watch.rs",
    "runtime/watch/classes.rs",
    "runtime/watch/initial_list.rs",
    "runtime/watch/lines.rs",
    "runtime/watch/watcher.rs",
];

/// What a request to the API server looks like.
const REQUESTS: [&str; 7] = [
    "Api<",
    "Api::all",
    "Api::namespaced",
    "Recorder::new",
    ".request(",
    ".request_text(",
    ".request_stream(",
];

struct File {
    path: String,
    text: String,
}

impl File {
    /// Lines up to the first `//`, even within a string.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let code = |line: &'_ str| -> usize { line.find("//").unwrap_or(line.len()) };
        self.text
            .lines()
            .enumerate()
            .map(move |(at, line)| (at + 1, line.split_at(code(line)).0))
    }

    fn is_pure(&self) -> bool {
        PURE.iter().any(|place| self.path.starts_with(place))
    }

    /// First line with the name as a whole word.
    fn names(&self, name: &str) -> Option<usize> {
        let is_part = |byte: Option<u8>| {
            byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let occurs = |line: &str| {
            line.match_indices(name).any(|(at, _)| {
                let before = at.checked_sub(1).map(|at| line.as_bytes()[at]);
                let after = line.as_bytes().get(at + name.len()).copied();
                !is_part(before) && (name.ends_with(')') || !is_part(after))
            })
        };
        self.code().find(|(_, line)| occurs(line)).map(|(at, _)| at)
    }
}

/// The files of the product, without the unit tests beside them.
fn files() -> Vec<File> {
    let mut files = files_in(Path::new(SRC));
    files.retain(|file| !file.path.ends_with("/tests.rs") && !file.path.contains("/tests/"));
    assert!(files.len() > 40, "the sources are found");
    files
}

/// The source files in a folder.
fn files_in(top: &Path) -> Vec<File> {
    let mut files = Vec::new();
    let mut folders = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension() == Some("rs".as_ref()) {
                files.push(read(top, &path));
            }
        }
    }
    files
}

fn read(top: &Path, path: &Path) -> File {
    let relative = path.strip_prefix(top).unwrap();
    File {
        path: relative.to_str().unwrap().to_owned(),
        text: fs::read_to_string(path).unwrap(),
    }
}

#[test]
fn the_core_knows_no_client_no_clock_no_randomness_and_no_waiting() {
    let files = files();
    for place in PURE {
        let found = files.iter().any(|file| file.path.starts_with(place));
        assert!(found, "{place} is gone");
    }
    for file in files.iter().filter(|file| file.is_pure()) {
        // Only the key of fingerprints is random, once per process.
        let is_key = file.path == "domain/fingerprint.rs";
        let random = ["rand", "getrandom"];
        let names = IMPURE.into_iter().chain(["getrandom"]);
        for name in names.filter(|name| !is_key || !random.contains(name)) {
            assert_eq!(file.names(name), None, "{} names {name}", file.path);
        }
    }
}

#[test]
fn runs_begin_in_one_place() {
    for file in files() {
        let begins = file.code().any(|(_, line)| line.contains("reconcile("));
        let declares = file.path == "runtime/reconcile.rs";
        assert_eq!(
            begins,
            file.path == "runtime/controller.rs" || declares,
            "{}",
            file.path
        );
    }
}

#[test]
fn the_api_server_is_asked_in_few_places() {
    let files = files();
    let asks = |file: &&File| {
        let mut lines = file.code();
        lines.any(|(_, line)| REQUESTS.iter().any(|request| line.contains(request)))
    };
    let mut found: Vec<&str> = files.iter().filter(asks).map(|file| &*file.path).collect();
    found.sort_unstable();
    assert_eq!(found, EFFECTS);
}

/// Whether the file belongs to the module with the writes.
fn is_act(path: &str) -> bool {
    path == "runtime/act.rs" || path.starts_with("runtime/act/")
}

#[test]
fn secrets_are_written_in_one_place() {
    for file in files() {
        for verb in [
            ".create(",
            ".replace(",
            ".patch(",
            ".patch_status(",
            ".delete(",
        ] {
            let calls = file.code().any(|(_, line)| line.contains(verb));
            let lease_only = file.path == "runtime/leader.rs" && file.names("Secret").is_none();
            assert!(
                !calls || is_act(&file.path) || lease_only,
                "{} calls {verb}",
                file.path
            );
        }
    }
}

#[test]
fn files_have_at_most_300_lines() {
    for top in [SRC, TESTS] {
        let files = files_in(Path::new(top));
        assert!(files.len() > 40, "the files of {top} are found");
        for file in files {
            let lines = file.text.lines().count();
            assert!(lines <= 300, "{top}/{} has {lines} lines", file.path);
        }
    }
}

#[test]
fn functions_have_at_most_50_lines() {
    for file in files() {
        for (name, lines) in functions(&file) {
            assert!(lines <= 50, "{} in {} has {lines} lines", name, file.path);
        }
    }
}

/// A `println` of a concurrent test can end up between `test name ... ` and `ok` of another test, unless the harness
/// captures output; the harness of these suites does not.
#[test]
fn suites_that_catch_no_output_leave_standard_output_to_the_harness() {
    let manifest = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    let uncaught = manifest
        .split("\n[")
        .filter(|section| section.contains("harness = false"));
    let suite = |section: &str| section.split('"').nth(1).unwrap().to_owned();
    let suites: Vec<String> = uncaught.map(suite).chain(["support".to_owned()]).collect();
    assert!(suites.contains(&"e2e".to_owned()), "{suites:?}");
    for suite in suites {
        let folder = Path::new(TESTS).join(&suite);
        for file in files_in(&folder) {
            // The conformance suite's clients are programs that print their answers.
            if file.path.starts_with("conformance/clients/") {
                continue;
            }
            for name in ["println!(", "print!(", "stdout()"] {
                let prints = file.code().find(|(_, line)| {
                    let mut found = line.match_indices(name);
                    found.any(|(at, _)| !line.get(..at).unwrap().ends_with('e'))
                });
                assert_eq!(prints, None, "{suite}/{} has {name}", file.path);
            }
        }
    }
}

/// Functions and their lengths. A function ends at the brace with its own indentation, or, without a body, at the
/// semicolon.
fn functions(file: &File) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    let mut open: Vec<(String, usize, usize)> = Vec::new();
    for (at, line) in file.code() {
        let indent = line.len() - line.trim_start().len();
        let code = line.trim();
        let ends = code == "}" || code.starts_with(')') && code.ends_with(';');
        if ends && let Some(position) = open.iter().rposition(|(_, depth, _)| *depth == indent) {
            let (name, _, from) = open.remove(position);
            found.push((name, at - from + 1));
        }
        let words = code.split(['(', '<']).next().unwrap_or_default();
        let is_function = words.starts_with("fn ") || words.contains(" fn ");
        if is_function && !code.ends_with(['}', ';']) {
            open.push((words.to_owned(), indent, at));
        }
    }
    assert!(open.is_empty(), "{}: {open:?} have no end", file.path);
    found
}
