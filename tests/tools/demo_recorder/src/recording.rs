//! A recording of a terminal, in asciinema's format: <https://docs.asciinema.org/manual/asciicast/v2/>.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// The size of the recorded terminal in characters.
pub(crate) const COLUMNS: u16 = 100;
pub(crate) const ROWS: u16 = 30;
/// The command as a user types it.
pub(crate) const COMMAND: &str = "cargo demo";

/// What a program has written to its terminal, each part with the time since the first part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recording {
    pub(crate) parts: Vec<(Duration, String)>,
}

impl Recording {
    /// Adds output, of which the last character or escape sequence may be incomplete. Returns the bytes of the
    /// incomplete part.
    pub(crate) fn add(&mut self, start: Instant, bytes: &[u8]) -> Result<Vec<u8>> {
        let complete = match std::str::from_utf8(bytes) {
            Ok(text) => text.len(),
            Err(error) => {
                ensure!(error.error_len().is_none(), "the output is no UTF-8");
                error.valid_up_to()
            }
        };
        let text = std::str::from_utf8(bytes.split_at(complete).0)?;
        let escape = text.rfind('\x1b').filter(|at| {
            let sequence = text.get(*at..).unwrap_or_default();
            !sequence.contains(|sign: char| sign.is_ascii_alphabetic())
        });
        let (text, _) = text.split_at(escape.unwrap_or(text.len()));
        let rest = bytes.get(text.len()..).unwrap_or_default();
        if !text.is_empty() {
            let at = Duration::from_micros(u64::try_from(start.elapsed().as_micros())?);
            self.parts.push((at, text.to_owned()));
        }
        Ok(rest.to_vec())
    }

    /// The same with the first part at the time 0.
    pub(crate) fn since_first_part(mut self) -> Self {
        let first = self.parts.first().map(|(at, _)| *at).unwrap_or_default();
        for (at, _) in &mut self.parts {
            *at = at.saturating_sub(first);
        }
        self
    }

    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        let head = json!({ "version": 2, "width": COLUMNS, "height": ROWS, "command": COMMAND });
        let mut text = format!("{head}\n");
        for (at, part) in &self.parts {
            let seconds = at.as_micros();
            let (whole, micros) = (seconds / 1_000_000, seconds % 1_000_000);
            writeln!(text, "[{whole}.{micros:06}, \"o\", {}]", json!(part))?;
        }
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
    }

    pub(crate) fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file);
        let text = text.with_context(|| format!("cannot read {}", file.display()))?;
        let mut lines = text.lines();
        let head: Value = serde_json::from_str(lines.next().unwrap_or_default())?;
        let size = (head.get("width"), head.get("height"));
        let known = (json!(COLUMNS), json!(ROWS));
        ensure!(
            size == (Some(&known.0), Some(&known.1)),
            "another size: {head}"
        );
        let mut parts = Vec::new();
        for line in lines {
            let (at, kind, part): (f64, String, String) = serde_json::from_str(line)?;
            ensure!(kind == "o", "no output: {line}");
            parts.push((Duration::try_from_secs_f64(at)?, part));
        }
        Ok(Self { parts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_or_an_escape_sequence_that_arrives_in_two_parts_is_complete() -> Result<()> {
        let mut recording = Recording::default();
        let start = Instant::now();
        let mut rest = Vec::new();
        for part in [&b"a\xe2\x9c"[..], b"\x93\x1b[3", b"2mb"] {
            rest.extend(part);
            rest = recording.add(start, &rest)?;
        }
        assert!(rest.is_empty());
        let texts: Vec<&str> = recording
            .parts
            .iter()
            .map(|(_, text)| text.as_str())
            .collect();
        assert_eq!(texts, ["a", "✓", "\x1b[32mb"]);
        assert!(recording.add(start, b"\xff").is_err());
        Ok(())
    }
}
