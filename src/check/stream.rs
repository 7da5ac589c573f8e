//! A stream of manifests as `kubectl` reads it: split into documents first, each of which is read alone.

use serde_json::Value;
use serde_saphyr::DuplicateKeyPolicy;
use zeroize::Zeroizing;

/// What stands at the beginning of a text in UTF-8 that some editors write.
const MARK: char = '\u{FEFF}';

/// The text, in UTF-8, or in UTF-16 with a byte order mark, as PowerShell writes it.
///
/// # Errors
/// It is neither.
pub fn text(bytes: &[u8]) -> Result<Zeroizing<String>, String> {
    let wide = |rest: &[u8], unit: fn([u8; 2]) -> u16| -> Option<String> {
        let (units, odd) = rest.as_chunks::<2>();
        let units = units.iter().copied().map(unit);
        let text: Result<String, _> = char::decode_utf16(units).collect();
        text.ok().filter(|_| odd.is_empty())
    };
    let text = match bytes {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        bytes => narrow(bytes),
    };
    let text = text.ok_or_else(|| "it is not UTF-8 text".to_owned())?;
    Ok(Zeroizing::new(text))
}

/// UTF-8, comments excepted: editors leave these in an older encoding.
fn narrow(bytes: &[u8]) -> Option<String> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let lines = lines.map(|line| match std::str::from_utf8(line) {
        Ok(line) => Some(line),
        Err(_) => line.trim_ascii_start().starts_with(b"#").then_some("#\n"),
    });
    lines.collect()
}

/// The documents, or a sentence for each that cannot be read. The sentence names the line alone: the parser's
/// own error shows the lines around it, and these may hold a key.
pub fn documents(text: &str) -> Vec<Result<Value, String>> {
    let begins = text.trim_start_matches(|sign: char| sign == MARK || sign.is_whitespace());
    if begins.starts_with('{')
        && let Some(objects) = one_after_the_other(begins)
    {
        return objects.into_iter().map(Ok).collect();
    }
    let chunks = chunks(text).into_iter();
    chunks
        .filter(|chunk| !chunk.is_blank())
        .map(|chunk| chunk.read())
        .collect()
}

/// JSON objects with nothing but blanks between them.
fn one_after_the_other(text: &str) -> Option<Vec<Value>> {
    let objects = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    objects.collect::<Result<_, _>>().ok()
}

/// A document of YAML, and the line that it begins at.
struct Chunk<'a> {
    first: usize,
    text: &'a str,
}

fn chunks(text: &str) -> Vec<Chunk<'_>> {
    let (mut chunks, mut from, mut at, mut first) = (Vec::new(), 0, 0, 1);
    let mut end = |from: usize, at: usize, first: usize| {
        let text = text.get(from..at).unwrap_or_default();
        chunks.push(Chunk { first, text });
    };
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let next = at + line.len();
        if is_separator(line) {
            end(from, at, first);
            (from, first) = (next, number + 2);
        }
        at = next;
    }
    end(from, at, first);
    chunks
}

/// Nothing but a comment may follow.
fn is_separator(line: &str) -> bool {
    let rest = line.trim_start_matches(MARK).strip_prefix("---");
    rest.is_some_and(|rest| {
        let rest = rest.trim();
        rest.is_empty() || rest.starts_with('#')
    })
}

impl Chunk<'_> {
    /// Whether there are only comments.
    fn is_blank(&self) -> bool {
        let mut lines = self
            .text
            .lines()
            .map(|line| line.trim_start_matches(MARK).trim());
        lines.all(|line| line.is_empty() || line.starts_with('#') || line == "...")
    }

    fn read(&self) -> Result<Value, String> {
        // Of a key that is there twice the last one counts, as for kubectl.
        let options = serde_saphyr::options! { duplicate_keys: DuplicateKeyPolicy::LastWins };
        let text = self.text.trim_start_matches(MARK);
        serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let line = error
                .location()
                .map(|at| self.first + usize::try_from(at.line()).unwrap_or_default() - 1);
            let from = line.map(|line| format!(" from line {line} on"));
            format!("it is not valid YAML or JSON{}", from.unwrap_or_default())
        })
    }
}
