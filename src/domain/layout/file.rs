//! The files that SDKs read.
//!
//! The credentials file has the plainest form because SDKs agree on no other: some fail on a byte order mark, on
//! indentation, on upper-case keys, on `key: value` or on an empty session token, and they share no way to
//! escape or quote a value.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::domain::pair::{KeyPair, SecretBytes};

/// Why a file cannot hold a pair: the part of a sentence that follows a colon.
pub(super) type Obstacle = &'static str;

pub(super) fn credentials(pair: &KeyPair) -> Result<SecretBytes, Obstacle> {
    let id = pair.access_key_id.expose_secret();
    let secret = pair.secret_access_key.expose_secret();
    if !(is_plain(id) && is_plain(secret)) {
        return Err("SDKs read a credentials file differently \
                    where # or ; begins a value or follows white space in it, \
                    where a bracket begins it, or where quotes or white space surround it");
    }
    Ok(concatenated(&[
        "[default]\naws_access_key_id = ",
        id,
        "\naws_secret_access_key = ",
        secret,
        "\n",
    ]))
}

pub(super) fn config(region: &str) -> SecretBytes {
    concatenated(&["[default]\nregion = ", region, "\n"])
}

/// Program and file are named by the paths at which the chart's injection mounts them: SDKs expand no variables
/// in a command.
pub(super) fn process_config(region: Option<&str>, ttl: u32) -> SecretBytes {
    let region = region.map_or(String::new(), |region| format!("region = {region}\n"));
    let command = format!(
        "/var/run/awscredentials.dev/credential-process \
         --file /var/run/secrets/awscredentials.dev/credentials.json --ttl {ttl}"
    );
    concatenated(&[
        "[default]\n",
        &region,
        "credential_process = ",
        &command,
        "\n",
    ])
}

/// The output of a `credential_process`. Every SDK rejects a `Version` that is not a number, and some reject an
/// empty session token, so that absent fields are left out.
pub(super) fn process_json(pair: &KeyPair) -> Result<SecretBytes, Obstacle> {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Output<'a> {
        version: u8,
        access_key_id: &'a str,
        secret_access_key: &'a str,
    }
    // The longest form of a byte in JSON is `\u001f`.
    const LONGEST_ESCAPE: usize = 6;
    const PUNCTUATION: usize = 64;

    let output = Output {
        version: 1,
        access_key_id: pair.access_key_id.expose_secret(),
        secret_access_key: pair.secret_access_key.expose_secret(),
    };
    let values = output.access_key_id.len() + output.secret_access_key.len();
    let capacity = PUNCTUATION + LONGEST_ESCAPE * values;
    let mut json = Zeroizing::new(Vec::with_capacity(capacity));
    serde_json::to_writer(&mut *json, &output).map_err(|_| "JSON cannot hold it")?;
    Ok(SecretBytes::new(std::mem::take(&mut json)))
}

/// The access key ID in a file of [`credentials`].
pub(super) fn key_id_of_credentials(text: &str) -> Option<&str> {
    let mut lines = text.lines();
    lines.find_map(|line| line.strip_prefix("aws_access_key_id = "))
}

/// The access key ID in an output of [`process_json`].
pub(super) fn key_id_of_process_json(text: &str) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Output<'a> {
        #[serde(borrow)]
        access_key_id: Cow<'a, str>,
    }
    let output: Output<'_> = serde_json::from_str(text).ok()?;
    Some(output.access_key_id)
}

/// Whether every SDK reads the value back unchanged from a line of a credentials file. For some SDKs `#` and `;`
/// begin a comment, one SDK strips double quotes, and earlier SDKs for Go fail on a bracket at the beginning.
fn is_plain(value: &str) -> bool {
    let quoted = value.starts_with('"') && value.ends_with('"');
    !value.is_empty()
        && !quoted
        && !value.starts_with(['[', ']'])
        && value.trim() == value
        && !value.contains(char::is_control)
        && !has_comment(value)
}

/// Whether SDKs may take the rest of a value for a comment.
pub(in crate::domain) fn has_comment(value: &str) -> bool {
    let mut words = value.split(char::is_whitespace);
    words.any(|word| word.starts_with(['#', ';']))
}

/// Reserves once: a buffer that grows leaves copies of its content behind.
fn concatenated(parts: &[&str]) -> SecretBytes {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        bytes.extend_from_slice(part.as_bytes());
    }
    SecretBytes::new(bytes)
}
