//! Messages from other systems are repeated on one line, truncated, and without any form of the pair.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::fmt::Write;

use crate::{
    api::Layout,
    domain::{
        layout::{self, Request},
        pair::{KeyPair, SecretText},
        words::{LONGEST, about, cut, foreign},
    },
    error::{Error, chain},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use kube::core::Status;
use proptest::prelude::*;

const ID: &str = "AKIAQWERTYUIOPASDFGH";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYzEXaMPLEqq";
/// A pair of another store, which does not look like key material.
const PLAIN: (&str, &str) = ("MINIOROOTUSERNAME", "correct \"horse\" <battery> staple");

fn pair(id: &str, secret: &str) -> KeyPair {
    KeyPair {
        access_key_id: SecretText::new(id.to_owned()),
        secret_access_key: SecretText::new(secret.to_owned()),
    }
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02X}").unwrap();
        hex
    })
}

fn percent(text: &str) -> String {
    text.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").unwrap();
        }
        text
    })
}

/// Forms in which a policy or a webhook may quote the Secret that it rejects.
fn quotes(pair: &KeyPair) -> Vec<String> {
    let values = [
        pair.access_key_id.expose_secret(),
        pair.secret_access_key.expose_secret(),
    ];
    let mut quotes = Vec::new();
    for value in values {
        let json = serde_json::to_string(value).unwrap();
        let html = json.replace('<', "\\u003c").replace('>', "\\u003e");
        quotes.extend([value.to_owned(), json, html, percent(value), hex(value)]);
        for before in ["", "a", "ab"] {
            let text = format!("{before}{value}{before}");
            let encoded = STANDARD.encode(&text);
            quotes.push(STANDARD.encode(&encoded));
            quotes.push(percent(&encoded));
            quotes.push(URL_SAFE_NO_PAD.encode(&text));
            quotes.push(encoded);
        }
        quotes.push(format!("{:?}", value.as_bytes()));
        quotes.push(format!("{:?}", value.as_bytes()).split(',').collect());
        quotes.push(format!("...{}", value.chars().take(12).collect::<String>()));
    }
    let layouts = [
        Layout::Env,
        Layout::SharedCredentialsFile,
        Layout::ProcessJson,
    ];
    let keys = std::collections::BTreeMap::new();
    let request = Request {
        layouts: &layouts,
        keys: &keys,
        region: None,
        ttl: 1000,
    };
    for bytes in layout::render(&request, pair).unwrap().values() {
        quotes.push(STANDARD.encode(bytes.expose_secret()));
        quotes.push(format!(
            "{:?}",
            String::from_utf8_lossy(bytes.expose_secret())
        ));
    }
    quotes
}

/// Fails if eight consecutive characters of a value, or of its encoded forms, occur.
fn assert_redacted(message: &str, pair: &KeyPair) {
    let values = [
        pair.access_key_id.expose_secret(),
        pair.secret_access_key.expose_secret(),
    ];
    for value in values {
        let escaped = serde_json::to_string(value).unwrap();
        let encoded = STANDARD.encode(value);
        for form in [value, &encoded, &escaped, &hex(value), &percent(value)] {
            for piece in form.as_bytes().windows(8) {
                let piece = String::from_utf8_lossy(piece);
                assert!(!message.contains(&*piece), "{piece:?} is in {message:?}");
            }
        }
    }
}

#[test]
fn no_form_of_the_pair_is_repeated_and_the_text_around_it_is() {
    for pair in [pair(ID, SECRET), pair(PLAIN.0, PLAIN.1)] {
        for quote in quotes(&pair) {
            let text =
                format!("ValidatingAdmissionPolicy 'no-copies' denied request: got {quote} here");
            let message = about(&text, &pair);
            assert_redacted(&message, &pair);
            assert!(
                message.starts_with("ValidatingAdmissionPolicy 'no-copies' denied request: got "),
                "{message}"
            );
            assert!(
                message.ends_with(" here") && message.contains("<redacted>"),
                "{message}"
            );
        }
    }
}

#[test]
fn another_pair_that_looks_like_one_of_aws_is_not_repeated_either() {
    for quote in quotes(&pair(ID, SECRET)) {
        let message = foreign(&format!("denied: {quote}"));
        let is_quoted = message.contains(ID) || message.contains(SECRET);
        assert!(!is_quoted, "{message}");
        assert!(
            !message.contains(&STANDARD.encode(ID)) && !message.contains(&STANDARD.encode(SECRET))
        );
    }
}

#[test]
fn messages_of_api_servers_are_repeated_unchanged() {
    for text in [
        "secrets \"orders-credentials\" is forbidden: exceeded quota: few, requested: secrets=1, used: secrets=3, limited: secrets=3",
        "secrets is forbidden: User \"system:serviceaccount:awscreds:static-aws-credentials\" cannot create resource \"secrets\" in API group \"\" in the namespace \"shop\"",
        "deployments.apps \"orders\" is forbidden: ValidatingAdmissionPolicy 'only-on-fridays' with binding 'only-on-fridays' denied request: failed expression: object.metadata.name == 'StaticAwsCredentials'",
        "admission webhook \"validate.kyverno.svc-fail\" denied the request: resource Secret/shop/orders-7f9c8d was blocked, see io/v1/ClusterRole and uid 5f8a7c1e-0b1d-4a52-9c3f-2f6f0a3b9d10",
        "Internal error occurred: failed calling webhook \"x\": Post \"https://hook.shop.svc:443/validate?timeout=10s\": dial tcp 10.96.0.12:443: connect: connection refused",
    ] {
        assert_eq!(foreign(text), text);
        assert_eq!(about(text, &pair(ID, SECRET)), text);
    }
}

#[test]
fn a_message_of_the_api_server_is_repeated_once() {
    let status = Status {
        message: "secrets \"orders\" is forbidden: no".to_owned(),
        reason: "Forbidden".to_owned(),
        ..Status::default()
    };
    let error = Error::WriteSecret {
        name: "orders".to_owned(),
        source: Box::new(kube::Error::Api(Box::new(status))),
    };
    assert_eq!(
        chain(&error),
        "failed to write Secret orders: secrets \"orders\" is forbidden: no"
    );
}

#[test]
fn a_value_too_short_to_be_recognized_redacts_the_whole_message() {
    let message = about("denied: got abc", &pair(ID, "abc"));
    assert!(
        !message.contains("abc") && message.contains("left out"),
        "{message}"
    );
}

#[test]
fn messages_are_cut_after_the_redaction_and_stay_on_one_line() {
    let text = format!("{}{ID}", "x".repeat(LONGEST - 10));
    assert!(!about(&text, &pair(ID, SECRET)).contains("AKIA"));
    let long = foreign(&"schlüssel\n".repeat(100_000));
    assert!(long.len() <= LONGEST && long.ends_with("...") && !long.contains('\n'));
    assert_eq!(cut("ééé", 5), "é...");
    assert_eq!(cut("ééé", 6), "ééé");
}

proptest! {
    #[test]
    fn no_text_makes_it_fail_and_no_secret_comes_through(
        before in ".{0,40}", after in ".{0,40}", secret in "[ -~à-ÿ]{8,60}",
    ) {
        let pair = pair(ID, &secret);
        for text in [format!("{before}{secret}{after}"), format!("{before}{}{after}", STANDARD.encode(&secret))] {
            let message = about(&text, &pair);
            prop_assert!(message.len() <= LONGEST);
            prop_assert!(!message.contains(&secret), "{}", message);
        }
    }
}

#[test]
fn a_key_id_behind_its_name_is_not_repeated() {
    let message = foreign(&format!("denied: Credential={ID} is not allowed"));
    assert_eq!(message, "denied: <redacted> is not allowed");
}

/// Of the characters that encode a value, the first ones may encode a part of the text before it too.
#[test]
fn the_first_eight_characters_of_an_encoded_value_are_recognized_whatever_precedes_it() {
    for (before, first) in [("", 0), ("a", 2), ("ab", 3)] {
        let encoded = STANDARD.encode(format!("{before}{SECRET}"));
        let start = encoded.get(first..first + 8).unwrap();
        let message = about(&format!("denied: got {start}..."), &pair(ID, SECRET));
        assert_eq!(message, "denied: got <redacted>...");
    }
}
