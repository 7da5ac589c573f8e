//! A stream of manifests as `kubectl` reads it: YAML, or JSON objects one after the other.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use serde_json::Value;
use zeroize::Zeroizing;

use crate::cli::yaml::{self, MARK};

/// More than any stream of manifests that a person reads; a Secret holds 1 MiB at most.
const LARGEST: u64 = 8 * 1024 * 1024;

/// The text, from UTF-8, or from UTF-16 with a byte order mark, as PowerShell writes it.
///
/// # Errors
/// The input is neither.
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

/// UTF-8, except for comments, which editors may leave in an older encoding.
fn narrow(bytes: &[u8]) -> Option<String> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let lines = lines.map(|line| match std::str::from_utf8(line) {
        Ok(line) => Some(line),
        Err(_) => line.trim_ascii_start().starts_with(b"#").then_some("#\n"),
    });
    lines.collect()
}

/// The documents.
///
/// # Errors
/// A sentence that names the line.
pub fn documents(text: &str) -> Result<Vec<Value>, String> {
    let begins = text.trim_start_matches(|sign: char| sign == MARK || sign.is_whitespace());
    if begins.starts_with('{')
        && let Some(objects) = one_after_the_other(begins)
    {
        return Ok(objects);
    }
    yaml::documents(text)
}

/// JSON objects with only white space between them.
fn one_after_the_other(text: &str) -> Option<Vec<Value>> {
    let objects = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    objects.collect::<Result<_, _>>().ok()
}

/// Reads a file, or standard input.
///
/// # Errors
/// It cannot be read, or is too large.
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut bytes = Zeroizing::new(Vec::new());
    let read = if path == Path::new("-") {
        io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
    };
    let read = read.map_err(|error| format!("it cannot be read: {error}"))?;
    if u64::try_from(read).is_ok_and(|read| read > LARGEST) {
        return Err("it is larger than 8 MiB".to_owned());
    }
    Ok(bytes)
}
