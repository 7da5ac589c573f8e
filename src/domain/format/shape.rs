//! The form of the two values of a pair, for AWS and in general.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

use crate::domain::pair::SecretBytes;

/// An access key ID as AWS's API allows it, except for lower case, which AWS never issues.
pub(super) fn is_id(text: &str) -> bool {
    (16..=128).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// An ID as S3-compatible stores issue it, and not an ID of AWS that lost a part or its case.
pub(super) fn is_store_id(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let head = text.get(..4).unwrap_or_default();
    let is_aws = ["AKIA", "ASIA"]
        .iter()
        .any(|prefix| head.eq_ignore_ascii_case(prefix));
    (3..=128).contains(&text.len()) && text.bytes().all(is_allowed) && !is_aws
}

/// A long-term access key ID as AWS issues it.
pub(super) fn is_long_term_id(text: &str) -> bool {
    text.strip_prefix("AKIA").is_some_and(is_id_suffix)
}

/// An access key ID as AWS issues it, long-term or temporary.
pub(super) fn is_aws_id(text: &str) -> bool {
    is_long_term_id(text) || text.strip_prefix("ASIA").is_some_and(is_id_suffix)
}

/// A secret access key as AWS issues it.
pub(super) fn is_aws_secret(text: &str) -> bool {
    text.len() == 40
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'/' || byte == b'+')
}

/// What happened to a secret access key of AWS on its way here, as far as the text shows it.
pub(super) fn anomaly(text: &str) -> Option<&'static str> {
    let drive = text.strip_prefix(|sign: char| sign.is_ascii_alphabetic());
    let escaped = ["%2F", "%2f", "%2B", "%2b", "%3D", "%3d"];
    if drive.is_some_and(|rest| rest.starts_with(":/")) {
        Some("begins with a path of Windows, which Git Bash writes in the place of a /")
    } else if text.contains(" #") {
        Some("holds a comment: leave out what follows the key")
    } else if escaped.iter().any(|escape| text.contains(escape)) {
        Some("is escaped for a URL: write / in the place of %2F, and + in the place of %2B")
    } else if text.chars().any(char::is_whitespace) {
        Some("holds white space: copy it again")
    } else if is_smtp_password(text) {
        Some("has the form of an SMTP password of SES, which is made from a secret access key")
    } else if text.len() == 39 || text.len() == 41 {
        Some("has one character too many or too few: copy it again, including / and +")
    } else {
        None
    }
}

/// A version byte and 32 bytes, in base64.
fn is_smtp_password(text: &str) -> bool {
    let decoded = decoded_base64(text).filter(|_| text.len() == 44);
    decoded.is_some_and(|bytes| {
        bytes.expose_secret().len() == 33 && bytes.expose_secret().first() == Some(&4)
    })
}

/// The decoded form of a base64 text, if it is short enough for a key of AWS.
pub(super) fn decoded_base64(text: &str) -> Option<SecretBytes> {
    const MAX_LENGTH: usize = 176;
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_allow_trailing_bits(true)
            .with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    if text.len() > MAX_LENGTH {
        return None;
    }
    let mut decoded = Zeroizing::new(vec![0; MAX_LENGTH]);
    let length = LENIENT.decode_slice(text, &mut decoded).ok()?;
    decoded.truncate(length);
    Some(SecretBytes::new(std::mem::take(&mut decoded)))
}

fn is_id_suffix(text: &str) -> bool {
    text.len() == 16
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte))
}
