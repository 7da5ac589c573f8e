//! The account in an access key ID.

use static_aws_credentials::domain::account::account_id_from_key_id;

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

pub fn account(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input) {
        assert_eq!(account_id_from_key_id(text), in_digits_of_two(text));
    }
    if let Some(number) = input.first_chunk::<8>() {
        let number = u64::from_be_bytes(*number) % 1_000_000_000_000;
        let id = encoded(number, input.split_at(8).1);
        assert_eq!(
            account_id_from_key_id(&id),
            Some(format!("{number:012}")),
            "{id}"
        );
        let temporary = id.replacen("AKIA", "ASIA", 1);
        assert_eq!(
            account_id_from_key_id(&temporary),
            account_id_from_key_id(&id)
        );
    }
}

/// By the documented bits: the generation, 40 bits of account, and the rest.
fn in_digits_of_two(text: &str) -> Option<String> {
    let rest = text
        .strip_prefix("AKIA")
        .or_else(|| text.strip_prefix("ASIA"))?;
    let five = |letter| ALPHABET.find(letter).map(|value| format!("{value:05b}"));
    let bits: String = rest.chars().map(five).collect::<Option<_>>()?;
    let (generation, rest) = (bits.len() == 80).then(|| bits.split_at(1))?;
    let number = u64::from_str_radix(rest.split_at(40).0, 2).ok()?;
    let digits = number.to_string();
    (generation == "1" && digits.len() <= 12).then(|| format!("{digits:0>12}"))
}

fn encoded(account: u64, rest: &[u8]) -> String {
    let eight = |byte: &u8| format!("{byte:08b}").into_bytes();
    let rest: Vec<u8> = rest.iter().cycle().take(5).flat_map(eight).collect();
    let rest = String::from_utf8_lossy(&rest);
    let bits = format!("{:0<80}", format!("1{account:040b}{rest}"));
    let letters = bits.as_bytes().chunks(5).take(16).map(|five| {
        let value = five
            .iter()
            .fold(0, |value, bit| value * 2 + usize::from(bit - b'0'));
        ALPHABET.chars().nth(value).unwrap_or('A')
    });
    format!("AKIA{}", letters.collect::<String>())
}
