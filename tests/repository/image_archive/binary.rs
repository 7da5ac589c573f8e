//! The programs: static, hardened, and without traces of the build machine.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use super::{HELPER, NAME, reader::file, start};

const PROGRAMS: [&str; 2] = [NAME, HELPER];

/// A program from the image, on disk.
pub(crate) fn program(name: &str) -> &'static Path {
    static PLACES: [OnceLock<PathBuf>; 2] = [OnceLock::new(), OnceLock::new()];
    let place = PROGRAMS.iter().position(|program| *program == name);
    let place = place.and_then(|place| PLACES.get(place));
    place.expect("it is a program").get_or_init(|| {
        let mut content = tempfile::NamedTempFile::new().expect("a file");
        content.write_all(file(name)).expect("it is written");
        let directory = tempfile::tempdir().expect("a directory").keep();
        let program = directory.join(name);
        install(content.path(), &program);
        program
    })
}

/// Copies a program. Another process writes the copy: a file that is open for writing here is inherited by a child that
/// another test starts at that moment, and cannot be executed meanwhile.
pub(crate) fn install(from: &Path, to: &Path) {
    let copied = Command::new("install").arg(from).arg(to).status();
    assert!(copied.expect("coreutils are there").success());
}

fn readelf(what: &str, name: &str) -> String {
    let output = Command::new("readelf")
        .arg(what)
        .arg(program(name))
        .output();
    let output = output.expect("readelf comes with the linker");
    assert!(output.status.success(), "readelf {what}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn it_needs_no_loader_and_no_library() {
    for name in PROGRAMS {
        let segments = readelf("-lW", name);
        assert!(!segments.contains("INTERP"), "{segments}");
        let dynamic = readelf("-dW", name);
        assert!(!dynamic.contains("(NEEDED)"), "{dynamic}");
    }
}

#[test]
fn its_addresses_are_random_and_no_page_is_writable_and_executable() {
    for name in PROGRAMS {
        assert!(
            readelf("-hW", name).contains("DYN "),
            "{name} is not position-independent"
        );
        let segments = readelf("-lW", name);
        assert!(segments.contains("GNU_RELRO"), "{segments}");
        let stack = segments.lines().find(|line| line.contains("GNU_STACK"));
        assert!(stack.is_some_and(|line| line.contains(" RW ")), "{stack:?}");
        assert!(!segments.contains("RWE"), "{segments}");
    }
}

#[test]
fn it_carries_no_symbols() {
    for name in PROGRAMS {
        assert!(!readelf("-SW", name).contains(".symtab"));
    }
}

#[test]
fn it_names_no_path_of_the_machine_that_built_it() {
    let workspace = std::fs::canonicalize(env!("CARGO_MANIFEST_DIR"));
    let workspace = workspace
        .expect("the workspace is there")
        .display()
        .to_string();
    let home = std::env::home_dir().expect("a home").join(".cargo");
    let home = std::env::var_os("CARGO_HOME")
        .map_or(home, PathBuf::from)
        .display()
        .to_string();
    let target = super::image()
        .archive
        .parent()
        .expect("a directory")
        .display()
        .to_string();
    for path in [workspace, home, target] {
        for name in PROGRAMS {
            let found = memchr(file(name), path.as_bytes());
            assert!(!found, "{name} names {path}");
        }
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
    let output = start(program(NAME)).arg("crd").output().expect("it starts");
    let committed = cluster::shipped::CRD;
    assert_eq!(String::from_utf8_lossy(&output.stdout), committed);
}

#[test]
fn the_helper_prints_what_it_reads_and_can_be_taken_along() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = directory.path().display().to_string();
    let pair = r#"{"Version":1,"AccessKeyId":"AKIAQRSTUVWX23456723","SecretAccessKey":"x"}"#;
    let mounted = directory.path().join("credentials.json");
    std::fs::write(&mounted, pair).expect("it is written");
    let installed = start(program(HELPER)).args(["install", &place]).status();
    assert!(installed.expect("it starts").success());
    let output = start(&directory.path().join(HELPER))
        .args(["--file", &mounted.display().to_string()])
        .env_clear()
        .output()
        .expect("the copy starts");
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(printed["AccessKeyId"], "AKIAQRSTUVWX23456723");
    assert!(printed["Expiration"].is_string());
}
