//! The account that an access key ID names.
//!
//! AWS does not document it, and the IDs carry no checksum, so this is a hint: good enough to
//! refuse a pair that is certainly another account's, and never a proof.

/// Whether a text has the form of an account ID.
#[must_use]
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The bits of the ID that hold the account, in the first 48 bits behind the prefix.
const ACCOUNT_BITS: u64 = 0x7fff_ffff_ff80;

/// The account in an access key ID, as 12 digits; none if the ID has none, as those of the older
/// generation and of other stores.
#[must_use]
pub fn account_id_from_key_id(access_key_id: &str) -> Option<String> {
    let encoded = access_key_id
        .strip_prefix("AKIA")
        .or_else(|| access_key_id.strip_prefix("ASIA"))?
        .as_bytes();
    if encoded.len() != 16 {
        return None;
    }
    let mut bits: u128 = 0;
    for byte in encoded {
        bits = bits << 5 | u128::from(base32(*byte)?);
    }
    // 80 bits. The first one is set in IDs of the newer generation.
    let newer = bits >> 79 == 1;
    let first_48 = u64::try_from(bits >> 32).ok()?;
    let account = (first_48 & ACCOUNT_BITS) >> 7;
    (newer && account < 1_000_000_000_000).then(|| format!("{account:012}"))
}

fn base32(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'2'..=b'7' => Some(byte - b'2' + 26),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
