//! A reader of shared files, written from the rules of AWS's SDKs and not from their code, in the
//! variants in which the SDKs differ.

use std::collections::BTreeMap;

/// Sections, each with its properties.
pub type Sections = BTreeMap<String, BTreeMap<String, String>>;

/// The choices of a reader where the rules leave them open.
#[derive(Clone, Copy, Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "habits that do not depend on each other"
)]
pub struct Dialect {
    /// White space before `#` or `;` ends a value.
    inline_comments: bool,
    /// `:` may replace `=`, as in Python.
    colon: bool,
    /// Double quotes around a value are not part of it.
    strips_quotes: bool,
    /// White space is Unicode's, not only ASCII's.
    unicode: bool,
}

/// No variation, some variations alone or combined, and all of them.
pub const DIALECTS: [Dialect; 6] = [
    dialect(false, false, false, false),
    dialect(true, false, false, false),
    dialect(false, true, false, true),
    dialect(false, false, true, false),
    dialect(true, false, true, true),
    dialect(true, true, true, true),
];

#[allow(clippy::fn_params_excessive_bools, reason = "a row of a table")]
const fn dialect(
    inline_comments: bool,
    colon: bool,
    strips_quotes: bool,
    unicode: bool,
) -> Dialect {
    Dialect {
        inline_comments,
        colon,
        strips_quotes,
        unicode,
    }
}

/// One section `default` with these properties.
pub fn profile(properties: &[(&str, &str)]) -> Sections {
    let property = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let properties = properties.iter().map(property).collect();
    BTreeMap::from([("default".to_owned(), properties)])
}

/// Reads a file.
///
/// # Errors
/// The line that the reader rejects.
pub fn read(file: &str, dialect: Dialect) -> Result<Sections, String> {
    let mut sections = Sections::new();
    let mut open: Option<(String, Option<String>)> = None;
    for line in file.split(['\n', '\r']) {
        let text = dialect.trim(line);
        if text.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let refused = || format!("{line:?}");
        let begins_blank = !line.starts_with(dialect.trim_start(line));
        match &mut open {
            Some((section, Some(key))) if begins_blank => {
                let properties = sections.entry(section.clone()).or_default();
                let value = properties.entry(key.clone()).or_default();
                value.push('\n');
                value.push_str(text);
            }
            _ if text.starts_with('[') => {
                let (name, rest) = text[1..].split_once(']').ok_or_else(refused)?;
                if !(rest.is_empty() || dialect.trim(rest).starts_with(['#', ';'])) {
                    return Err(refused());
                }
                let name = dialect.trim(name).to_owned();
                sections.entry(name.clone()).or_default();
                open = Some((name, None));
            }
            Some((section, key)) => {
                let ends = |letter: char| letter == '=' || dialect.colon && letter == ':';
                let at = text.find(ends).ok_or_else(refused)?;
                let name = dialect.trim(&text[..at]).to_lowercase();
                let value = dialect.value(&text[at + 1..]).to_owned();
                let properties = sections.entry(section.clone()).or_default();
                if properties.insert(name.clone(), value).is_some() {
                    return Err(refused());
                }
                *key = Some(name);
            }
            None => return Err(refused()),
        }
    }
    Ok(sections)
}

impl Dialect {
    fn is_blank(self, letter: char) -> bool {
        letter.is_ascii_whitespace() || self.unicode && letter.is_whitespace()
    }

    fn trim(self, text: &str) -> &str {
        text.trim_matches(|letter| self.is_blank(letter))
    }

    fn trim_start(self, text: &str) -> &str {
        text.trim_start_matches(|letter| self.is_blank(letter))
    }

    fn value(self, text: &str) -> &str {
        let mut end = text.len();
        if self.inline_comments {
            let mut after_blank = true;
            for (at, letter) in text.char_indices() {
                if after_blank && matches!(letter, '#' | ';') {
                    end = at;
                    break;
                }
                after_blank = self.is_blank(letter);
            }
        }
        let value = self.trim(&text[..end]);
        let inner = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'));
        inner.filter(|_| self.strips_quotes).unwrap_or(value)
    }
}
