//! Any number of key pairs, of the shape that AWS issues.

use std::sync::atomic::{AtomicUsize, Ordering};

const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Encodes the account 123456789012.
const PREFIX: &str = "AKIARZPUZDIKQ";

static UNUSED: AtomicUsize = AtomicUsize::new(0);

/// Reserves `count` consecutive unused pairs, and returns the number of the first.
pub fn unused(count: usize) -> usize {
    UNUSED.fetch_add(count, Ordering::Relaxed)
}

/// The access key ID and the secret access key of a pair.
pub fn pair(number: usize) -> (String, String) {
    let digits = (0..7).rev().map(|place| {
        let digit = DIGITS.get((number >> (5 * place)) & 31);
        char::from(digit.copied().unwrap_or(b'A'))
    });
    let id = PREFIX.chars().chain(digits).collect();
    (id, format!("wSecretOfOneOfManyPairs+wSecret{number:09}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_pair_has_the_lengths_and_letters_of_one() {
        for number in [0, 31, 32, 12_345, 9_999_999] {
            let (id, secret) = pair(number);
            assert_eq!((id.len(), secret.len()), (20, 40));
            let is_digit = |sign| matches!(sign, 'A'..='Z' | '2'..='7');
            assert!(id.starts_with("AKIA") && id.chars().all(is_digit), "{id}");
        }
    }

    #[test]
    fn no_pair_is_given_out_twice() {
        let first = unused(10);
        assert!(unused(1) >= first + 10);
    }

    #[test]
    fn no_two_pairs_share_an_id_or_a_secret() {
        let ids: BTreeSet<String> = (0..40_000).map(|number| pair(number).0).collect();
        let secrets: BTreeSet<String> = (0..40_000).map(|number| pair(number).1).collect();
        assert_eq!((ids.len(), secrets.len()), (40_000, 40_000));
    }
}
