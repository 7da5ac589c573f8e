//! A crash leaves no copy of the process's memory behind.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::{CommandExt, ExitStatusExt},
    },
    path::Path,
    process::{Child, Command},
    thread::sleep,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, getuid, kill_process};
use tempfile::TempDir;

const OPERATOR: &str = env!("CARGO_BIN_EXE_static-aws-credentials");
const NOBODY: u32 = 65532;
const PATIENCE: Duration = Duration::from_mins(1);

/// No server listens at this address, and the operator retries.
const KUBECONFIG: &str = r#"{
    "apiVersion": "v1", "kind": "Config", "current-context": "a",
    "clusters": [{ "name": "a", "cluster": { "server": "http://127.0.0.1:9" } }],
    "contexts": [{ "name": "a", "context": { "cluster": "a", "user": "a" } }],
    "users": [{ "name": "a", "user": {} }]
}"#;

/// A directory that every user may read and write.
fn open_directory() -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    fs::write(directory.path().join("kubeconfig"), KUBECONFIG).unwrap();
    directory
}

/// Starts a program with core dumps enabled, as an unprivileged user if the test runs as root.
fn start(program: &str, directory: &Path) -> Child {
    let mut command = Command::new("sh");
    let script = format!("ulimit -c unlimited; exec {program}");
    command.args(["-c", &script]).current_dir(directory);
    command.env("KUBECONFIG", directory.join("kubeconfig"));
    if getuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.spawn().unwrap()
}

fn operator(directory: &Path) -> Child {
    // The build directory may not be readable for that user.
    let copy = directory.join("operator");
    // Another process copies: a file that is open for writing here is inherited by a child that another test starts at
    // that moment, and cannot be executed until that child has executed its own program.
    let copied = Command::new("cp").arg(OPERATOR).arg(&copy).status();
    assert!(copied.unwrap().success());
    let child = start(
        &format!(
            "{} run --bind 127.0.0.1:0 --probe-bind 127.0.0.1:0",
            copy.display()
        ),
        directory,
    );
    let began = Instant::now();
    while core_limits(child.id()).is_none_or(|limits| limits != ["0", "0"]) {
        assert!(began.elapsed() < PATIENCE, "{:?}", core_limits(child.id()));
        sleep(Duration::from_millis(20));
    }
    child
}

/// The soft and the hard limit.
fn core_limits(process: u32) -> Option<Vec<String>> {
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"))?;
    Some(line.split_whitespace().take(2).map(str::to_owned).collect())
}

/// Kills the process by a signal. Returns whether the kernel dumped its memory, to a file or a program.
fn is_dumped(mut child: Child, signal: Signal) -> bool {
    let process = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    // Rust's handler of SIGSEGV, which detects stack overflows, consumes the first signal; the next one kills.
    let began = Instant::now();
    let status = loop {
        assert!(began.elapsed() < PATIENCE, "{signal:?} ends nothing");
        kill_process(process, signal).unwrap();
        sleep(Duration::from_millis(100));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
    };
    assert_eq!(status.signal(), Some(signal.as_raw()));
    status.core_dumped()
}

#[test]
fn a21_a_crash_leaves_no_core_dump() {
    let directory = open_directory();
    // Not SIGQUIT, which a shell makes background processes ignore.
    for signal in [Signal::ABORT, Signal::SEGV, Signal::ILL] {
        assert!(!is_dumped(operator(directory.path()), signal), "{signal:?}");
    }
    let names = fs::read_dir(directory.path()).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["kubeconfig", "operator"]);

    let other = start("sleep 60", directory.path());
    sleep(Duration::from_millis(300));
    if !is_dumped(other, Signal::ABORT) {
        eprintln!("this machine dumps the memory of no program: only the limits were tested");
    }
}

#[test]
fn a21_its_memory_belongs_to_the_administrator_alone() {
    let directory = open_directory();
    let owner = |process: u32| {
        fs::metadata(format!("/proc/{process}/environ"))
            .unwrap()
            .uid()
    };
    let mut other = start("sleep 60", directory.path());
    let mut operator = operator(directory.path());
    let began = Instant::now();
    // The core limit changes a moment before the owner.
    while owner(operator.id()) != 0 {
        assert!(began.elapsed() < PATIENCE, "it can be dumped");
        sleep(Duration::from_millis(20));
    }
    assert_ne!(
        owner(other.id()),
        0,
        "any other process shows that this can fail"
    );
    for child in [&mut other, &mut operator] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
