//! Key material: wiped on drop, never printed, never serialized. These types hold it between two requests. A `Secret`
//! of k8s-openapi holds it while a read is examined, and `ZeroizingSecret` for a write; the allocator wipes both.

use std::fmt;

use zeroize::Zeroizing;

/// Bytes of a Secret.
pub struct SecretBytes(Zeroizing<Vec<u8>>);

/// Text that was proven to be UTF-8 without control characters.
#[derive(PartialEq, Eq)]
pub struct SecretText(Zeroizing<String>);

/// An access key ID and its secret access key, well-formed, read from one version of the source.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyPair {
    /// The access key ID.
    pub access_key_id: SecretText,
    /// The secret access key.
    pub secret_access_key: SecretText,
}

/// One half of the pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairField {
    /// The access key ID.
    AccessKeyId,
    /// The secret access key.
    SecretAccessKey,
}

impl SecretBytes {
    /// Takes the bytes over without copying them.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves, for as long as the borrow.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }
}

impl SecretText {
    /// Takes the text over without copying it.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Takes the bytes over without copying them; nothing, and the bytes wiped, if they are no UTF-8.
    #[must_use]
    pub fn from_utf8(mut bytes: SecretBytes) -> Option<Self> {
        match String::from_utf8(std::mem::take(&mut *bytes.0)) {
            Ok(text) => Some(Self::new(text)),
            Err(error) => {
                drop(SecretBytes::new(error.into_bytes()));
                None
            }
        }
    }

    /// The text itself, for as long as the borrow.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl KeyPair {
    /// The last four characters of the access key ID: all of it that is ever shown.
    #[must_use]
    pub fn suffix(&self) -> String {
        let id = self.access_key_id.expose_secret();
        let from = id.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
        id.get(from..).unwrap_or_default().to_owned()
    }
}

impl PartialEq for SecretBytes {
    fn eq(&self, other: &Self) -> bool {
        self.expose_secret() == other.expose_secret()
    }
}

impl Eq for SecretBytes {}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "<{} bytes redacted>", self.expose_secret().len())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<redacted>")
    }
}

#[cfg(test)]
mod tests;
