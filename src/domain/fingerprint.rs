//! Keyed hashes by which this process recognizes a pair that it has proven, without keeping it, and the digest by
//! which resources with the same pair are known.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::domain::{
    format,
    pair::{KeyPair, SecretBytes},
};

/// Equal digests of pairs mean equal pairs, regardless of anything else that is hashed.
const PURPOSE: &[u8] = b"awscredentials.dev/key-digest/v1";
/// Half of the hash: other data with the same digest cannot be found.
const SHOWN: usize = 16;

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

    /// The fingerprint of a pair and, if that matters, of the place where the pair is verified. The secret is part
    /// of the fingerprint, or a right ID with a wrong secret would inherit the proof of the right pair. Each text
    /// is hashed with its length, so that no two lists of texts share a fingerprint.
    #[must_use]
    pub fn of(&self, pair: &KeyPair, asked: &[&str]) -> Fingerprint {
        let halves = [
            pair.access_key_id.expose_secret(),
            pair.secret_access_key.expose_secret(),
        ];
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

/// What a pair has in common wherever it is published. The access key ID alone would tell too much: the ID encodes
/// its account, and the status has its end.
#[must_use]
pub fn of_pair(pair: &KeyPair) -> Option<String> {
    let texts = [
        PURPOSE,
        pair.access_key_id.expose_secret().as_bytes(),
        pair.secret_access_key.expose_secret().as_bytes(),
    ];
    may_be_shown(pair).then(|| digest(texts.into_iter()))
}

/// The digest of a target's data that a status may show and every process can compute. The UID of the
/// resource is part of it, so that no two resources share one, and a target that was restored keeps it.
/// Other than the target's UID it is known before the target exists.
#[must_use]
pub fn of_content(uid: &str, data: &BTreeMap<String, SecretBytes>) -> String {
    let values = data
        .iter()
        .flat_map(|(key, value)| [key.as_bytes(), value.expose_secret()]);
    digest(std::iter::once(uid.as_bytes()).chain(values))
}

/// A digest of texts, each with its length: 32 hex digits.
#[must_use]
pub fn digest<'a>(texts: impl Iterator<Item = &'a [u8]>) -> String {
    let hash = texts.fold(Sha256::new(), |hash, text| {
        hash.chain_update((text.len() as u64).to_be_bytes())
            .chain_update(text)
    });
    let mut shown = String::with_capacity(2 * SHOWN);
    for byte in hash.finalize().iter().take(SHOWN) {
        // Writing to a string does not fail.
        let _ = write!(shown, "{byte:02x}");
    }
    shown
}

/// Whether a digest of this pair, or of data with the pair in them, tells nothing of it. A secret access key in
/// the form of AWS has 240 random bits; another one may be guessed.
#[must_use]
pub fn may_be_shown(pair: &KeyPair) -> bool {
    format::is_aws_secret(pair.secret_access_key.expose_secret())
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
