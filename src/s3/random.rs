//! Pairs that no store has, for the control question and for the follow-up of a denial.

use crate::domain::pair::{KeyPair, SecretText};

/// The length of a secret access key of AWS.
const SECRET_LENGTH: usize = 40;
/// 32 characters, so that 5 bits of a random byte choose each with the same probability. The ID of a key of AWS has no
/// others.
const CHARACTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The form of an access key ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// 20 characters as of AWS, with a prefix that AWS gives to no kind of ID.
    Aws,
    /// 32 hexadecimal digits, which R2 requires.
    Hexadecimal,
}

/// A pair of at least 80 random bits in the ID and 200 in the secret.
pub(super) fn pair(form: Form) -> Result<KeyPair, getrandom::Error> {
    let id = match form {
        Form::Aws => format!("AKXX{}", text(16, CHARACTERS)?),
        Form::Hexadecimal => text(32, b"0123456789abcdef0123456789abcdef")?,
    };
    Ok(KeyPair {
        access_key_id: SecretText::new(id),
        secret_access_key: SecretText::new(text(SECRET_LENGTH, CHARACTERS)?),
    })
}

/// The same ID with another secret of the same length. A short secret becomes longer: a random one could be equal.
pub(super) fn with_wrong_secret(pair: &KeyPair) -> Result<KeyPair, getrandom::Error> {
    let length = pair.secret_access_key.expose_secret().len();
    let secret = text(length.max(SECRET_LENGTH), CHARACTERS)?;
    Ok(KeyPair {
        access_key_id: SecretText::new(pair.access_key_id.expose_secret().to_owned()),
        secret_access_key: SecretText::new(secret),
    })
}

fn text(length: usize, characters: &[u8; 32]) -> Result<String, getrandom::Error> {
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes)?;
    let character = |byte: u8| characters.get(usize::from(byte % 32)).copied();
    let text = bytes.into_iter().filter_map(character);
    Ok(text.map(char::from).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_random_pair_has_the_form_and_never_the_same_values() {
        for (form, length) in [(Form::Aws, 20), (Form::Hexadecimal, 32)] {
            let [one, other] = [pair(form).unwrap(), pair(form).unwrap()];
            assert_ne!(one.access_key_id, other.access_key_id);
            assert_ne!(one.secret_access_key, other.secret_access_key);
            let id = one.access_key_id.expose_secret();
            assert_eq!(id.len(), length);
            let is_right = |byte: u8| match form {
                Form::Aws => CHARACTERS.contains(&byte),
                Form::Hexadecimal => byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase(),
            };
            assert!(id.bytes().all(is_right));
            assert_eq!(one.secret_access_key.expose_secret().len(), 40);
        }
    }

    #[test]
    fn a_wrong_secret_keeps_the_id_and_the_length_of_the_secret_but_is_never_short() {
        for (length, expected) in [(40, 40), (64, 64), (8, 40), (0, 40)] {
            let pair = KeyPair {
                access_key_id: SecretText::new("minio".to_owned()),
                secret_access_key: SecretText::new("A".repeat(length)),
            };
            let wrong = with_wrong_secret(&pair).unwrap();
            assert_eq!(wrong.access_key_id, pair.access_key_id);
            assert_ne!(wrong.secret_access_key, pair.secret_access_key);
            assert_eq!(wrong.secret_access_key.expose_secret().len(), expected);
        }
    }
}
