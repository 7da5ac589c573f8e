//! Output of the program.

use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{ID, Mounted, SECRET, complaint, json, run, utc};

fn printed(content: &str, arguments: &[&str]) -> Value {
    let mounted = Mounted::holding(content);
    let output = run(&[&["--file", mounted.path()], arguments].concat());
    assert!(output.status.success(), "{}", complaint(&output));
    assert!(output.stderr.is_empty());
    assert_eq!(output.stdout.last(), Some(&b'\n'));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Seconds until the printed pair expires.
fn lifetime(printed: &Value) -> i64 {
    let expiration = printed["Expiration"].as_str().unwrap();
    let at: Timestamp = expiration.parse().unwrap();
    assert_eq!(at.to_string(), expiration, "in UTC and to the second");
    at.as_second() - Timestamp::now().as_second()
}

#[test]
fn it_prints_the_pair_with_an_expiration_and_nothing_else() {
    let mut printed = printed(&json(ID, SECRET), &[]);
    let lifetime = lifetime(&printed);
    assert!((1075..=1080).contains(&lifetime), "{lifetime}");
    printed.as_object_mut().unwrap().remove("Expiration");
    let meant = json!({"Version": 1, "AccessKeyId": ID, "SecretAccessKey": SECRET});
    assert_eq!(printed, meant);
}

#[test]
fn the_expiration_is_as_far_ahead_as_it_is_told() {
    for ttl in [1, 60, 959, 960, 1800, 43_200] {
        let printed = printed(&json(ID, SECRET), &["--ttl", &ttl.to_string()]);
        let lifetime = lifetime(&printed);
        assert!((ttl - 5..=ttl).contains(&lifetime), "{lifetime} of {ttl}");
    }
}

#[test]
fn a_session_token_is_passed_on_unless_it_is_empty() {
    for (token, passed) in [
        (json!("token"), json!("token")),
        (json!(""), Value::Null),
        (Value::Null, Value::Null),
    ] {
        let content = json!({"Version": 1, "AccessKeyId": ID, "SecretAccessKey": SECRET, "SessionToken": token});
        let printed = printed(&content.to_string(), &[]);
        assert_eq!(printed["SessionToken"], passed);
        assert_eq!(printed.get("SessionToken").is_some(), !passed.is_null());
    }
}

#[test]
fn an_older_expiration_in_the_file_does_not_count() {
    let content = json!({"Version": 1, "AccessKeyId": ID, "SecretAccessKey": SECRET, "Expiration": "2020-01-01T00:00:00Z"});
    assert!(lifetime(&printed(&content.to_string(), &[])) > 1000);
}

#[test]
fn a_file_that_is_not_what_it_should_be_is_refused_without_a_word_of_its_content() {
    let pair = json!({"Version": 1, "AccessKeyId": ID, "SecretAccessKey": SECRET});
    let changed = |key: &str, value: Value| {
        let mut changed = pair.clone();
        changed[key] = value;
        changed.to_string()
    };
    for (content, named) in [
        (String::new(), "no complete JSON object"),
        (format!("\"{SECRET}\""), "no complete JSON object"),
        (json(ID, SECRET).replace('}', ""), "no complete JSON object"),
        (format!("{ID} {SECRET}"), "no complete JSON object"),
        (
            format!("{}{SECRET}", json(ID, SECRET)),
            "no complete JSON object",
        ),
        (changed("Version", json!("1")), "Version must"),
        (changed("Version", json!(2)), "Version must"),
        (changed("Version", json!(1.5)), "Version must"),
        (changed("Version", Value::Null), "Version must"),
        (changed("AccessKeyId", json!("")), "AccessKeyId must"),
        (changed("AccessKeyId", json!([SECRET])), "AccessKeyId must"),
        (
            changed("SecretAccessKey", json!("")),
            "SecretAccessKey must",
        ),
        (
            changed("SecretAccessKey", Value::Null),
            "SecretAccessKey must",
        ),
    ] {
        let mounted = Mounted::holding(&content);
        let output = run(&["--file", mounted.path()]);
        assert_eq!(output.status.code(), Some(1));
        let complaint = complaint(&output);
        assert!(complaint.starts_with(mounted.path()), "{complaint}");
        assert!(complaint.contains(named), "{complaint}");
    }
}

#[test]
fn a_command_line_that_is_wrong_is_a_usage_error() {
    let mounted = Mounted::holding(&json(ID, SECRET));
    let file = mounted.path();
    for arguments in [
        &["--file"] as &[&str],
        &["--file", ""],
        &["--file", file, "--ttl"],
        &["--file", file, "--ttl", "0"],
        &["--file", file, "--ttl", "-5"],
        &["--file", file, "--ttl", "1.5"],
        &["--file", file, "--ttl", "43201"],
        &["--file", file, "--ttl", "99999999999999999999"],
        &["--file", file, "--ttl", ""],
        &["--file", file, "print"],
        &["--help"],
        &[file],
        &["install"],
        &["install", file, file],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let complaint = complaint(&output);
        let says_how = complaint.starts_with("usage: ") || complaint.starts_with("--ttl: ");
        assert!(says_how, "{complaint}");
    }
}

#[test]
fn nobody_reads_what_it_prints() {
    let mounted = Mounted::holding(&json(ID, SECRET));
    let mut command = super::program(&["--file", mounted.path()]);
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = command.stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).contains("standard output"));
}

#[test]
fn every_day_until_2200_has_its_date() {
    let first: Timestamp = "1970-01-01T00:00:00Z".parse().unwrap();
    for day in 0..84_000 {
        let at = first + (24 * day).hours() + (day % 86_400).seconds();
        let seconds = u64::try_from(at.as_second()).unwrap();
        assert_eq!(utc::format(seconds), at.to_string());
    }
}

proptest! {
    #[test]
    fn every_second_has_its_time(seconds in 0_u64..250_000_000_000) {
        let at = Timestamp::UNIX_EPOCH + Duration::from_secs(seconds);
        prop_assert_eq!(utc::format(seconds), at.to_string());
    }
}

#[test]
fn whatever_a_secret_holds_comes_out_as_it_went_in() {
    for secret in [
        "\"\\/",
        "\u{1}\u{1f}\n",
        "\u{e4}\u{4e00}\u{1f600}",
        " x ",
        "#;='",
    ] {
        let content = json!({"Version": 1, "AccessKeyId": ID, "SecretAccessKey": secret});
        assert_eq!(
            printed(&content.to_string(), &[])["SecretAccessKey"],
            secret
        );
    }
}
