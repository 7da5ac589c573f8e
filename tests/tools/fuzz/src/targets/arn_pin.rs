//! A pin and an ARN: `PIN|ARN`.

use std::sync::LazyLock;

use regex::Regex;
use static_aws_credentials::domain::arn::ArnPattern;

use super::halves;

/// The schema's own pattern.
static SCHEMA: LazyLock<Regex> = LazyLock::new(|| {
    let text = "^arn:aws(-[a-z]+)*:iam::([0-9]{12}|[*]):(root|user/([!-~]*/|([!-~]*/)?[A-Za-z0-9+=,.@_*-]+))$";
    Regex::new(text).unwrap_or_else(|error| panic!("{error}"))
});

pub fn arn_pin(input: &[u8]) {
    let (pin_text, arn) = halves(input);
    let (Ok(pin_text), Ok(arn)) = (
        std::str::from_utf8(pin_text),
        std::str::from_utf8(arn.unwrap_or_default()),
    ) else {
        return;
    };
    let pin = ArnPattern::parse(pin_text);
    assert_eq!(pin.is_ok(), SCHEMA.is_match(pin_text), "{pin_text:?}");
    let Ok(pin) = pin else {
        return;
    };
    assert_eq!(
        pin.matches(arn),
        matches_some_way(pin_text.as_bytes(), arn.as_bytes()),
        "{pin_text} and {arn}"
    );
    if !pin_text.contains('*') {
        assert!(pin.matches(pin_text), "{pin_text} matches itself");
        assert!(arn == pin_text || !pin.matches(arn));
    }
    let fields: Vec<&str> = pin_text.split(':').collect();
    assert_eq!(Some(&pin.partition()), fields.get(1));
    assert_eq!(pin.account().unwrap_or("*"), fields[4]);
}

/// Whether some choice of a run of characters other than `:` for each `*` gives the text.
fn matches_some_way(pattern: &[u8], text: &[u8]) -> bool {
    // Whether the pattern so far matches each prefix of the text.
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for &symbol in pattern {
        let mut next = vec![false; text.len() + 1];
        if symbol == b'*' {
            let mut open = false;
            for at in 0..=text.len() {
                open = reached[at] || (open && at > 0 && text[at - 1] != b':');
                next[at] = open;
            }
        } else {
            for at in 1..=text.len() {
                next[at] = reached[at - 1] && text[at - 1] == symbol;
            }
        }
        reached = next;
    }
    reached[text.len()]
}
