//! Faults that both the ID and the secret can have.

use crate::api::Reason;

use super::{ID, SECRET, base64, check_pair, refusal};

/// Texts to put before and after the value.
type Wrappers = &'static [(&'static str, &'static str)];

const WRAPPED: &[(Reason, &str, Wrappers)] = &[
    (
        Reason::ByteOrderMark,
        "begins with a byte order mark",
        &[("\u{feff}", ""), ("\u{feff}", "\n"), ("\u{feff}\"", "\"")],
    ),
    (
        Reason::TrailingNewline,
        "ends with a line break",
        &[
            ("", "\n"),
            ("", "\r\n"),
            ("", "\r"),
            (" ", " \n"),
            ("\"", "\"\n"),
            ("\n", "\n"),
            ("\0", "\n"),
        ],
    ),
    (
        Reason::SurroundingWhitespace,
        "begins or ends with white space",
        &[
            (" ", ""),
            ("", " "),
            ("", "\t"),
            ("\n", ""),
            ("", "\u{a0}"),
            ("\u{3000}", ""),
            ("", "\u{2028}"),
            ("", "\u{200b}"),
            ("", "\u{feff}"),
            ("\u{200e}", ""),
            (" \"", "\""),
        ],
    ),
    (
        Reason::ControlCharacter,
        "holds a control character",
        &[
            ("", "\0"),
            ("\0", ""),
            ("\x1b[31m", ""),
            ("", "\x7f!"),
            ("\u{9b}", ""),
            ("a\tb", ""),
        ],
    ),
    (
        Reason::ControlCharacter,
        "holds a line break",
        &[("", "\r\nAuthorization: x"), ("x\n", ""), ("", "\n\0")],
    ),
    (
        Reason::SurroundingQuotes,
        "is enclosed in quotes",
        &[
            ("\"", "\""),
            ("'", "'"),
            ("`", "`"),
            ("\u{201c}", "\u{201d}"),
            ("\u{201e}", "\u{201c}"),
            ("\" ", " \""),
        ],
    ),
];

/// A good value with each fault, the reason, and a part of the message.
pub fn faulty_values(value: &str) -> Vec<(Vec<u8>, Reason, &'static str)> {
    let wrapped = WRAPPED.iter().flat_map(|&(reason, text, wrappers)| {
        wrappers
            .iter()
            .map(move |(before, after)| (format!("{before}{value}{after}").into(), reason, text))
    });
    let encoded = encoded_twice(value).map(|value| {
        (
            value.into(),
            Reason::EncodedTwice,
            "is encoded in base64 twice",
        )
    });
    // Each of these has a fault that another check would report first if it read the whole value.
    let huge = [b'A', b'\n', b' ', 0, 0xFF].map(|byte| {
        (
            vec![byte; 1 << 20],
            Reason::ValueTooLong,
            "is longer than any",
        )
    });
    wrapped
        .chain(others(value))
        .chain(encoded)
        .chain(huge)
        .collect()
}

fn others(value: &str) -> Vec<(Vec<u8>, Reason, &'static str)> {
    let mark = "begins with a byte order mark";
    let quotes = "is enclosed in quotes";
    let no_text = "is not UTF-8";
    let followed_by = |bytes: &[u8]| [value.as_bytes(), bytes].concat();
    vec![
        (vec![], Reason::ValueEmpty, "is empty"),
        (b" \n".into(), Reason::ValueEmpty, "holds only white space"),
        (
            "\u{2003}".into(),
            Reason::ValueEmpty,
            "holds only white space",
        ),
        (b"\"\"".into(), Reason::SurroundingQuotes, quotes),
        (utf16_little_endian(value), Reason::ByteOrderMark, mark),
        (b"\xfe\xff\0A".into(), Reason::ByteOrderMark, mark),
        (followed_by(b"\xfc"), Reason::NotUtf8, no_text),
        (followed_by(b"\xed\xa0\x80"), Reason::NotUtf8, no_text),
    ]
}

fn encoded_twice(value: &str) -> [String; 5] {
    [
        base64(value),
        base64(&format!("{value}\n")),
        base64(&format!("{value}\r\n")),
        format!("{}\n", base64(value)),
        base64(value).trim_end_matches('=').to_owned(),
    ]
}

fn utf16_little_endian(value: &str) -> Vec<u8> {
    let units = format!("\u{feff}{value}\r\n");
    units.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn each_fault_of_either_value_has_its_reason_and_names_its_key() {
    let id_faults = faulty_values(ID)
        .into_iter()
        .map(|fault| (refusal(&fault.0, SECRET), "id", fault));
    let secret_faults = faulty_values(SECRET)
        .into_iter()
        .map(|fault| (refusal(ID, &fault.0), "key", fault));
    for (finding, key, (value, reason, text)) in id_faults.chain(secret_faults) {
        let head = String::from_utf8_lossy(&value)
            .chars()
            .take(60)
            .collect::<String>();
        assert_eq!(finding.reason, reason, "{head:?}");
        let start = format!("key \"{key}\" of Secret \"orders\" {text}");
        assert!(
            finding.message.starts_with(&start),
            "{head:?}: {}",
            finding.message
        );
    }
}

#[test]
fn with_a_fault_in_both_values_the_graver_one_is_named() {
    let line_break = format!("{ID}\n");
    assert_eq!(refusal(&line_break, "").reason, Reason::ValueEmpty);
    assert_eq!(
        refusal(&line_break, base64(SECRET)).reason,
        Reason::EncodedTwice
    );
    assert_eq!(
        refusal("malformed", format!("{SECRET}\n")).reason,
        Reason::TrailingNewline
    );

    let both = refusal(line_break, format!("{SECRET}\n"));
    assert!(both.message.starts_with("key \"id\""), "{}", both.message);
}

#[test]
fn an_id_that_could_be_another_one_in_base64_is_taken_as_it_is() {
    let id = "QUFB".repeat(6);
    assert_eq!(id, base64(&"A".repeat(18)));
    check_pair(&id, SECRET).unwrap();
}
