//! Streams of YAML documents, split first, as `kubectl` splits them, and each read alone.

use serde_json::Value;
use serde_saphyr::DuplicateKeyPolicy;

/// What stands at the beginning of a text in UTF-8 that some editors write.
pub const MARK: char = '\u{FEFF}';

/// The documents of a text.
///
/// # Errors
/// A sentence that names the line alone: the parser's own error shows the lines around it, and these may
/// hold a key or a token.
pub fn documents(text: &str) -> Result<Vec<Value>, String> {
    let chunks = chunks(text).into_iter();
    let read = chunks
        .filter(|chunk| !chunk.is_blank())
        .map(|chunk| chunk.read());
    read.collect()
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
