//! What a panic prints, in a process of its own.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::process::Command;

use static_aws_credentials::panics::hide_messages;

const MESSAGE: &str = "GET /?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE";

fn panicking(test: &str) -> String {
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    let command = command.args(["--exact", test, "--ignored", "--nocapture"]);
    let output = command.output().unwrap();
    assert!(!output.status.success());
    let texts = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&texts).into_owned()
}

#[test]
#[ignore = "it is run by another one"]
fn before_there_is_a_log() {
    hide_messages();
    panic!("{MESSAGE}");
}

#[test]
#[ignore = "it is run by another one"]
fn in_a_log() {
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
    for test in ["before_there_is_a_log", "in_a_log"] {
        let text = panicking(test);
        assert!(text.contains("tests/panics.rs:"), "{test}: {text}");
        assert!(!text.contains("AKIA"), "{test}: {text}");
    }
    assert!(panicking("in_a_log").contains("worker"));
}
