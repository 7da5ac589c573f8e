//! The account in an access key ID.

use static_aws_credentials::account::decode;

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

pub fn account(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input) {
        assert_eq!(decode(text), in_digits_of_two(text));
    }
    if let Some(number) = input.first_chunk::<8>() {
        let number = u64::from_be_bytes(*number) % 1_000_000_000_000;
        let id = encoded(number, input.split_at(8).1);
        assert_eq!(decode(&id), Some(format!("{number:012}")), "{id}");
        let temporary = id.replacen("AKIA", "ASIA", 1);
        assert_eq!(decode(&temporary), decode(&id));
    }
}

/// As the bits are drawn in the description: the generation, 40 bits of account, and the rest.
fn in_digits_of_two(text: &str) -> Option<String> {
    let rest = text
        .strip_prefix("AKIA")
        .or_else(|| text.strip_prefix("ASIA"))?;
    let mut bits = String::new();
    for letter in rest.chars() {
        let value = ALPHABET.find(letter)?;
        bits.push_str(&format!("{value:05b}"));
    }
    let (generation, rest) = (bits.len() == 80).then(|| bits.split_at(1))?;
    let number = u64::from_str_radix(rest.split_at(40).0, 2).ok()?;
    let digits = number.to_string();
    (generation == "1" && digits.len() <= 12).then(|| format!("{digits:0>12}"))
}

fn encoded(account: u64, rest: &[u8]) -> String {
    let mut bits = format!("1{account:040b}");
    for byte in rest.iter().cycle().take(5) {
        bits.push_str(&format!("{byte:08b}"));
    }
    let bits = format!("{bits:0<80}");
    let letters = bits.as_bytes().chunks(5).take(16).map(|five| {
        let value = five
            .iter()
            .fold(0, |value, bit| value * 2 + usize::from(bit - b'0'));
        ALPHABET.chars().nth(value).unwrap_or('A')
    });
    format!("AKIA{}", letters.collect::<String>())
}
