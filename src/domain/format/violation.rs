//! The checks, each named after the violation that it finds.
//!
//! The order makes the first violation the most exact one: an ID with a line break behind it is not reported as
//! malformed, and a value that is encoded twice is not reported for its line break.

use super::{
    Candidate,
    Check::{self, AccessKeyId, Each, Pair},
    Value, abbreviated, shape,
};
use crate::{
    api::Reason,
    domain::{pair::PairField, verdict::Finding},
};

pub(super) const BYTE_CHECKS: [Check<[u8]>; 3] = [
    Each(empty),
    Each(too_long), // bounds the bytes that later checks look at
    Each(byte_order_mark),
];

pub(super) const TEXT_CHECKS: [Check<str>; 11] = [
    Each(blank),
    Each(encoded_twice),
    Pair(values_swapped),
    Each(documentation_example),
    Each(trailing_newline),
    Each(surrounding_whitespace), // before control characters: a tab at the end is both
    Each(control_character),
    Each(surrounding_quotes),
    AccessKeyId(access_key_id_malformed),
    AccessKeyId(temporary_credentials),
    AccessKeyId(not_an_access_key_id),
];

/// The limit of AWS for an access key ID; for a secret, many times what any store is known to issue.
const MAX_ID_LENGTH: usize = 128;
const MAX_SECRET_LENGTH: usize = 4096;

fn empty(value: &Value<'_, [u8]>) -> Option<Finding> {
    value.content.is_empty().then(|| {
        let advice = format!("is empty; store the {} in it", value.title());
        value.finding(Reason::ValueEmpty, &advice)
    })
}

fn too_long(value: &Value<'_, [u8]>) -> Option<Finding> {
    let limit = match value.field {
        PairField::AccessKeyId => MAX_ID_LENGTH,
        PairField::SecretAccessKey => MAX_SECRET_LENGTH,
    };
    (value.content.len() > limit).then(|| {
        let title = value.title();
        let advice =
            format!("is longer than any {title}; store the {title} in it and nothing else");
        value.finding(Reason::ValueTooLong, &advice)
    })
}

/// The marks of UTF-8 and UTF-16: some Windows shells write one into every file.
fn byte_order_mark(value: &Value<'_, [u8]>) -> Option<Finding> {
    const MARKS: [&[u8]; 3] = [b"\xEF\xBB\xBF", b"\xFF\xFE", b"\xFE\xFF"];
    MARKS
        .iter()
        .any(|mark| value.content.starts_with(mark))
        .then(|| {
            let advice = "begins with a byte order mark; save it as UTF-8 without one";
            value.finding(Reason::ByteOrderMark, advice)
        })
}

fn blank(value: &Value<'_, str>) -> Option<Finding> {
    value.content.trim().is_empty().then(|| {
        let advice = format!("holds only white space; store the {} in it", value.title());
        value.finding(Reason::ValueEmpty, &advice)
    })
}

/// Line breaks inside and outside are ignored, since `echo` and `base64` both add one.
fn encoded_twice(value: &Value<'_, str>) -> Option<Finding> {
    if value.field == PairField::AccessKeyId && shape::is_id(value.content) {
        return None;
    }
    let decoded = shape::decoded_base64(value.content.trim())?;
    let text = std::str::from_utf8(decoded.expose_secret()).ok()?.trim();
    let encoded = match value.field {
        PairField::AccessKeyId => shape::is_id(text) || shape::is_aws_secret(text),
        PairField::SecretAccessKey => shape::is_aws_id(text) || shape::is_aws_secret(text),
    };
    encoded.then(|| {
        let advice =
            "is encoded in base64 twice; under data encode it once, under stringData not at all";
        value.finding(Reason::EncodedTwice, advice)
    })
}

fn values_swapped(candidate: &Candidate<'_, str>) -> Option<Finding> {
    let Candidate {
        access_key_id,
        secret_access_key,
    } = candidate;
    let id = access_key_id.content.trim();
    let secret = secret_access_key.content.trim();
    if !shape::is_id(id) && shape::is_aws_secret(id) && shape::is_id(secret) {
        let other = abbreviated(access_key_id.names.secret_access_key_key);
        let advice = format!(
            "holds the secret access key, and key \"{other}\" the access key ID; exchange them"
        );
        return Some(access_key_id.finding(Reason::ValuesSwapped, &advice));
    }
    shape::is_aws_id(secret).then(|| {
        let advice = "holds an access key ID; store the secret access key in it";
        secret_access_key.finding(Reason::ValuesSwapped, advice)
    })
}

/// AWS ends all of its examples alike.
fn documentation_example(value: &Value<'_, str>) -> Option<Finding> {
    let text = value.content.trim();
    let example = match value.field {
        PairField::AccessKeyId => {
            ["AKIA", "ASIA"]
                .iter()
                .any(|prefix| text.starts_with(prefix))
                && text.ends_with("EXAMPLE")
        }
        PairField::SecretAccessKey => text.ends_with("EXAMPLEKEY"),
    };
    example.then(|| {
        let advice = "holds an example from the AWS documentation; store a key pair of your own";
        value.finding(Reason::DocumentationExample, advice)
    })
}

fn trailing_newline(value: &Value<'_, str>) -> Option<Finding> {
    value.content.ends_with(['\n', '\r']).then(|| {
        let advice = "ends with a line break; write it without one, for example with printf or \
                      --from-env-file";
        value.finding(Reason::TrailingNewline, advice)
    })
}

/// Unicode's white space, and characters that are as invisible but do not count as white space in Unicode.
fn surrounding_whitespace(value: &Value<'_, str>) -> Option<Finding> {
    let invisible = |character: char| {
        character.is_whitespace()
            || matches!(
                character,
                '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}'
            )
    };
    (value.content.starts_with(invisible) || value.content.ends_with(invisible)).then(|| {
        let advice =
            "begins or ends with white space, which may be invisible; remove the white space";
        value.finding(Reason::SurroundingWhitespace, advice)
    })
}

fn control_character(value: &Value<'_, str>) -> Option<Finding> {
    let what = if value.content.contains(['\n', '\r']) {
        "line break"
    } else if value.content.contains(char::is_control) {
        "control character"
    } else {
        return None;
    };
    let title = value.title();
    let advice = format!("holds a {what}; store the {title} alone, as AWS shows it, on one line");
    Some(value.finding(Reason::ControlCharacter, &advice))
}

/// Typographic quotes too: word processors and chats insert them.
fn surrounding_quotes(value: &Value<'_, str>) -> Option<Finding> {
    const OPENING: [char; 6] = ['"', '\'', '`', '\u{201C}', '\u{2018}', '\u{201E}'];
    const CLOSING: [char; 6] = ['"', '\'', '`', '\u{201D}', '\u{2019}', '\u{201C}'];
    let inner = value.content.strip_prefix(OPENING)?;
    inner.ends_with(CLOSING).then(|| {
        let advice = "is enclosed in quotes; remove the quotes";
        value.finding(Reason::SurroundingQuotes, advice)
    })
}

fn access_key_id_malformed(value: &Value<'_, str>) -> Option<Finding> {
    let is_store_id = value.names.any_store && shape::is_store_id(value.content);
    (!is_store_id && !shape::is_id(value.content)).then(|| {
        let advice = "is not an access key ID, which has 16 to 128 upper-case letters and digits; \
                      copy it from AWS again";
        value.finding(Reason::AccessKeyIdMalformed, advice)
    })
}

fn temporary_credentials(value: &Value<'_, str>) -> Option<Finding> {
    value.content.starts_with("ASIA").then(|| {
        let advice = "holds the ID of temporary credentials, which expire; store a long-term access \
                      key of an IAM user";
        value.finding(Reason::TemporaryCredentials, advice)
    })
}

fn not_an_access_key_id(value: &Value<'_, str>) -> Option<Finding> {
    const OTHERS: [(&str, &str); 10] = [
        ("ABIA", "an STS bearer token"),
        ("ACCA", "a context-specific credential"),
        ("AGPA", "an IAM group"),
        ("AIDA", "an IAM user"),
        ("AIPA", "an EC2 instance profile"),
        ("ANPA", "an IAM policy"),
        ("ANVA", "a version of an IAM policy"),
        ("APKA", "a public key"),
        ("AROA", "an IAM role"),
        ("ASCA", "a certificate"),
    ];
    let (_, kind) = OTHERS
        .iter()
        .find(|(prefix, _)| value.content.starts_with(prefix))?;
    let advice = format!("holds the ID of {kind}, not of an access key; store an access key ID");
    Some(value.finding(Reason::NotAnAccessKeyId, &advice))
}
