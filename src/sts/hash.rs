//! What a proof is remembered by.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::pair::KeyPair;

/// Stands for a pair at an endpoint. It says nothing about the pair to anybody without the key of
/// the [`PairHasher`], and nothing at all once the process ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PairHash([u8; 32]);

/// Makes [`PairHash`]es under a key that is random for each process.
pub struct PairHasher {
    key: [u8; 32],
}

impl PairHasher {
    /// A hasher with a new key.
    ///
    /// # Errors
    /// Fails if the system has no randomness to give.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self { key })
    }

    /// The hash of a pair as it is asked about. The secret is part of it, or else a right ID with
    /// a wrong secret would inherit the proof of the right one.
    #[must_use]
    pub fn hash(&self, pair: &KeyPair, region: &str, endpoint: &str) -> PairHash {
        let inner = [
            pair.access_key_id.reveal(),
            pair.secret_access_key.reveal(),
            region,
            endpoint,
        ]
        .into_iter()
        .fold(self.keyed(), |hash, field| {
            hash.chain_update((field.len() as u64).to_be_bytes())
                .chain_update(field)
        })
        .finalize();
        PairHash(self.keyed().chain_update(inner).finalize().into())
    }

    fn keyed(&self) -> Sha256 {
        Sha256::new_with_prefix(self.key)
    }
}

impl fmt::Debug for PairHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<pair>")
    }
}

impl fmt::Debug for PairHasher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("<hasher>")
    }
}
