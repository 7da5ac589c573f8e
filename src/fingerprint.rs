//! Keyed hashes by which this process recognizes a pair that it has proven, without keeping it.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// A key that is random for each process, so that a fingerprint means nothing outside it.
pub struct FingerprintKey(Zeroizing<[u8; 32]>);

/// What a pair is recognized by.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl FingerprintKey {
    /// A new key.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *key)?;
        Ok(Self(key))
    }

    /// The fingerprint of some texts. Each is hashed with its length, so that no two lists share one.
    #[must_use]
    pub fn of(&self, texts: &[&str]) -> Fingerprint {
        let mut hash = Sha256::new_with_prefix(*self.0);
        for text in texts {
            hash.update(text.len().to_be_bytes());
            hash.update(text);
        }
        Fingerprint(hash.finalize().into())
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<redacted>")
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<fingerprint>")
    }
}
