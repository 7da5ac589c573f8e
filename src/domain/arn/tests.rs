//! The pin on an ARN.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};

use crate::domain::arn::ArnPattern;
use proptest::prelude::*;

fn pin(text: &str) -> ArnPattern {
    ArnPattern::parse(text).unwrap()
}

#[test]
fn a_pin_has_the_account_and_the_partition_of_its_arn() {
    for (text, account, partition) in [
        (
            "arn:aws:iam::123456789012:user/alice",
            Some("123456789012"),
            "aws",
        ),
        (
            "arn:aws-us-gov:iam::000000000000:root",
            Some("000000000000"),
            "aws-us-gov",
        ),
        ("arn:aws-cn:iam::*:user/*", None, "aws-cn"),
        ("arn:aws-iso-b:iam::*:root", None, "aws-iso-b"),
    ] {
        let pin = pin(text);
        assert_eq!(
            (pin.account(), pin.partition()),
            (account, partition),
            "{text}"
        );
    }
}

/// According to the IAM documentation, a path is `/`, printable characters and `/`.
#[test]
fn a_path_may_hold_any_visible_sign_and_a_name_may_not() {
    for resource in [
        "user/a:b/alice",
        "user/!#$%&'()~/[x]/alice",
        "user/a//b/alice",
        "user/dept/",
    ] {
        let text = format!("arn:aws:iam::123456789012:{resource}");
        assert!(pin(&text).matches(&text), "{text}");
        assert!(!pin(&text).matches(&format!("{text}x")), "{text}");
    }
}

const NO_PINS: &[&str] = &[
    "",
    "*",
    "arn",
    "arn:aws:iam::123456789012:",
    "arn:aws:iam::123456789012:user/",
    "arn:aws:iam::123456789012:user",
    "arn:aws:iam::123456789012:*",
    "arn:aws:iam::123456789012:root/",
    "arn:aws:iam::123456789012:role/alice",
    "arn:aws:iam::123456789012:user/alice:x",
    "arn:aws:iam::123456789012:user/alice\n",
    "arn:aws:iam::123456789012:user/\u{e4}",
    "arn:aws:iam::123456789012:user/a b",
    "arn:aws:iam::123456789012:user/a b/alice",
    "arn:aws:iam::123456789012:user/dept/alice:x",
    "arn:aws:iam::123456789012:user/[a-z]?",
    "arn:aws:iam::12345678901:user/alice",
    "arn:aws:iam::1234567890123:user/alice",
    "arn:aws:iam::12345678901*:user/alice",
    "arn:aws:iam::\u{661}23456789012:user/alice",
    "arn:aws:iam::**:user/alice",
    "arn:aws:iam:::user/alice",
    "arn:aws:iam:us-east-1:123456789012:user/alice",
    "arn:aws:sts::123456789012:user/alice",
    "arn:aws-:iam::123456789012:user/alice",
    "arn:awsx:iam::123456789012:user/alice",
    "arn:aws-CN:iam::123456789012:user/alice",
    "arn:*:iam::123456789012:user/alice",
    "ARN:aws:iam::123456789012:user/alice",
    " arn:aws:iam::123456789012:user/alice",
    "arn:aws:iam::123456789012:user/alice\0",
];

#[test]
fn what_is_no_arn_of_a_user_is_no_pin() {
    for text in NO_PINS {
        let message = ArnPattern::parse(text).unwrap_err();
        assert!(
            message.starts_with("arn must be the ARN"),
            "{text:?}: {message}"
        );
    }
    let long = |letters| format!("arn:aws:iam::123456789012:user/{}", "a".repeat(letters));
    assert!(ArnPattern::parse(&long(2017)).is_ok());
    assert!(ArnPattern::parse(&long(2018)).unwrap_err().contains("2048"));
}

#[test]
fn a_star_stands_for_anything_within_one_part() {
    let table = [
        ("user/alice", "user/alice", true),
        ("user/alice", "user/Alice", false),
        ("user/alice", "user/alice2", false),
        ("user/alice", "user/x/alice", false),
        ("user/*", "user/alice", true),
        ("user/*", "user/a/b/alice", true),
        ("user/*", "user/", true),
        ("user/*", "root", false),
        ("user/*", "user/a:b", false),
        ("user/*", "assumed-role/user/alice", false),
        ("user/connectors/*", "user/connectors/s3", true),
        ("user/connectors/*", "user/connectors", false),
        ("user/connectors/*", "user/other/connectors/s3", false),
        ("user/*/s3-*", "user/a/b/s3-x", true),
        ("user/*/s3-*", "user/s3-x", false),
        ("user/*a", "user/bab", false),
        ("user/*ab", "user/aab", true),
        ("user/ab*b", "user/ab", false),
        ("user/ab*ba", "user/aba", false),
        ("user/a**b", "user/ab", true),
        ("user/***", "user/x", true),
        ("user/*ab*ab*", "user/abxab", true),
        ("user/*ab*ab*", "user/abab", true),
        ("user/*ab*ab*", "user/ab", false),
        ("root", "root", true),
        ("root", "user/root", false),
    ];
    for (resource, actual, matches) in table {
        let arn = format!("arn:aws:iam::123456789012:{actual}");
        for account in ["123456789012", "*"] {
            let pin = pin(&format!("arn:aws:iam::{account}:{resource}"));
            assert_eq!(pin.matches(&arn), matches, "{pin:?} and {arn}");
        }
    }
}

#[test]
fn every_part_of_the_arn_is_compared() {
    let pin = pin("arn:aws:iam::123456789012:user/*");
    assert!(pin.matches("arn:aws:iam::123456789012:user/alice"));
    for arn in [
        "",
        "arn:aws:iam::123456789012",
        "arn:aws-cn:iam::123456789012:user/alice",
        "arn:aws:sts::123456789012:user/alice",
        "arn:aws:iam:eu-west-1:123456789012:user/alice",
        "arn:aws:iam::123456789013:user/alice",
        "arn:aws:iam::*:user/alice",
        "arn:aws:iam::123456789012:user/alice:extra",
        "arn:aws:sts::123456789012:assumed-role/user/alice",
        "x:aws:iam::123456789012:user/alice",
    ] {
        assert!(!pin.matches(arn), "{arn}");
    }
}

/// Tries every placement of the pieces, which is too slow outside of tests.
fn reference(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], text) => text.is_empty(),
        ([b'*', rest @ ..], text) => {
            (0..=text.len()).any(|skipped| reference(rest, text.get(skipped..).unwrap()))
        }
        ([one, rest @ ..], [first, others @ ..]) => one == first && reference(rest, others),
        (_, []) => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn a_pin_matches_what_the_plain_definition_matches(
        pattern in "[ab*]{1,9}",
        text in "[ab]{0,12}",
    ) {
        let pin = pin(&format!("arn:aws:iam::*:user/{pattern}"));
        let arn = format!("arn:aws:iam::123456789012:user/{text}");
        prop_assert_eq!(pin.matches(&arn), reference(pattern.as_bytes(), text.as_bytes()));
    }

    #[test]
    fn a_pin_without_a_star_matches_itself_alone(one in "user/[a-z/+=,.@_-]{1,9}", other in "user/[a-z]{1,2}") {
        let arn = |resource: &str| format!("arn:aws:iam::123456789012:{resource}");
        let pin = pin(&arn(&one));
        prop_assert!(pin.matches(&arn(&one)));
        prop_assert_eq!(pin.matches(&arn(&other)), one == other);
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), arn in any::<String>()) {
        prop_assert!(ArnPattern::parse(&text).is_err());
        prop_assert!(!pin("arn:aws:iam::*:user/*").matches(&arn));
    }
}

/// The plain definition would take far too long here.
#[test]
fn a_hostile_pin_takes_linear_time() {
    let pin = pin(&format!("arn:aws:iam::*:user/{}b", "a*".repeat(900)));
    let arn = format!("arn:aws:iam::123456789012:user/{}", "a".repeat(1 << 20));
    let start = Instant::now();
    assert!(!pin.matches(&arn));
    assert!(!pin.matches(&format!("{arn}c")));
    assert!(pin.matches(&format!("{arn}b")));
    assert!(start.elapsed() < Duration::from_secs(20));
}
