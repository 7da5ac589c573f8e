//! The bytes of a source Secret: `ID|SECRET`, or an ID alone.

use std::sync::LazyLock;

use regex::bytes::Regex;
use static_aws_credentials::domain::{
    account,
    format::{Names, WellFormed, check},
    pair::SecretBytes,
    verdict::Finding,
};

use super::{halves, is_one_of_few};

const NAMES: Names<'static> = Names {
    secret: "orders-key-pair",
    file: None,
    access_key_id_key: "id",
    secret_access_key_key: "secret",
    any_store: false,
};
const SECRET: &[u8] = b"abcdefghijklmnopqrstuvwxyz/ABCDEFGHIJKL+";

static ID: LazyLock<Regex> = LazyLock::new(|| pattern(r"\A[A-Z0-9]{16,128}\z"));
static OTHER_ID: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\A(ASIA|A(BIA|CCA|GPA|IDA|IPA|NPA|NVA|PKA|ROA|SCA))"));
static EXAMPLE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\A(AKIA|ASIA).*EXAMPLE\z"));
static SPOILT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"\A\s|\s\z|\p{Cc}|\A\x{FEFF}|EXAMPLEKEY\z|\A["'`](?s:.*)["'`]\z"#));

fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap_or_else(|error| panic!("{error}"))
}

fn checked(id: Option<&[u8]>, secret: Option<&[u8]>) -> Result<WellFormed, Finding> {
    let bytes = |value: &[u8]| SecretBytes::new(value.to_vec());
    check(&NAMES, id.map(bytes), secret.map(bytes))
}

pub fn source(input: &[u8]) {
    let (id, secret) = halves(input);
    let id = (!id.is_empty() || secret.is_some()).then_some(id);
    match checked(id, secret) {
        Err(finding) => is_one_of_few(finding.reason.as_str(), finding.message),
        Ok(WellFormed { pair, notes }) => {
            let secret = secret.unwrap_or_default();
            assert_eq!(Some(pair.access_key_id.expose_secret().as_bytes()), id);
            assert_eq!(pair.secret_access_key.expose_secret().as_bytes(), secret);
            assert!(is_taken_for_id(id.unwrap_or_default()));
            assert!(!secret.is_empty() && secret.len() <= 4096);
            assert!(!SPOILT.is_match(secret), "{notes:?}");
            assert!(std::str::from_utf8(secret).is_ok());
            assert!(notes.len() <= 2);
            for note in notes {
                is_one_of_few("note", note);
            }
        }
    }
}

pub fn key_id(input: &[u8]) {
    match checked(Some(input), Some(SECRET)) {
        Ok(WellFormed { pair, .. }) => {
            assert!(is_taken_for_id(input));
            let account = account::account_id_from_key_id(pair.access_key_id.expose_secret());
            assert!(account.is_none_or(|account| account.len() == 12));
        }
        Err(finding) => {
            assert!(!is_taken_for_id(input), "{}", finding.message);
            is_one_of_few(finding.reason.as_str(), finding.message);
        }
    }
}

fn is_taken_for_id(id: &[u8]) -> bool {
    ID.is_match(id) && !OTHER_ID.is_match(id) && !EXAMPLE.is_match(id)
}
