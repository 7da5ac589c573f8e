//! The program as a replacement for the shell: Node calls `/bin/sh -c`, Go, Rust and Java call `sh -c`.

use std::os::unix::fs::symlink;

use super::{ID, Mounted, SECRET, complaint, json, run, started_as};

#[test]
fn it_runs_itself_however_its_path_and_the_spaces_look() {
    let mounted = Mounted::holding(&json(ID, SECRET));
    let file = mounted.path();
    for command in [
        format!("/var/run/awscredentials.dev/credential-process --file {file} --ttl 1080"),
        format!("credential-process --file {file}"),
        format!("  ./credential-process\t--ttl  960   --file {file} "),
    ] {
        let output = run(&["-c", &command]);
        assert!(output.status.success(), "{command}: {}", complaint(&output));
        let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(printed["AccessKeyId"], ID);
    }
}

#[test]
fn by_the_name_of_a_shell_it_does_the_same() {
    let mounted = Mounted::holding(&json(ID, SECRET));
    let shell = mounted.directory.path().join("sh");
    symlink(super::PROGRAM, &shell).unwrap();
    let command = format!("/x/credential-process --file {}", mounted.path());
    let output = started_as(&shell, &["-c", &command]).output().unwrap();
    assert!(output.status.success());

    for arguments in [&[] as &[&str], &["script.sh"], &["--file", mounted.path()]] {
        let output = started_as(&shell, arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(126), "{arguments:?}");
        assert!(complaint(&output).contains("replaces the shell"));
    }
}

#[test]
fn every_other_command_is_refused_as_one_that_cannot_be_run() {
    for arguments in [
        &["-c"] as &[&str],
        &["-c", ""],
        &["-c", "   "],
        &["-c", "echo credential-process"],
        &["-c", "exec /x/credential-process"],
        &["-c", "A=1 credential-process"],
        &["-c", "/x/credential-process.sh"],
        &["-c", "'credential-process'"],
        &["-c", "credential-process/", "x"],
        &["-c", "credential-process", "name"],
        &["-c", "-c credential-process"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(126), "{arguments:?}");
        assert!(complaint(&output).contains("replaces the shell"));
    }
}

#[test]
fn what_only_a_shell_understands_is_a_usage_error_and_is_not_run() {
    let mounted = Mounted::holding(&json(ID, SECRET));
    let made = mounted.directory.path().join("made");
    for rest in ["; true", "&& true", "| cat", "$HOME", "'quoted'"] {
        let command = format!("credential-process --file {} {rest}", mounted.path());
        assert_eq!(run(&["-c", &command]).status.code(), Some(2), "{command}");
    }
    let command = format!(
        "credential-process --file {} > {}",
        mounted.path(),
        made.display()
    );
    assert_eq!(run(&["-c", &command]).status.code(), Some(2));
    assert!(!made.exists());
}

#[test]
fn a_shell_installs_nothing() {
    let mounted = Mounted::new();
    let directory = mounted.directory.path();
    let command = format!("credential-process install {}", directory.display());
    assert_eq!(run(&["-c", &command]).status.code(), Some(2));
    assert_eq!(std::fs::read_dir(directory).unwrap().count(), 0);
}
