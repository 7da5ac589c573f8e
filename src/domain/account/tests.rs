//! The account that an access key ID encodes.

use crate::domain::account::account_id_from_key_id;
use proptest::prelude::*;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The inverse: an ID of the newer generation that encodes the account. `noise` fills the other bits.
fn encode(prefix: &str, account: u64, noise: u128) -> String {
    let account_at = 39;
    let mask = ((1_u128 << 40) - 1) << account_at;
    let bits = 1 << 79 | u128::from(account) << account_at | noise & !mask & ((1 << 80) - 1);
    let characters = (0..16).map(|position| {
        let five = usize::try_from(bits >> (75 - 5 * position) & 31).unwrap_or_default();
        char::from(*ALPHABET.get(five).unwrap_or(&b'?'))
    });
    prefix.chars().chain(characters).collect()
}

#[test]
fn known_ids_name_their_accounts() {
    for (id, account) in [
        ("ASIAY34FZKBOKMUTVV7A", "609629065308"),
        ("ASIAQNZGKIQY56JQ7WML", "029608264753"),
        ("ASIAQAAAAAAAGMKEM7X5", "000000000000"),
        ("AKIARZPUZDIKAAAAAAAA", "123456789012"),
    ] {
        assert_eq!(account_id_from_key_id(id).as_deref(), Some(account), "{id}");
    }
}

/// `7` would begin an account ID of more than twelve digits.
#[test]
fn the_first_encoded_character_marks_the_generation() {
    for character in ALPHABET.iter().copied().map(char::from) {
        let newer = matches!(character, 'Q'..='Z' | '2'..='6');
        let id = format!("AKIA{character}AAAAAAAAAAAAAAA");
        assert_eq!(account_id_from_key_id(&id).is_some(), newer, "{id}");
    }
}

#[test]
fn what_is_no_key_of_aws_names_no_account() {
    for id in [
        "",
        "AKIA",
        "AKIAIOSFODNN7EXAMPLE",
        "AKIAI44QH8DHBEXAMPLE",
        "AKIARZPUZDIKAAAAAAA",
        "AKIARZPUZDIKAAAAAAAAA",
        "AKIARZPUZDIKAAAAAAA8",
        "AKIARZPUZDIKAAAAAAAa",
        "AKIARZPUZDIKAAAAAAA\u{c4}",
        "AIDARZPUZDIKAAAAAAAA",
        "akiaRZPUZDIKAAAAAAAA",
        "GKIARZPUZDIKAAAAAAAA",
        "\u{c4}\u{c4}RZPUZDIKAAAAAAAA",
    ] {
        assert_eq!(account_id_from_key_id(id), None, "{id}");
    }
}

#[test]
fn a_number_too_great_for_an_account_is_none() {
    assert_eq!(
        account_id_from_key_id(&encode("AKIA", 999_999_999_999, 0)).as_deref(),
        Some("999999999999")
    );
    assert_eq!(
        account_id_from_key_id(&encode("AKIA", 1_000_000_000_000, 0)),
        None
    );
    assert_eq!(account_id_from_key_id("AKIA7777777777777777"), None);
}

proptest! {
    #[test]
    fn every_account_is_read_back(
        account in 0_u64..1_000_000_000_000,
        noise in any::<u128>(),
        prefix in "AKIA|ASIA",
    ) {
        let decoded = account_id_from_key_id(&encode(&prefix, account, noise));
        prop_assert_eq!(decoded, Some(format!("{account:012}")));
    }

    #[test]
    fn anything_else_names_twelve_digits_or_nothing(id in "(AKIA|ASIA)?[A-Z0-9\\PC]{0,17}") {
        if let Some(account) = account_id_from_key_id(&id) {
            prop_assert_eq!(account.len(), 12);
            prop_assert!(account.bytes().all(|byte| byte.is_ascii_digit()));
        }
    }
}
