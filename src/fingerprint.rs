//! Keyed hashes by which this process recognizes a pair that it has proven, without keeping it.

use std::{collections::BTreeMap, fmt};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::pair::{KeyPair, SecretBytes};

/// A secret access key of this length cannot be found by trying. Those of AWS have 40 random characters;
/// those of other stores may be chosen by people.
const UNGUESSABLE: usize = 32;
/// Half of the hash: nobody finds other data with the same digest.
const DIGEST: usize = 16;

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

    /// The fingerprint of a pair, and of where it is asked about if that matters. The secret is part
    /// of it, or a right ID with a wrong secret would inherit the proof of the right one. Each text
    /// is hashed with its length, so that no two lists of texts share a fingerprint.
    #[must_use]
    pub fn of(&self, pair: &KeyPair, asked: &[&str]) -> Fingerprint {
        let halves = [pair.access_key_id.reveal(), pair.secret_access_key.reveal()];
        let texts = halves.iter().chain(asked);
        let inner = texts.fold(self.keyed(), |hash, text| {
            hash.chain_update((text.len() as u64).to_be_bytes())
                .chain_update(text)
        });
        Fingerprint(
            self.keyed()
                .chain_update(inner.finalize())
                .finalize()
                .into(),
        )
    }

    fn keyed(&self) -> Sha256 {
        Sha256::new_with_prefix(*self.0)
    }
}

/// The digest of a target's data that a status may show and every process can compute. The UID of the
/// resource is part of it, so that no two resources share one, and a target that was restored keeps it.
/// Other than the target's UID it is known before the target exists.
#[must_use]
pub fn of_content(uid: &str, data: &BTreeMap<String, SecretBytes>) -> String {
    let values = data
        .iter()
        .flat_map(|(key, value)| [key.as_bytes(), value.reveal()]);
    digest(std::iter::once(uid.as_bytes()).chain(values))
}

/// A digest of texts, each with its length.
#[must_use]
pub fn digest<'a>(mut texts: impl Iterator<Item = &'a [u8]>) -> String {
    let hash = texts.by_ref().fold(Sha256::new(), |hash, text| {
        hash.chain_update((text.len() as u64).to_be_bytes())
            .chain_update(text)
    });
    let hash = hash.finalize();
    let bytes = hash.iter().take(DIGEST);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a digest of data with this pair in them tells nothing of it.
#[must_use]
pub fn may_be_shown(pair: &KeyPair) -> bool {
    pair.secret_access_key.reveal().len() >= UNGUESSABLE
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
