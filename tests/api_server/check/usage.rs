//! The command line: errors are explained, and have their own exit code.

use std::sync::Arc;

use anyhow::Result;

use crate::{
    check::{
        program::{check, program},
        test_cluster::{PAIR, TestCluster, secret},
    },
    suite::tests,
};

tests![
    a_wrong_command_line_is_an_error_of_its_own,
    what_cannot_be_read_is_an_error_that_names_it,
    help_is_printed_with_success_and_lists_the_exit_codes,
    a_full_standard_output_does_not_change_the_exit_code,
];

async fn a_wrong_command_line_is_an_error_of_its_own(_: Arc<TestCluster>) -> Result<()> {
    let cases: &[(&[&str], &str)] = &[
        (&[], "--file <PATH>|--secret <NAME>|--resource <NAME>"),
        (&["-f", "-"], "--region is needed to ask AWS STS"),
        (&["-f", "-", "--no-such-flag"], "--no-such-flag"),
        (&["-f"], "--file"),
        (&["-f", "-", "--region", "Europe"], "--region"),
        (
            &["-f", "-", "--offline", "--account-id", "12345"],
            "12 digits",
        ),
        (
            &["-f", "-", "--region", "eu-west-1", "--arn", "orders"],
            "--arn",
        ),
        (
            &["-f", "-", "--region", "eu-west-1", "--root-user", "perhaps"],
            "--root-user",
        ),
        (
            &["-f", "-", "--region", "eu-west-1", "--wait", "long"],
            "60s or 2m",
        ),
        (
            &["-f", "-", "--region", "eu-west-1", "--wait=-5s"],
            "negative",
        ),
        (
            &[
                "-f",
                "-",
                "--region",
                "eu-west-1",
                "--sts-endpoint",
                "http://sts.example.com",
            ],
            "loopback",
        ),
        (
            &["-f", "-", "--offline", "--arn", "arn:aws:iam::*:root"],
            "cannot be used with",
        ),
        (
            &["-f", "-", "--offline", "--wait", "60s"],
            "cannot be used with",
        ),
        (
            &["-f", "-", "--offline", "--context", "orders"],
            "cannot be used with",
        ),
        (&["-f", "-", "--offline", "-o", "xml"], "--output"),
        (&["--secret", "a", "--resource", "b"], "cannot be used with"),
    ];
    for (flags, words) in cases {
        check(*flags)
            .input(secret(PAIR.0, PAIR.1))
            .fails_with(words)
            .await?;
    }
    Ok(())
}

async fn what_cannot_be_read_is_an_error_that_names_it(_: Arc<TestCluster>) -> Result<()> {
    let input = || secret(PAIR.0, PAIR.1);
    let absent = ["-f", "/does/not/exist", "--offline"];
    check(absent)
        .fails_with("/does/not/exist: it cannot be read")
        .await?;
    check(["-f", "/tmp", "--offline"])
        .fails_with("/tmp: it cannot be read")
        .await?;
    let ca = [
        "-f",
        "-",
        "--region",
        "eu-west-1",
        "--sts-ca-file",
        "/does/not/exist",
    ];
    check(ca)
        .input(input())
        .fails_with("--sts-ca-file: /does/not/exist")
        .await?;
    let secret = ["--secret", "orders", "--region", "eu-west-1"];
    check(secret).fails_with("KUBECONFIG").await?;
    check(secret.iter().chain(&["--context", "a"]))
        .fails_with("--context")
        .await
}

async fn help_is_printed_with_success_and_lists_the_exit_codes(_: Arc<TestCluster>) -> Result<()> {
    for flag in ["-h", "--help"] {
        let run = check([flag]).run().await?;
        assert_eq!(run.code, 0, "{}", run.output());
        for words in [
            "Exit codes:",
            "0  accepted",
            "1  rejected",
            "2  undetermined",
            "3  the command",
        ] {
            assert!(run.out.contains(words), "{}", run.output());
        }
        assert!(!run.out.contains("env:"), "{}", run.output());
    }
    // Other subcommands keep exit code 2 for a wrong command line.
    let run = program("run", ["--no-such-flag"]).run().await?;
    assert_eq!(run.code, 2, "{}", run.output());
    let run = program("api-check", ["--no-such-flag"]).run().await?;
    assert_eq!(run.code, 2, "{}", run.output());
    Ok(())
}

async fn a_full_standard_output_does_not_change_the_exit_code(_: Arc<TestCluster>) -> Result<()> {
    for (key, code) in [(PAIR.1, 0), ("", 1)] {
        let mut child = tokio::process::Command::new("sh")
            .args(["-c", "exec \"$0\" check -f - --offline >/dev/full"])
            .arg(env!("CARGO_BIN_EXE_static-aws-credentials"))
            .stdin(std::process::Stdio::piped())
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            use tokio::io::AsyncWriteExt;
            stdin.write_all(secret(PAIR.0, key).as_bytes()).await?;
        }
        assert_eq!(child.wait().await?.code(), Some(code));
    }
    Ok(())
}
