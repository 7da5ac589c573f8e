//! Reasons for which the bytes of a pair are rejected, and messages that reveal nothing of the values.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod faults;
#[path = "../../../tests/support/malformed.rs"]
mod malformed;
mod messages;

use crate::{
    api::Reason,
    domain::{
        format::{Names, WellFormed, check},
        pair::SecretBytes,
        verdict::Finding,
    },
};
use base64::{Engine, prelude::BASE64_STANDARD};
use malformed::{MALFORMED, Malformed};

const NAMES: Names<'_> = Names {
    secret: "orders",
    file: None,
    access_key_id_key: "id",
    secret_access_key_key: "key",
    any_store: false,
};
const ID: &str = "AKIAQRSTUVWX23456723";
const SECRET: &str = "abcdefghijklmnopqrstuvwxyz/ABCDEFGHIJKL+";

fn check_pair_with(names: &Names<'_>, id: &[u8], secret: &[u8]) -> Result<WellFormed, Finding> {
    let bytes = |value: &[u8]| Some(SecretBytes::new(value.to_vec()));
    check(names, bytes(id), bytes(secret))
}

fn check_pair(id: impl AsRef<[u8]>, secret: impl AsRef<[u8]>) -> Result<WellFormed, Finding> {
    check_pair_with(&NAMES, id.as_ref(), secret.as_ref())
}

fn refusal(id: impl AsRef<[u8]>, secret: impl AsRef<[u8]>) -> Finding {
    check_pair(id, secret).expect_err("the pair is accepted")
}

fn base64(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

/// The malformed pairs, without those that only a layout refuses.
fn malformed_pairs() -> impl Iterator<Item = &'static Malformed> {
    let of_layout = Reason::LayoutCannotCarry.as_str();
    MALFORMED
        .iter()
        .filter(move |(_, _, reason, _)| *reason != of_layout)
}

#[test]
fn each_malformed_pair_has_its_reason_and_names_its_key() {
    for (id, secret, reason, named) in malformed_pairs() {
        let finding = refusal(id, secret);
        assert_eq!(finding.reason.as_str(), *reason, "{}", finding.message);
        let key = if *named == malformed::ID { "id" } else { "key" };
        let start = format!("key \"{key}\" of Secret \"orders\" ");
        assert!(finding.message.starts_with(&start), "{}", finding.message);
    }
}

#[test]
fn a_pair_as_aws_issues_it_is_well_formed_without_a_note() {
    let WellFormed { pair, notes } = check_pair(ID, SECRET).unwrap();
    assert_eq!(pair.access_key_id.expose_secret(), ID);
    assert_eq!(pair.secret_access_key.expose_secret(), SECRET);
    assert_eq!(notes, Vec::<String>::new());
}

#[test]
fn a_pair_of_another_store_is_well_formed_with_a_note() {
    let store_ids = [
        "GK0123456789ABCDEF018",
        "AKIA0000000000000000",
        "0123456789ABCDEF",
    ];
    for id in store_ids {
        let notes = check_pair(id, SECRET).unwrap().notes;
        let [note] = notes.as_slice() else {
            panic!("{notes:?}")
        };
        assert!(
            note.starts_with("key \"id\" of Secret \"orders\" does not look"),
            "{note}"
        );
    }
    assert_eq!(refusal(ID, "x".repeat(4097)).reason, Reason::ValueTooLong);
    let store_secrets = [
        "minio123",
        "with spaces inside",
        "ends-with-padding==",
        "schl\u{fc}ssel",
        "\"",
        "\"opened and not closed",
        "Authorization: AWS4-HMAC-SHA256 Credential=x",
        "% $HOME %(x)s \\ [x] #x;",
        &"x".repeat(4096),
        &"0123456789abcdef".repeat(4),
    ];
    for secret in store_secrets {
        let well_formed = check_pair(ID, secret).unwrap();
        assert_eq!(well_formed.pair.secret_access_key.expose_secret(), secret);
        let [note] = well_formed.notes.as_slice() else {
            panic!("{:?}", well_formed.notes)
        };
        assert!(
            note.starts_with("key \"key\" of Secret \"orders\" does not look"),
            "{note}"
        );
    }
    assert_eq!(check_pair("0123456789ABCDEF", "x").unwrap().notes.len(), 2);
}

#[test]
fn an_access_key_id_that_is_none_is_malformed() {
    for id in [
        "AKIAQRSTUVWX234",
        "akiaqrstuvwx23456723",
        "AKIAQRSTUVWX2345672!",
        "AKIAQRSTUVWX2345672\u{410}",
        "AKIAQRSTUVWX23 456723",
        "Authorization: AWS4-HMAC-SHA256",
        "arn:aws:iam::123456789012:user/a",
        "\"AKIAQRSTUVWX23456723",
    ] {
        assert_eq!(
            refusal(id, SECRET).reason,
            Reason::AccessKeyIdMalformed,
            "{id}"
        );
    }
    check_pair("A".repeat(128), SECRET).unwrap();
    assert_eq!(
        refusal("A".repeat(129), SECRET).reason,
        Reason::ValueTooLong
    );
}

/// IDs of Garage, Backblaze, R2 and the like cause only a note if the operator does not ask AWS.
#[test]
fn an_id_of_another_store_is_taken_where_aws_is_not_asked() {
    let names = Names {
        any_store: true,
        ..NAMES
    };
    for id in [
        "minioadmin",
        "GK31c2f218a2e44f485b94239e",
        "0015de7a3d1e24a0000000001",
        "0123456789abcdef0123456789abcdef",
        "my-app_1.test",
    ] {
        let notes = check_pair_with(&names, id.as_bytes(), SECRET.as_bytes())
            .unwrap()
            .notes;
        assert_eq!(notes.len(), 1, "{id}: {notes:?}");
        assert_eq!(refusal(id, SECRET).reason, Reason::AccessKeyIdMalformed);
    }
    for id in [
        "akiaqrstuvwx23456723",
        "AKIAQRSTUVWX234",
        "a b c d",
        "a=b",
        "ab",
    ] {
        let refused = check_pair_with(&names, id.as_bytes(), SECRET.as_bytes()).unwrap_err();
        assert_eq!(refused.reason, Reason::AccessKeyIdMalformed, "{id}");
    }
}

#[test]
fn an_id_of_something_else_is_not_taken_for_an_access_key_id() {
    for (id, kind) in [
        ("ABIAQRSTUVWX23456723", "an STS bearer token"),
        ("ACCAQRSTUVWX23456723", "a context-specific credential"),
        ("AGPAQRSTUVWX234567234", "an IAM group"),
        ("AIDAQRSTUVWX234567234", "an IAM user"),
        ("AIPAQRSTUVWX234567234", "an EC2 instance profile"),
        ("ANPAQRSTUVWX234567234", "an IAM policy"),
        ("ANVAQRSTUVWX234567234", "a version of an IAM policy"),
        ("APKAQRSTUVWX23456723", "a public key"),
        ("AROAQRSTUVWX234567234", "an IAM role"),
        ("ASCAQRSTUVWX234567234", "a certificate"),
    ] {
        let Finding { reason, message } = refusal(id, SECRET);
        assert_eq!(reason, Reason::NotAnAccessKeyId, "{id}");
        assert!(
            message.contains(&format!("holds the ID of {kind}, not of")),
            "{message}"
        );
    }
    let temporary = refusal("ASIAQRSTUVWX23456723", SECRET);
    assert_eq!(temporary.reason, Reason::TemporaryCredentials);
}

#[test]
fn an_example_from_the_documentation_is_not_taken_for_a_key() {
    for id in [
        "AKIAIOSFODNN7EXAMPLE",
        "AKIAI44QH8DHBEXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
    ] {
        assert_eq!(
            refusal(id, SECRET).reason,
            Reason::DocumentationExample,
            "{id}"
        );
    }
    let examples = [
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY",
        "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
        "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY\n",
    ];
    for secret in examples {
        assert_eq!(refusal(ID, secret).reason, Reason::DocumentationExample);
    }
}

#[test]
fn values_encoded_twice_are_recognized_in_either_place() {
    let encoded_in_each_others_place = refusal(base64(SECRET), base64(ID));
    assert_eq!(encoded_in_each_others_place.reason, Reason::EncodedTwice);
}

#[test]
fn swapped_values_are_not_taken_for_an_id_in_both_places() {
    let swapped = "key \"id\" of Secret \"orders\" holds the secret access key, and key \"key\" the \
                   access key ID; exchange them";
    for (id, secret) in [
        (SECRET, ID),
        (SECRET, "ASIAQRSTUVWX23456723"),
        (SECRET, "GK0123456789ABCDEF018"),
    ] {
        let finding = refusal(id, secret);
        assert_eq!(
            (finding.reason, finding.message.as_str()),
            (Reason::ValuesSwapped, swapped)
        );
    }
    assert_eq!(refusal(format!("{SECRET}\n"), ID).message, swapped);

    let twice_the_id = refusal(ID, ID);
    assert_eq!(twice_the_id.reason, Reason::ValuesSwapped);
    assert_eq!(
        twice_the_id.message,
        "key \"key\" of Secret \"orders\" holds an access key ID; store the secret access key in it"
    );
}

#[test]
fn an_absent_key_is_named_and_the_present_ones_are_not() {
    let some = || Some(SecretBytes::new(b"anything".to_vec()));
    let table = [
        (
            check(&NAMES, None, some()),
            "key \"id\" of Secret \"orders\" does not exist; add it, or correct \
             spec.secretRef.accessKeyIdKey",
        ),
        (
            check(&NAMES, some(), None),
            "key \"key\" of Secret \"orders\" does not exist; add it, or correct \
             spec.secretRef.secretAccessKeyKey",
        ),
        (
            check(&NAMES, None, None),
            "key \"id\" of Secret \"orders\" does not exist, nor does key \"key\"; add both, or \
             correct spec.secretRef",
        ),
    ];
    for (result, message) in table {
        let finding = result.unwrap_err();
        assert_eq!(finding.reason, Reason::SourceKeyMissing);
        assert_eq!(finding.message, message);
    }
}
