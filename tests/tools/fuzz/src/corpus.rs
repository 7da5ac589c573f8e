//! `corpus/NAME` has one input per line, with bytes escaped as in Rust: first handwritten inputs,
//! then inputs found by libFuzzer, each for a branch that no other input takes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};

use crate::Target;

/// The line between handwritten and found inputs.
const FOUND: &str = "# found by libFuzzer, and minimised";
/// The maximal size of a corpus in bytes, to keep it small.
const LONGEST: usize = 28 * 1024;

/// A corpus.
#[derive(Default)]
pub struct Corpus {
    /// Handwritten inputs.
    pub written: Vec<Vec<u8>>,
    /// Inputs found by libFuzzer.
    pub found: Vec<Vec<u8>>,
}

impl Corpus {
    /// The corpus of a target.
    ///
    /// # Errors
    /// If a line is not an input.
    pub fn of(target: &Target) -> Result<Self> {
        let path = path_of(target);
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let (written, found) = text.split_once(FOUND).unwrap_or((&text, ""));
        Ok(Self {
            written: inputs(written)?,
            found: inputs(found)?,
        })
    }

    /// Every input.
    #[must_use]
    pub fn all(&self) -> Vec<Vec<u8>> {
        [self.written.as_slice(), self.found.as_slice()].concat()
    }

    /// Writes the corpus of a target, short inputs first, and only as many found inputs as fit.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn keep(mut self, target: &Target) -> Result<()> {
        self.found.sort_by_key(|input| (input.len(), input.clone()));
        self.found.dedup();
        let mut text = String::new();
        for input in &self.written {
            text.push_str(&line(input));
        }
        text.push_str(FOUND);
        text.push('\n');
        for input in self.found {
            let line = line(&input);
            if text.len() + line.len() <= LONGEST && !self.written.contains(&input) {
                text.push_str(&line);
            }
        }
        Ok(fs::write(path_of(target), text)?)
    }
}

/// Writes each input to a file of its own, as libFuzzer expects.
///
/// # Errors
/// If a file cannot be written.
pub fn unpack(inputs: &[Vec<u8>], directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)?;
    for (number, input) in inputs.iter().enumerate() {
        fs::write(directory.join(format!("kept-{number}")), input)?;
    }
    Ok(())
}

/// Reads what [`unpack`] and libFuzzer wrote.
///
/// # Errors
/// If a file cannot be read.
pub fn pack(directory: &Path) -> Result<Vec<Vec<u8>>> {
    fs::read_dir(directory)?
        .map(|entry| Ok(fs::read(entry?.path())?))
        .collect()
}

/// An input as a line of a corpus.
#[must_use]
pub fn line(input: &[u8]) -> String {
    // A line that begins with `#` would be a comment.
    let text = input.escape_ascii().to_string();
    match text.strip_prefix('#') {
        Some(rest) => format!("\\x23{rest}\n"),
        None => text + "\n",
    }
}

fn path_of(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target.name)
}

fn inputs(text: &str) -> Result<Vec<Vec<u8>>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let lines = lines.filter(|line| !line.is_empty());
    lines
        .map(|line| unescaped(line).with_context(|| line.to_owned()))
        .collect()
}

/// Reverses `escape_ascii`.
///
/// # Errors
/// If the text is not escaped so.
pub fn unescaped(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        ensure!((b' '..=b'~').contains(&byte), "it is not escaped");
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'x') => {
                let digits = [rest.next(), rest.next()].map(Option::unwrap_or_default);
                u8::from_str_radix(std::str::from_utf8(&digits)?, 16)?
            }
            Some(byte @ (b'\\' | b'\'' | b'"')) => byte,
            _ => anyhow::bail!("an escape is not whole"),
        });
    }
    Ok(bytes)
}
