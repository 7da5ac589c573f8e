//! The pair of one profile in a credentials file of a source.
//!
//! SDKs agree only on the plainest form of a file, so the reader refuses every line of the profile that one SDK may
//! read differently from another. Lines of other profiles are skipped: they are not published.

use std::collections::BTreeSet;

use crate::{
    api::{CredentialsFile, Reason},
    domain::{
        format::abbreviated,
        layout::has_comment,
        pair::{SecretBytes, SecretText},
        verdict::Finding,
    },
};

/// The name of the setting with the access key ID.
pub const ACCESS_KEY_ID: &str = "aws_access_key_id";
/// The name of the setting with the secret access key.
pub const SECRET_ACCESS_KEY: &str = "aws_secret_access_key";

const BLANK: [char; 2] = [' ', '\t'];

/// Settings that hold or bring temporary credentials.
const TEMPORARY: [&str; 2] = ["aws_session_token", "aws_security_token"];

/// Settings by which SDKs get credentials in another way, as those that begin with `sso_`.
const OTHER_WAYS: [&str; 5] = [
    "credential_process",
    "credential_source",
    "role_arn",
    "source_profile",
    "web_identity_token_file",
];

/// The two values of a profile, each if it is there.
#[derive(Debug, Default)]
pub struct Values {
    /// The access key ID.
    pub access_key_id: Option<SecretBytes>,
    /// The secret access key.
    pub secret_access_key: Option<SecretBytes>,
}

/// The profile that is read.
#[derive(Clone, Copy)]
struct Place<'a> {
    secret: &'a str,
    file: &'a CredentialsFile,
}

/// A line of the profile, with its number.
type Line<'a> = (usize, &'a str);

/// Reads the values of a profile.
///
/// # Errors
/// SDKs do not all read the same static pair from the file, or there is no such file or profile.
pub fn read(
    bytes: Option<SecretBytes>,
    file: &CredentialsFile,
    secret: &str,
) -> Result<Values, Finding> {
    let place = Place { secret, file };
    let Some(bytes) = bytes else {
        let advice = "does not exist; add it, or correct spec.secretRef.credentialsFile.key";
        return Err(place.finding(Reason::SourceKeyMissing, advice));
    };
    let Some(text) = SecretText::from_utf8(bytes) else {
        let advice = "is not UTF-8 text; store a credentials file in it";
        return Err(place.finding(Reason::NotUtf8, advice));
    };
    let text = text.expose_secret();
    if text.starts_with('\u{FEFF}') {
        let advice = "begins with a byte order mark; save it as UTF-8 without one";
        return Err(place.finding(Reason::ByteOrderMark, advice));
    }
    place.values(&place.lines(text)?)
}

impl Place<'_> {
    /// The lines of the profile.
    fn lines<'t>(&self, text: &'t str) -> Result<Vec<Line<'t>>, Finding> {
        let wanted = self.file.profile.as_str();
        let mut open: Option<&str> = None;
        let mut found = None;
        for (at, line) in text.split('\n').enumerate() {
            let number = at + 1;
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line.contains('\r') {
                return Err(self.ambiguous(number, "holds a carriage return"));
            }
            let inner = line.trim_matches(char::is_whitespace);
            if line.trim_matches(BLANK).is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if inner.starts_with('[') {
                let name = header(line).ok_or_else(|| {
                    self.ambiguous(number, "is not the name of a profile in brackets, alone")
                })?;
                if name.strip_prefix("profile ").map(str::trim) == Some(wanted) {
                    let problem = "begins the profile in the form of a config file; \
                                   write only its name in brackets";
                    return Err(self.ambiguous(number, problem));
                }
                if name == wanted {
                    if found.is_some() {
                        return Err(self.ambiguous(number, "begins the profile again"));
                    }
                    found = Some(Vec::new());
                }
                open = Some(name);
                continue;
            }
            match (open, &mut found) {
                (None, _) => return Err(self.ambiguous(number, "precedes the first profile")),
                (Some(name), Some(lines)) if name == wanted => lines.push((number, line)),
                _ => {}
            }
        }
        found.ok_or_else(|| self.profile_not_found())
    }

    fn values(&self, lines: &[Line<'_>]) -> Result<Values, Finding> {
        let mut values = Values::default();
        let mut names = BTreeSet::new();
        for &(number, line) in lines {
            let (name, value) = self.setting(number, line)?;
            if !names.insert(name) {
                return Err(self.ambiguous(number, "sets a name for the second time"));
            }
            let value = || Some(SecretBytes::new(value.as_bytes().to_vec()));
            match name {
                ACCESS_KEY_ID => values.access_key_id = value(),
                SECRET_ACCESS_KEY => values.secret_access_key = value(),
                name if TEMPORARY.contains(&name) => {
                    return Err(self.not_static(Reason::TemporaryCredentials, number, name));
                }
                name if OTHER_WAYS.contains(&name) => {
                    return Err(self.not_static(Reason::ProfileNotStatic, number, name));
                }
                name if name.starts_with("sso_") => {
                    return Err(self.not_static(Reason::ProfileNotStatic, number, "sso_*"));
                }
                _ => {}
            }
        }
        Ok(values)
    }

    /// Name and value of a line, if every SDK splits the line alike.
    fn setting<'t>(&self, number: usize, line: &'t str) -> Result<(&'t str, &'t str), Finding> {
        if line.starts_with(char::is_whitespace) {
            return Err(self.ambiguous(number, "begins with white space"));
        }
        let Some((name, value)) = line.split_once('=') else {
            return Err(self.ambiguous(number, "has no equals sign"));
        };
        let name = name.trim_end_matches(BLANK);
        let is_sign = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if name.is_empty() || !name.bytes().all(is_sign) {
            let problem = "has a name of other signs than lower-case letters, digits and '_'";
            return Err(self.ambiguous(number, problem));
        }
        let value = value.trim_matches(BLANK);
        if has_comment(value) {
            return Err(self.ambiguous(number, "has # or ; at the beginning of a word"));
        }
        if value.starts_with(['[', ']']) {
            return Err(self.ambiguous(number, "has a bracket at the beginning of the value"));
        }
        Ok((name, value))
    }

    fn ambiguous(&self, number: usize, problem: &str) -> Finding {
        let text = format!(
            "{problem}, so SDKs may read the file differently; write each line of the profile as name = value"
        );
        self.of_line(Reason::CredentialsFileAmbiguous, number, &text)
    }

    fn not_static(&self, reason: Reason, number: usize, name: &str) -> Finding {
        let text = format!(
            "sets {name}, so the profile is no static key pair; remove the line, or name another profile in \
             spec.secretRef.credentialsFile.profile"
        );
        self.of_line(reason, number, &text)
    }

    fn profile_not_found(&self) -> Finding {
        let profile = abbreviated(&self.file.profile);
        let text = format!(
            "has no profile [{profile}]; add it, or correct spec.secretRef.credentialsFile.profile"
        );
        self.finding(Reason::ProfileNotFound, &text)
    }

    fn of_line(&self, reason: Reason, number: usize, predicate: &str) -> Finding {
        let (key, secret) = (abbreviated(&self.file.key), abbreviated(self.secret));
        let text = format!("line {number} of key \"{key}\" of Secret \"{secret}\" {predicate}");
        Finding::new(reason, text)
    }

    fn finding(&self, reason: Reason, predicate: &str) -> Finding {
        let (key, secret) = (abbreviated(&self.file.key), abbreviated(self.secret));
        Finding::new(
            reason,
            format!("key \"{key}\" of Secret \"{secret}\" {predicate}"),
        )
    }
}

/// The name in a line with a name in brackets.
fn header(line: &str) -> Option<&str> {
    let name = line
        .trim_end_matches(BLANK)
        .strip_prefix('[')?
        .strip_suffix(']')?;
    let is_plain = !name.is_empty()
        && name.trim() == name
        && !name.contains(['[', ']', '#', ';'])
        && !name.contains(char::is_control);
    is_plain.then_some(name)
}

#[cfg(test)]
mod tests;
