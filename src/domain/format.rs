//! Checks of the bytes of a key pair, before any request to AWS.
//!
//! No value is corrected: a value that is almost right is rejected with the exact cause, since a pod would
//! otherwise read other bytes than the person who wrote them sees. No message holds a value, its length or a
//! part of it.

mod shape;
mod violation;

use crate::{
    api::{CredentialsFile, Reason},
    domain::{
        pair::{KeyPair, PairField, SecretBytes, SecretText},
        verdict::Finding,
    },
};

/// The most characters of a name in a message: three such names still leave room for the advice.
const MAX_NAME_CHARS: usize = 60;

/// Where the two values were found, for messages.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// Name of the Secret.
    pub secret: &'a str,
    /// The file with the values, if they are not keys of the Secret's data.
    pub file: Option<&'a CredentialsFile>,
    /// Key with the access key ID, of the Secret's data or of the profile in the file.
    pub access_key_id_key: &'a str,
    /// Key with the secret access key.
    pub secret_access_key_key: &'a str,
    /// Whether another store than AWS may have issued the pair: no request is sent, and no account is pinned.
    pub any_store: bool,
}

/// A pair without a violation.
#[derive(Debug)]
pub struct WellFormed {
    /// The values, moved out of the source's bytes.
    pub pair: KeyPair,
    /// What is unusual for a pair that AWS issued, and usual for one of an S3-compatible store.
    pub notes: Vec<String>,
}

/// Makes a pair of the two values of the source, or reports what is wrong with them.
///
/// # Errors
///
/// The first violation; the order is that of the chains in `violation.rs`.
pub fn check(
    names: &Names<'_>,
    access_key_id: Option<SecretBytes>,
    secret_access_key: Option<SecretBytes>,
) -> Result<WellFormed, Finding> {
    let missing = (access_key_id.is_none(), secret_access_key.is_none());
    let (Some(access_key_id), Some(secret_access_key)) = (access_key_id, secret_access_key) else {
        return Err(names.key_missing(missing));
    };
    names
        .candidate(
            access_key_id.expose_secret(),
            secret_access_key.expose_secret(),
        )
        .conforms_to(&violation::BYTE_CHECKS)?;
    let pair = KeyPair {
        access_key_id: names.text(PairField::AccessKeyId, access_key_id)?,
        secret_access_key: names.text(PairField::SecretAccessKey, secret_access_key)?,
    };
    let candidate = names.candidate(
        pair.access_key_id.expose_secret(),
        pair.secret_access_key.expose_secret(),
    );
    candidate.conforms_to(&violation::TEXT_CHECKS)?;
    let notes = candidate.notes();
    Ok(WellFormed { pair, notes })
}

/// Whether a secret access key has the form of those that AWS issues.
#[must_use]
pub fn is_aws_secret(text: &str) -> bool {
    shape::is_aws_secret(text)
}

/// One of the two values and where it was found.
#[derive(Clone, Copy)]
struct Value<'a, T: ?Sized> {
    names: &'a Names<'a>,
    field: PairField,
    content: &'a T,
}

/// The two values of one version of the source, on their way through the checks.
struct Candidate<'a, T: ?Sized> {
    access_key_id: Value<'a, T>,
    secret_access_key: Value<'a, T>,
}

/// A check finds its violation or nothing.
enum Check<T: ?Sized> {
    /// Concerns each value on its own, the access key ID first.
    Each(fn(&Value<'_, T>) -> Option<Finding>),
    /// Concerns the access key ID alone.
    AccessKeyId(fn(&Value<'_, T>) -> Option<Finding>),
    /// Concerns the relation of the two values.
    Pair(fn(&Candidate<'_, T>) -> Option<Finding>),
}

impl<'a> Names<'a> {
    fn candidate<T: ?Sized>(
        &'a self,
        access_key_id: &'a T,
        secret_access_key: &'a T,
    ) -> Candidate<'a, T> {
        let value = |field, content| Value {
            names: self,
            field,
            content,
        };
        Candidate {
            access_key_id: value(PairField::AccessKeyId, access_key_id),
            secret_access_key: value(PairField::SecretAccessKey, secret_access_key),
        }
    }

    fn text(&self, field: PairField, bytes: SecretBytes) -> Result<SecretText, Finding> {
        SecretText::from_utf8(bytes).ok_or_else(|| {
            let content = title(field);
            let advice = format!("is not UTF-8 text; store the {content} in it as AWS shows it");
            Finding::new(Reason::NotUtf8, self.sentence(field, &advice))
        })
    }

    /// Other keys of the Secret stay unnamed: a reader of the status may lack access to the Secret.
    fn key_missing(&self, missing: (bool, bool)) -> Finding {
        let (field, tail) = match missing {
            (true, true) => (
                PairField::AccessKeyId,
                format!(
                    "does not exist, nor does key \"{}\"; add both, or correct spec.secretRef",
                    abbreviated(self.secret_access_key_key)
                ),
            ),
            (true, false) => (PairField::AccessKeyId, self.one_missing("accessKeyIdKey")),
            (false, _) => (
                PairField::SecretAccessKey,
                self.one_missing("secretAccessKeyKey"),
            ),
        };
        Finding::new(Reason::SourceKeyMissing, self.sentence(field, &tail))
    }

    fn one_missing(&self, key: &str) -> String {
        let field = match self.file {
            Some(_) => "credentialsFile.profile",
            None => key,
        };
        format!("does not exist; add it, or correct spec.secretRef.{field}")
    }

    fn sentence(&self, field: PairField, predicate: &str) -> String {
        let key = abbreviated(self.key(field));
        let secret = abbreviated(self.secret);
        let Some(file) = self.file else {
            return format!("key \"{key}\" of Secret \"{secret}\" {predicate}");
        };
        let (profile, name) = (abbreviated(&file.profile), abbreviated(&file.key));
        format!(
            "{key} of profile [{profile}] under key \"{name}\" of Secret \"{secret}\" {predicate}"
        )
    }

    fn key(&self, field: PairField) -> &'a str {
        match field {
            PairField::AccessKeyId => self.access_key_id_key,
            PairField::SecretAccessKey => self.secret_access_key_key,
        }
    }
}

impl<T: ?Sized> Value<'_, T> {
    fn finding(&self, reason: Reason, predicate: &str) -> Finding {
        Finding::new(reason, self.names.sentence(self.field, predicate))
    }

    fn title(&self) -> &'static str {
        title(self.field)
    }
}

impl<T: ?Sized> Candidate<'_, T> {
    fn conforms_to(&self, chain: &[Check<T>]) -> Result<(), Finding> {
        let violation = chain.iter().find_map(|check| match check {
            Check::Each(find) => {
                find(&self.access_key_id).or_else(|| find(&self.secret_access_key))
            }
            Check::AccessKeyId(find) => find(&self.access_key_id),
            Check::Pair(find) => find(self),
        });
        violation.map_or(Ok(()), Err)
    }
}

impl Candidate<'_, str> {
    fn notes(&self) -> Vec<String> {
        let id = &self.access_key_id;
        let secret = &self.secret_access_key;
        let unusual = [
            (!shape::is_long_term_id(id.content)).then(|| {
                id.names.sentence(
                    id.field,
                    "does not look like an access key ID of AWS: AKIA and 16 of A-Z and 2-7",
                )
            }),
            (!shape::is_aws_secret(secret.content)).then(|| {
                let text =
                    "does not look like a secret access key of AWS: 40 of A-Z, a-z, 0-9, / and +";
                let text = match shape::anomaly(secret.content) {
                    Some(anomaly) => format!("{text}; it {anomaly}"),
                    None => text.to_owned(),
                };
                secret.names.sentence(secret.field, &text)
            }),
        ];
        unusual.into_iter().flatten().collect()
    }
}

fn title(field: PairField) -> &'static str {
    match field {
        PairField::AccessKeyId => "access key ID",
        PairField::SecretAccessKey => "secret access key",
    }
}

/// A name for a message: escaped, since it may come from a resource that no validation rule has checked, and
/// cut, so that the advice after it is not.
pub(super) fn abbreviated(name: &str) -> String {
    const ELLIPSIS: &str = "...";
    let escaped: String = name
        .chars()
        .flat_map(char::escape_debug)
        .take(MAX_NAME_CHARS + 1)
        .collect();
    if escaped.chars().count() <= MAX_NAME_CHARS {
        return escaped;
    }
    escaped
        .chars()
        .take(MAX_NAME_CHARS - ELLIPSIS.len())
        .chain(ELLIPSIS.chars())
        .collect()
}

#[cfg(test)]
mod tests;
