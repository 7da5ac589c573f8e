//! The copy of the program for other containers.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    process::Command,
};

use super::{ID, Mounted, PROGRAM, SECRET, complaint, json, run, started_as};

#[test]
fn the_copy_is_the_program_and_everybody_may_start_it() {
    let mounted = Mounted::holding(&json(ID, SECRET));
    let directory = mounted.directory.path().join("bin");
    fs::create_dir(&directory).unwrap();
    let output = run(&["install", directory.to_str().unwrap()]);
    assert!(output.status.success(), "{}", complaint(&output));
    assert!(output.stdout.is_empty() && output.stderr.is_empty());

    let copy = directory.join("credential-process");
    assert_eq!(fs::read(&copy).unwrap(), fs::read(PROGRAM).unwrap());
    assert_eq!(
        fs::metadata(&copy).unwrap().permissions().mode() & 0o7777,
        0o755
    );
    assert_eq!(
        fs::read_dir(&directory).unwrap().count(),
        1,
        "nothing is left"
    );

    let printed = started_as(&copy, &["--file", mounted.path()])
        .output()
        .unwrap();
    assert!(printed.status.success());
}

#[test]
fn an_older_copy_is_replaced_as_a_whole() {
    let mounted = Mounted::holding("an older program");
    let place = mounted.directory.path().join("credential-process");
    fs::rename(&mounted.file, &place).unwrap();
    let before = fs::metadata(&place).unwrap().ino();
    let directory = mounted.directory.path().to_str().unwrap();
    assert!(run(&["install", directory]).status.success());
    assert_ne!(
        fs::metadata(&place).unwrap().ino(),
        before,
        "it is another file"
    );
    assert!(
        run(&["install", directory]).status.success(),
        "twice is as once"
    );
}

#[test]
fn a_directory_that_cannot_be_written_is_named_and_nothing_is_left_behind() {
    let mounted = Mounted::new();
    let missing = mounted.directory.path().join("missing");
    let output = run(&["install", missing.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let complaint_of_missing = complaint(&output);
    assert!(
        complaint_of_missing.contains(missing.to_str().unwrap()),
        "{complaint_of_missing}"
    );

    // A directory has the program's name, so the last step fails.
    let taken = mounted.directory.path().join("credential-process");
    fs::create_dir_all(taken.join("x")).unwrap();
    let output = run(&["install", mounted.directory.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).starts_with("install: "));
    let left: Vec<_> = fs::read_dir(mounted.directory.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

/// Like a node on which the kubelet's volumes are mounted with `noexec`.
#[test]
fn a_directory_from_which_nothing_runs_is_told_by_the_installer_and_holds_no_program() {
    let mounted = Mounted::new();
    let directory = mounted.directory.path().to_str().unwrap();
    let script = r#"mount -t tmpfs -o noexec tmpfs "$1" && "$2" install "$1"; code=$?; ls -A "$1"; exit $code"#;
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
        .args(["sh", directory, PROGRAM])
        .output()
        .unwrap();
    let said = complaint(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("noexec") && said.contains(directory),
        "{said}"
    );
    assert!(output.stdout.is_empty(), "{output:?}");
}

#[test]
fn the_version_is_that_of_the_package() {
    let output = run(&["--version"]);
    assert!(output.status.success());
    let version = concat!("credential-process ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(output.stdout, version.as_bytes());
}
