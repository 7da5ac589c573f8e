//! Messages fit the fields that show them, and do not depend on a value.

use std::{collections::BTreeSet, sync::LazyLock};

use crate::domain::format::{Names, WellFormed, check};
use proptest::prelude::*;

use super::{
    ID, NAMES, SECRET, base64, check_pair, check_pair_with, faults, malformed_pairs, refusal,
};

/// Pairs that are rejected for a reason that applies to only one of the two values.
const REFUSED: &[(&str, &str)] = &[
    ("malformed", SECRET),
    (SECRET, ID),
    (ID, ID),
    ("AKIAIOSFODNN7EXAMPLE", SECRET),
    (ID, "EXAMPLEKEY"),
    ("ASIA234567234567", SECRET),
    ("ABIA234567234567", SECRET),
    ("ACCA234567234567", SECRET),
    ("AGPA234567234567", SECRET),
    ("AIDA234567234567", SECRET),
    ("AIPA234567234567", SECRET),
    ("ANPA234567234567", SECRET),
    ("ANVA234567234567", SECRET),
    ("APKA234567234567", SECRET),
    ("AROA234567234567", SECRET),
    ("ASCA234567234567", SECRET),
];

/// Secrets that were changed in transit, each with a note of its own.
pub const ALTERED: [&str; 6] = [
    "C:/Program Files/Git/bcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM",
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN # prod",
    "abcdefghijklmnopqrst%2FvwxyzABCDEFGHIJKLMN",
    "abcdefghijklmnopqrst uvwxyzABCDEFGHIJKLMN",
    "BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g",
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM",
];

/// Every message that values under these names can cause.
fn all_messages(names: &Names<'_>) -> BTreeSet<String> {
    let refused =
        |id: &[u8], secret: &[u8]| check_pair_with(names, id, secret).unwrap_err().message;
    let mut all = BTreeSet::new();
    all.extend(
        check_pair_with(names, b"0123456789ABCDEF", b"x")
            .unwrap()
            .notes,
    );
    for altered in ALTERED {
        all.extend(
            check_pair_with(names, ID.as_bytes(), altered.as_bytes())
                .unwrap()
                .notes,
        );
    }
    all.extend(
        REFUSED
            .iter()
            .map(|(id, secret)| refused(id.as_bytes(), secret.as_bytes())),
    );
    all.extend(malformed_pairs().map(|(id, secret, ..)| refused(id, secret)));
    all.extend(
        faults::faulty_values(ID)
            .iter()
            .map(|(id, ..)| refused(id, SECRET.as_bytes())),
    );
    all.extend(
        faults::faulty_values(SECRET)
            .iter()
            .map(|(secret, ..)| refused(ID.as_bytes(), secret)),
    );
    all
}

#[test]
fn every_message_fits_however_long_or_odd_the_names_are() {
    for character in ["n", "\n", "\u{202e}", "\"", "\u{1F600}", "e\u{301}"] {
        let name = character.repeat(253);
        let names = Names {
            secret: &name,
            file: None,
            access_key_id_key: &name,
            secret_access_key_key: &name,
            any_store: false,
        };
        let mut messages = all_messages(&names);
        messages.insert(check(&names, None, None).unwrap_err().message);
        for message in messages {
            assert!(message.chars().count() <= 300, "{message}");
            assert!(message.contains("...\" of Secret \""), "{message}");
            assert!(!message.contains(['\n', '\u{202e}']), "{message:?}");
        }
    }
}

#[test]
fn a_name_is_shown_whole_as_long_as_the_message_fits() {
    let names = Names {
        secret: &"s".repeat(60),
        file: None,
        access_key_id_key: "AWS_ACCESS_KEY_ID",
        secret_access_key_key: "k\ne\"y",
        any_store: false,
    };
    let empty = check_pair_with(&names, ID.as_bytes(), b"")
        .unwrap_err()
        .message;
    let start = format!(r#"key "k\ne\"y" of Secret "{}" is empty"#, names.secret);
    assert!(empty.starts_with(&start), "{empty}");
}

#[test]
fn a_message_says_what_belongs_under_the_key() {
    for (id, secret, title) in [
        ("", SECRET, "store the access key ID in it"),
        (ID, "", "store the secret access key in it"),
    ] {
        let message = refusal(id, secret).message;
        assert!(message.contains(title), "{message}");
    }
}

/// Values of any kind, many of them with a fault that a check looks for.
fn odd_values() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        ".{0,60}".prop_map(String::into_bytes),
        "[A-Z0-9]{4,140}[ \n\r\t\0]{0,2}".prop_map(String::into_bytes),
        "(A[KSIGRNP][IDRPVC]A)?[A-Z2-7]{4,20}(EXAMPLE)?".prop_map(String::into_bytes),
        "[\"' ]?[A-Za-z0-9/+]{4,50}(EXAMPLEKEY)?[\"' ]?".prop_map(String::into_bytes),
        "[A-Za-z0-9/+]{40}".prop_map(|text| base64(&text).into_bytes()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_message_depends_on_a_value(id in odd_values(), secret in odd_values()) {
        static KNOWN: LazyLock<BTreeSet<String>> = LazyLock::new(|| all_messages(&NAMES));
        match check_pair(&id, &secret) {
            Ok(well_formed) => {
                for note in well_formed.notes {
                    prop_assert!(KNOWN.contains(&note), "{note}");
                }
            }
            Err(finding) => prop_assert!(KNOWN.contains(&finding.message), "{}", finding.message),
        }
    }

    #[test]
    fn no_message_holds_a_value(id in "[a-z0-9/+ ]{4,50}[0-9]", secret in "[A-Za-z/+ ]{4,50}[0-9][ \n]?") {
        let message = match check_pair(&id, &secret) {
            Ok(well_formed) => well_formed.notes.join("\n"),
            Err(finding) => finding.message,
        };
        prop_assert!(!message.contains(&id) && !message.contains(&secret), "{message}");
        prop_assert!(!message.contains(secret.trim_end()), "{message}");
    }

    #[test]
    fn what_is_accepted_is_published_byte_for_byte(id in odd_values(), secret in odd_values()) {
        if let Ok(WellFormed { pair, .. }) = check_pair(&id, &secret) {
            prop_assert_eq!(pair.access_key_id.expose_secret().as_bytes(), &id);
            prop_assert_eq!(pair.secret_access_key.expose_secret().as_bytes(), &secret);
            prop_assert!(id.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()));
            let secret = pair.secret_access_key.expose_secret();
            prop_assert!(!secret.contains(char::is_control));
            prop_assert_eq!(secret.trim(), secret);
        }
    }

    #[test]
    fn every_pair_that_aws_could_issue_is_accepted(
        id in "AKIA[A-Z2-7]{16}",
        secret in "[A-Za-z0-9/+]{40}",
    ) {
        prop_assert_eq!(check_pair(id, secret).unwrap().notes, Vec::<String>::new());
    }
}

#[test]
fn the_alteration_of_a_secret_is_described() {
    for (secret, words) in ALTERED.into_iter().zip([
        "a path of Windows",
        "holds a comment",
        "is escaped for a URL",
        "holds white space",
        "an SMTP password of SES",
        "one character too many or too few",
    ]) {
        let notes = check_pair(ID, secret).unwrap().notes;
        assert!(notes.iter().any(|note| note.contains(words)), "{notes:?}");
    }
    let other = check_pair(ID, "x".repeat(64)).unwrap().notes;
    assert!(
        other.iter().all(|note| note.ends_with("/ and +")),
        "{other:?}"
    );
}
