//! Key material is never displayed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::domain::{
    fingerprint::of_pair,
    format::{Names, check},
    pair::{KeyPair, SecretBytes, SecretText},
};
use proptest::prelude::*;

fn pair(id: &str, secret: &str) -> KeyPair {
    KeyPair {
        access_key_id: SecretText::new(id.to_owned()),
        secret_access_key: SecretText::new(secret.to_owned()),
    }
}

#[test]
fn a_digest_is_the_same_for_the_same_pair_alone() {
    let (id, secret) = (
        "AKIAQRSTUVWX23456723",
        "wSecretOfTheFirstPair+wSecretOfTheFirst1",
    );
    let known = of_pair(&pair(id, secret)).unwrap();
    assert_eq!(known.len(), 32);
    assert_eq!(of_pair(&pair(id, secret)), Some(known.clone()));
    for (id, secret) in [
        ("AKIAQRSTUVWX23456724", secret),
        (id, "wSecretOfTheFirstPair+wSecretOfTheFirst2"),
    ] {
        assert_ne!(of_pair(&pair(id, secret)).unwrap(), known);
    }
}

#[test]
fn a_secret_that_may_be_guessed_has_no_digest() {
    for secret in ["minioadmin", "correct horse battery staple correct hors"] {
        assert_eq!(of_pair(&pair("AKIAQRSTUVWX23456723", secret)), None);
    }
}

#[test]
fn a21_debug_output_is_redacted() {
    let pair = pair("AKIAQRSTUVWX23456723", "hidden");
    assert_eq!(
        format!("{pair:?}"),
        "KeyPair { access_key_id: <redacted>, secret_access_key: <redacted> }"
    );
    assert_eq!(
        format!("{:?}", SecretBytes::new(b"hidden".to_vec())),
        "<6 bytes redacted>"
    );
}

#[test]
fn a21_debug_output_of_a_well_formed_pair_is_redacted() {
    let names = Names {
        secret: "orders",
        file: None,
        access_key_id_key: "id",
        secret_access_key_key: "key",
        any_store: false,
    };
    let bytes = |text: &str| Some(SecretBytes::new(text.into()));
    let well_formed = check(&names, bytes("0123456789ABCDEF"), bytes("hidden")).unwrap();
    let debug = format!("{well_formed:#?}");
    assert!(
        !debug.contains("hidden") && !debug.contains("CDEF"),
        "{debug}"
    );
}

#[test]
fn the_suffix_is_the_last_four_characters() {
    for (id, suffix) in [
        ("AKIAQRSTUVWX23456723", "6723"),
        ("ABCDE", "BCDE"),
        ("ABCD", "ABCD"),
        ("AB", "AB"),
        ("", ""),
        ("x\u{e4}\u{f6}\u{fc}\u{df}", "\u{e4}\u{f6}\u{fc}\u{df}"),
    ] {
        assert_eq!(pair(id, "secret").suffix(), suffix);
    }
}

#[test]
fn pairs_are_equal_if_both_values_are() {
    assert_eq!(pair("a", "b"), pair("a", "b"));
    assert_ne!(pair("a", "b"), pair("a", "c"));
    assert_ne!(pair("a", "b"), pair("c", "b"));
    assert_ne!(pair("a", "b"), pair("b", "a"));
    assert_eq!(SecretBytes::new(vec![1, 2]), SecretBytes::new(vec![1, 2]));
    assert_ne!(SecretBytes::new(vec![1, 2]), SecretBytes::new(vec![1]));
}

#[test]
fn bytes_become_text_where_they_are() {
    let bytes = SecretBytes::new(b"hidden".to_vec());
    let address = bytes.expose_secret().as_ptr();
    let text = SecretText::from_utf8(bytes).unwrap();
    assert_eq!(text.expose_secret(), "hidden");
    assert_eq!(text.expose_secret().as_ptr(), address);
}

proptest! {
    #[test]
    fn bytes_become_text_exactly_if_they_are_utf8(bytes in any::<Vec<u8>>()) {
        let text = SecretText::from_utf8(SecretBytes::new(bytes.clone()));
        prop_assert_eq!(
            text.as_ref().map(SecretText::expose_secret),
            std::str::from_utf8(&bytes).ok()
        );
    }

    #[test]
    fn a21_no_debug_output_holds_a_value(id in "[A-Z0-9]{16,40}", secret in "[!-~]{20,40}") {
        let debug = format!("{:?} {:?}", pair(&id, &secret), SecretBytes::new(secret.clone().into()));
        prop_assert!(!debug.contains(&id) && !debug.contains(&secret));
        prop_assert!(id.ends_with(&pair(&id, &secret).suffix()));
    }
}
