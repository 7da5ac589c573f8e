//! What the bytes of a pair are refused for, and that messages say nothing of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod faults;
mod messages;

use base64::{Engine, prelude::BASE64_STANDARD};
use static_aws_credentials::{
    api::Reason,
    format::{Names, WellFormed, check},
    pair::SecretBytes,
    verdict::Finding,
};

const NAMES: Names<'_> = Names {
    secret: "orders",
    access_key_id_key: "id",
    secret_access_key_key: "key",
};
const ID: &str = "AKIAQRSTUVWX23456723";
const SECRET: &str = "abcdefghijklmnopqrstuvwxyz/ABCDEFGHIJKL+";

fn judge_in(names: &Names<'_>, id: &[u8], secret: &[u8]) -> Result<WellFormed, Finding> {
    let bytes = |value: &[u8]| Some(SecretBytes::new(value.to_vec()));
    check(names, bytes(id), bytes(secret))
}

fn judge(id: impl AsRef<[u8]>, secret: impl AsRef<[u8]>) -> Result<WellFormed, Finding> {
    judge_in(&NAMES, id.as_ref(), secret.as_ref())
}

fn refusal(id: impl AsRef<[u8]>, secret: impl AsRef<[u8]>) -> Finding {
    judge(id, secret).expect_err("the pair is accepted")
}

fn base64(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

#[test]
fn a_pair_as_aws_issues_it_is_well_formed_without_a_note() {
    let WellFormed { pair, notes } = judge(ID, SECRET).unwrap();
    assert_eq!(pair.access_key_id.reveal(), ID);
    assert_eq!(pair.secret_access_key.reveal(), SECRET);
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
        let notes = judge(id, SECRET).unwrap().notes;
        let [note] = notes.as_slice() else {
            panic!("{notes:?}")
        };
        assert!(
            note.starts_with("key \"id\" of Secret \"orders\" does not look"),
            "{note}"
        );
    }
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
        let well_formed = judge(ID, secret).unwrap();
        assert_eq!(well_formed.pair.secret_access_key.reveal(), secret);
        let [note] = well_formed.notes.as_slice() else {
            panic!("{:?}", well_formed.notes)
        };
        assert!(
            note.starts_with("key \"key\" of Secret \"orders\" does not look"),
            "{note}"
        );
    }
    assert_eq!(judge("0123456789ABCDEF", "x").unwrap().notes.len(), 2);
}

#[test]
fn an_access_key_id_that_is_none_is_told_from_what_it_is() {
    use Reason::{
        AccessKeyIdMalformed, DocumentationExample, NotAnAccessKeyId, TemporaryCredentials,
        ValueTooLong, ValuesSwapped,
    };
    let table = [
        (
            "AKIAQRSTUVWX234",
            AccessKeyIdMalformed,
            "16 to 128 upper-case",
        ),
        (
            "akiaqrstuvwx23456723",
            AccessKeyIdMalformed,
            "16 to 128 upper-case",
        ),
        (
            "AKIAQRSTUVWX2345672!",
            AccessKeyIdMalformed,
            "16 to 128 upper-case",
        ),
        (
            "AKIAQRSTUVWX2345672\u{410}",
            AccessKeyIdMalformed,
            "16 to 128 upper-case",
        ),
        (
            "AKIAQRSTUVWX23 456723",
            AccessKeyIdMalformed,
            "16 to 128 upper-case",
        ),
        (
            "AWS_ACCESS_KEY_ID=AKIAQRSTUVWX23456723",
            AccessKeyIdMalformed,
            "16 to 128",
        ),
        (
            "Authorization: x",
            AccessKeyIdMalformed,
            "16 to 128 upper-case",
        ),
        (
            "arn:aws:iam::123456789012:user/a",
            AccessKeyIdMalformed,
            "16 to 128 upper-case",
        ),
        (
            "\"AKIAQRSTUVWX23456723",
            AccessKeyIdMalformed,
            "16 to 128 upper-case",
        ),
        ("ASIAQRSTUVWX23456723", TemporaryCredentials, "long-term"),
        ("AIDAQRSTUVWX234567234", NotAnAccessKeyId, "an IAM user"),
        ("AROAQRSTUVWX234567234", NotAnAccessKeyId, "an IAM role"),
        ("AGPAQRSTUVWX234567234", NotAnAccessKeyId, "an IAM group"),
        (
            "AIPAQRSTUVWX234567234",
            NotAnAccessKeyId,
            "an EC2 instance profile",
        ),
        ("ANPAQRSTUVWX234567234", NotAnAccessKeyId, "an IAM policy"),
        (
            "ANVAQRSTUVWX234567234",
            NotAnAccessKeyId,
            "a version of an IAM policy",
        ),
        (
            "ABIAQRSTUVWX23456723",
            NotAnAccessKeyId,
            "an STS bearer token",
        ),
        (
            "ACCAQRSTUVWX23456723",
            NotAnAccessKeyId,
            "a context-specific credential",
        ),
        ("APKAQRSTUVWX23456723", NotAnAccessKeyId, "a public key"),
        ("ASCAQRSTUVWX234567234", NotAnAccessKeyId, "a certificate"),
        (
            "AKIAIOSFODNN7EXAMPLE",
            DocumentationExample,
            "AWS documentation",
        ),
        (
            "AKIAI44QH8DHBEXAMPLE",
            DocumentationExample,
            "AWS documentation",
        ),
        (
            "ASIAIOSFODNN7EXAMPLE",
            DocumentationExample,
            "AWS documentation",
        ),
        (
            &"A".repeat(129),
            ValueTooLong,
            "longer than any access key ID",
        ),
    ];
    for (id, reason, text) in table {
        let finding = refusal(id, SECRET);
        assert_eq!(finding.reason, reason, "{id}");
        assert!(finding.message.contains(text), "{id}: {}", finding.message);
    }
    judge("A".repeat(128), SECRET).unwrap();
    assert_eq!(refusal(SECRET, ID).reason, ValuesSwapped);
}

#[test]
fn a_secret_access_key_that_is_none_is_told_from_what_it_is() {
    let examples = [
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY",
        "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY",
        "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY\n",
    ];
    for secret in examples {
        assert_eq!(refusal(ID, secret).reason, Reason::DocumentationExample);
    }
    assert_eq!(refusal(ID, "x".repeat(4097)).reason, Reason::ValueTooLong);
    let encoded_in_each_others_place = refusal(base64(SECRET), base64(ID));
    assert_eq!(encoded_in_each_others_place.reason, Reason::EncodedTwice);
}

#[test]
fn swapped_values_are_told_from_an_id_in_both_places() {
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
