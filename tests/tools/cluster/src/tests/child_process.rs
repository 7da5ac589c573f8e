//! A child process ends with its parent, however the parent ends.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::child_process::ChildProcess;
use anyhow::{Context, Result, ensure};
use rustix::process::Signal;

/// Set in the processes that the tests start.
const OWNER: &str = "CHILD_PROCESS_TEST_OWNER";

#[test]
fn a_program_ends_when_its_parent_is_killed() -> Result<()> {
    let log = tempfile::NamedTempFile::new()?;
    if std::env::var_os(OWNER).is_some() {
        // A shell that ignores the signals of a graceful stop, with a child of its own.
        let script = "trap '' TERM HUP INT; sleep 3600 & wait";
        let args = ["-c", script].map(str::to_owned);
        let program = ChildProcess::spawn("sh", Path::new("/bin/sh"), &args, &[], log.path())?;
        println!("\npid {}", program.pid());
        loop {
            std::thread::park();
        }
    }
    let mut owner = Command::new(std::env::current_exe()?)
        .args([
            "--exact",
            "tests::child_process::a_program_ends_when_its_parent_is_killed",
            "--nocapture",
        ])
        .env(OWNER, "1")
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let lines = BufReader::new(owner.stdout.take().context("a pipe")?).lines();
    let pid = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("pid ")?.parse().ok());
    let pid: u32 = pid.context("the owner printed no pid")?;
    assert!(lives(pid), "it runs while its parent does");
    owner.kill()?;
    owner.wait()?;
    let end = Instant::now() + Duration::from_mins(1);
    while lives(pid) {
        ensure!(
            Instant::now() < end,
            "process {pid} has outlived its parent"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

#[test]
fn a_program_that_does_not_listen_is_killed() -> Result<()> {
    let log = tempfile::NamedTempFile::new()?;
    let script = "trap '' TERM; echo deaf; while :; do sleep 1; done";
    let args = ["-c", script].map(str::to_owned);
    let program = ChildProcess::spawn("sh", Path::new("/bin/sh"), &args, &[], log.path())?;
    let program = program.with_grace(Duration::from_millis(300));
    let end = Instant::now() + Duration::from_mins(1);
    while !std::fs::read_to_string(log.path())?.contains("deaf") {
        ensure!(Instant::now() < end, "the program has printed nothing");
        std::thread::sleep(Duration::from_millis(10));
    }
    program.stop();
    assert_eq!(program.exit_code(), Some(128 + 9));
    assert!(!lives(program.pid()));
    Ok(())
}

#[test]
fn a_program_that_ends_by_itself_tells_its_code_and_its_words() -> Result<()> {
    let log = tempfile::NamedTempFile::new()?;
    let args = ["-c", "echo \"$WORD\" >&2; exit 7"].map(str::to_owned);
    let env = [("WORD".to_owned(), "sorry".to_owned())];
    let program = ChildProcess::spawn("sh", Path::new("/bin/sh"), &args, &env, log.path())?;
    assert!(program.wait(Duration::from_mins(1)));
    assert_eq!(program.exit_code(), Some(7));
    let error = program.check().err().context("it has ended")?.to_string();
    assert!(
        error.contains("code 7") && error.contains("sorry"),
        "{error}"
    );
    Ok(())
}

/// All threads are writing, so a signal that has been sent but has not taken effect would be noticed.
#[test]
fn a_frozen_program_does_nothing_more() -> Result<()> {
    if std::env::var_os(OWNER).is_some() {
        let writers = (0..8).map(|_| {
            std::thread::spawn(|| -> std::io::Result<()> {
                loop {
                    std::io::stdout().write_all(b".")?;
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            let _ = writer.join();
        }
        return Ok(());
    }
    let log = tempfile::NamedTempFile::new()?;
    let args = [
        "--exact",
        "tests::child_process::a_frozen_program_does_nothing_more",
    ]
    .map(str::to_owned);
    let args = [&args[..], &["--nocapture".to_owned()]].concat();
    let env = [(OWNER.to_owned(), "1".to_owned())];
    let program = ChildProcess::spawn(
        "writers",
        &std::env::current_exe()?,
        &args,
        &env,
        log.path(),
    )?;
    let written = || Ok::<_, std::io::Error>(log.path().metadata()?.len());
    for round in 0..50 {
        let before = written()?;
        let end = Instant::now() + Duration::from_mins(1);
        while written()? < before + 1000 {
            ensure!(Instant::now() < end, "round {round}: nothing is written");
            std::thread::sleep(Duration::from_millis(1));
        }
        program.freeze()?;
        let frozen = written()?;
        std::thread::sleep(Duration::from_millis(10));
        assert_eq!(written()?, frozen, "round {round}");
        program.signal(Signal::CONT);
    }
    program.kill();
    assert!(program.freeze().is_err(), "it has ended");
    Ok(())
}

/// A zombie counts as ended; its reaping does not matter here.
fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with('Z'))
}
