//! Foreign texts as a status, an event or a log repeats them: on one line, cut, and without key material. A text
//! of the API server may quote what was sent to it or what it stores: an admission policy has the whole object
//! at hand.

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::domain::pair::{KeyPair, SecretText};

/// The most bytes of a foreign text that are repeated.
pub const LONGEST: usize = 1024;

/// This many consecutive characters of any form of a value in a text count as a part of the value.
const PIECE: usize = 8;
const REDACTED: &str = "<redacted>";
const CUT: &str = "...";
/// A shorter word never counts as key material.
const SHORTEST: usize = 20;

/// A text, cut to a number of bytes at a character boundary.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most.saturating_sub(CUT.len()));
    format!("{}{CUT}", text.get(..end).unwrap_or_default())
}

/// Redacts a foreign text on any subject.
#[must_use]
pub fn foreign(text: &str) -> String {
    let plain = |sign: char| if sign.is_control() { ' ' } else { sign };
    let text: String = text.chars().map(plain).collect();
    let is_material = |word: &str| is_key_id(word) || is_random(word);
    let separates =
        |byte: u8| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='));
    let mut hidden = vec![false; text.len()];
    let mut from = 0;
    let ends = text
        .bytes()
        .enumerate()
        .filter(|(_, byte)| separates(*byte));
    let ends = ends.map(|(at, _)| at).chain([text.len()]);
    for end in ends {
        if text.get(from..end).is_some_and(is_material) {
            hide(&mut hidden, from, end);
        }
        from = end + 1;
    }
    cut(&without(&text, &hidden), LONGEST)
}

/// Redacts a foreign text that answers a request with a pair.
#[must_use]
pub fn about(text: &str, pair: &KeyPair) -> String {
    let values = [&pair.access_key_id, &pair.secret_access_key].map(SecretText::expose_secret);
    if values.iter().any(|value| value.len() < PIECE) {
        return "its words are left out, since they might repeat the key pair".to_owned();
    }
    let mut pieces = Zeroizing::new(Vec::new());
    for form in values.into_iter().flat_map(forms) {
        let windows = form.as_bytes().windows(PIECE);
        pieces.extend(windows.map(<[u8]>::to_ascii_lowercase));
    }
    pieces.sort_unstable();
    let folded = text.to_ascii_lowercase();
    let mut hidden = vec![false; text.len()];
    for (at, piece) in folded.as_bytes().windows(PIECE).enumerate() {
        let known = pieces.binary_search_by(|known| known.as_slice().cmp(piece));
        if known.is_ok() {
            hide(&mut hidden, at, at + PIECE);
        }
    }
    spread(text.as_bytes(), &mut hidden);
    foreign(&without(text, &hidden))
}

/// A value as it may appear in a text: plain, escaped, encoded, and encoded twice.
fn forms(value: &str) -> Vec<Zeroizing<String>> {
    let json = Zeroizing::new(serde_json::to_string(value).unwrap_or_default());
    let json = json.trim_matches('"');
    // Go escapes characters that are special in HTML.
    let escaped = ['&', '<', '>'].iter().fold(json.to_owned(), |text, sign| {
        exchanged(&text, *sign, &format!("\\u{:04x}", u32::from(*sign)))
    });
    let percent = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02x}"),
    };
    let texts = [
        value.to_owned(),
        json.to_owned(),
        escaped,
        value.bytes().map(percent).collect::<Vec<_>>().concat(),
        hex(value),
        listed(value, ", "),
        listed(value, " "),
    ];
    let texts: Vec<Zeroizing<String>> = texts.map(Zeroizing::new).into();
    let once: Vec<_> = texts.iter().flat_map(|text| encoded(text)).collect();
    let twice: Vec<_> = once.iter().flat_map(|text| encoded(text)).collect();
    let url =
        |text: &Zeroizing<String>| Zeroizing::new(exchanged(&exchanged(text, '+', "-"), '/', "_"));
    let url_safe: Vec<_> = once.iter().chain(&twice).map(url).collect();
    texts
        .into_iter()
        .chain(once)
        .chain(twice)
        .chain(url_safe)
        .collect()
}

fn hex(value: &str) -> String {
    let bytes = value.bytes().map(|byte| format!("{byte:02x}"));
    bytes.collect::<Vec<_>>().concat()
}

/// The bytes as Rust and Go print them.
fn listed(value: &str, separator: &str) -> String {
    let bytes: Vec<String> = value.bytes().map(|byte| byte.to_string()).collect();
    bytes.join(separator)
}

fn exchanged(text: &str, sign: char, by: &str) -> String {
    text.split(sign).collect::<Vec<_>>().join(by)
}

/// The base64 characters that depend on the text alone, if 0, 1 or 2 other bytes precede it.
fn encoded(text: &str) -> [Zeroizing<String>; 3] {
    [0, 1, 2].map(|before| {
        let bytes: Zeroizing<Vec<u8>> =
            Zeroizing::new(std::iter::repeat_n(0, before).chain(text.bytes()).collect());
        let whole = Zeroizing::new(STANDARD.encode(&*bytes));
        // A character encodes 6 bits: characters that also encode bits of a neighbour are left out.
        let first = (before * 8).div_ceil(6);
        let end = bytes.len() * 8 / 6;
        Zeroizing::new(whole.get(first..end).unwrap_or_default().to_owned())
    })
}

/// Whether a word holds an identifier with a prefix that AWS gives to keys.
fn is_key_id(word: &str) -> bool {
    let prefixes = ["AKIA", "ASIA"];
    let mut found = prefixes
        .iter()
        .flat_map(|prefix| word.match_indices(prefix));
    found.any(|(at, prefix)| {
        let rest = word.bytes().skip(at + prefix.len());
        let of_id = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        rest.take_while(of_id).count() >= 12
    })
}

/// Whether a word looks random: upper case, digits and the rest alternate more often than in any word or name, or
/// one long part has digits and upper case. Names in Kubernetes have no upper case, and kinds have no digits.
fn is_random(word: &str) -> bool {
    let kind = |byte: &u8| (byte.is_ascii_uppercase(), byte.is_ascii_digit());
    let bytes = word.as_bytes();
    let changes = bytes.windows(2).filter(|two| match two {
        [one, other] => kind(one) != kind(other),
        _ => false,
    });
    let has_upper_case = |part: &str| part.contains(|sign: char| sign.is_ascii_uppercase());
    let mixed = |part: &str| {
        let has_digits = part.contains(|sign: char| sign.is_ascii_digit());
        part.len() >= SHORTEST && has_digits && has_upper_case(part)
    };
    let changing = has_upper_case(word) && changes.count() * 3 >= word.len();
    word.len() >= SHORTEST && (changing || word.split('/').any(mixed))
}

/// Characters next to a piece belong to the same value, or to what was encoded together with it.
fn spread(text: &[u8], hidden: &mut [bool]) {
    let joins =
        |byte: u8| byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"+/=_-%\\".contains(&byte);
    let mut run = 0;
    for end in 0..=text.len() {
        if text.get(end).is_some_and(|byte| joins(*byte)) {
            continue;
        }
        let found = hidden.get(run..end).is_some_and(|run| run.contains(&true));
        if found {
            hide(hidden, run, end);
        }
        run = end + 1;
    }
}

fn hide(hidden: &mut [bool], from: usize, end: usize) {
    if let Some(part) = hidden.get_mut(from..end) {
        part.fill(true);
    }
}

fn without(text: &str, hidden: &[bool]) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut was_hidden = false;
    for (at, character) in text.char_indices() {
        let is_hidden = hidden.get(at) == Some(&true);
        if !is_hidden {
            kept.push(character);
        } else if !was_hidden {
            kept.push_str(REDACTED);
        }
        was_hidden = is_hidden;
    }
    kept
}

#[cfg(test)]
mod tests;
