//! The output of a panic, in a separate process.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::process::Command;

use static_aws_credentials::cli::panics::hide_messages;

const MESSAGE: &str = "GET /?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE";

/// Variable that selects how a child process of this test panics.
const WAY: &str = "PANIC_OF_A_TEST";

/// Output of a child process that panics this way.
fn printed(way: &str) -> String {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    let test = "panics::a_panic_prints_its_place_and_not_its_message";
    let command = command.args(["--exact", test, "--nocapture"]).env(WAY, way);
    let output = command.output().unwrap();
    assert!(!output.status.success());
    let texts = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&texts).into_owned()
}

fn panic_before_there_is_a_log() {
    hide_messages();
    panic!("{MESSAGE}");
}

fn panic_in_a_log() {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    hide_messages();
    std::thread::Builder::new()
        .name("worker".to_owned())
        .spawn(|| panic!("{MESSAGE}"))
        .unwrap()
        .join()
        .unwrap_or_else(|_| std::process::exit(1));
}

#[test]
fn a_panic_prints_its_place_and_not_its_message() {
    match std::env::var(WAY).as_deref() {
        Ok("before a log") => return panic_before_there_is_a_log(),
        Ok("in a log") => return panic_in_a_log(),
        _ => {}
    }
    for way in ["before a log", "in a log"] {
        let text = printed(way);
        assert!(
            text.contains("tests/diagnostics/panics/mod.rs:"),
            "{way}: {text}"
        );
        assert!(!text.contains("AKIA"), "{way}: {text}");
    }
    assert!(printed("in a log").contains("worker"));
}
