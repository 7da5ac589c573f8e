//! The program: static, hardened, silent about the machine that built it.

use std::{io::Write, path::PathBuf, process::Command, sync::OnceLock};

use crate::{NAME, reader::file};

/// The program out of the image, on disk.
fn program() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let mut program = tempfile::Builder::new();
        program.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755));
        let mut program = program.tempfile().expect("a file");
        program.write_all(file(NAME)).expect("it is written");
        program.into_temp_path().keep().expect("it is kept")
    })
}

fn readelf(what: &str) -> String {
    let output = Command::new("readelf").arg(what).arg(program()).output();
    let output = output.expect("readelf comes with the linker");
    assert!(output.status.success(), "readelf {what}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn it_needs_no_loader_and_no_library() {
    let segments = readelf("-lW");
    assert!(!segments.contains("INTERP"), "{segments}");
    let dynamic = readelf("-dW");
    assert!(!dynamic.contains("(NEEDED)"), "{dynamic}");
}

#[test]
fn its_addresses_are_random_and_no_page_is_writable_and_executable() {
    assert!(
        readelf("-hW").contains("DYN "),
        "it is not position-independent"
    );
    let segments = readelf("-lW");
    assert!(segments.contains("GNU_RELRO"), "{segments}");
    let stack = segments.lines().find(|line| line.contains("GNU_STACK"));
    assert!(stack.is_some_and(|line| line.contains(" RW ")), "{stack:?}");
    assert!(!segments.contains("RWE"), "{segments}");
}

#[test]
fn it_carries_no_symbols() {
    assert!(!readelf("-SW").contains(".symtab"));
}

#[test]
fn it_names_no_path_of_the_machine_that_built_it() {
    let workspace = std::fs::canonicalize(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let workspace = workspace
        .expect("the workspace is there")
        .display()
        .to_string();
    let home = std::env::home_dir().expect("a home").join(".cargo");
    let home = std::env::var_os("CARGO_HOME")
        .map_or(home, PathBuf::from)
        .display()
        .to_string();
    let target = crate::image()
        .archive
        .parent()
        .expect("a directory")
        .display()
        .to_string();
    for path in [workspace, home, target] {
        let found = memchr(file(NAME), path.as_bytes());
        assert!(!found, "it names {path}");
    }
    assert!(
        memchr(file(NAME), b"/registry/"),
        "the search finds what is there"
    );
}

fn memchr(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

#[test]
fn it_starts() {
    let output = Command::new(program())
        .arg("crd")
        .output()
        .expect("it starts");
    let committed = include_str!("../../../../crds/staticawscredentials.awscredentials.dev.yaml");
    assert_eq!(String::from_utf8_lossy(&output.stdout), committed);
}
