//! The lines of a recording: when each appears, and what stands in its place before.

use std::time::Duration;

use anyhow::{Result, bail, ensure};

use crate::recording::{COLUMNS, COMMAND, Recording};

/// The form of a text, as the demo sets it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Style {
    #[default]
    Plain,
    Heading,
    Faint,
    Good,
    Command,
}

/// A part of a line in one form.
pub(crate) type Run = (Style, String);

/// A line that stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) at: Duration,
    pub(crate) runs: Vec<Run>,
}

impl Line {
    pub(crate) fn text(&self) -> String {
        self.runs.iter().map(|(_, text)| text.as_str()).collect()
    }
}

/// A text that the next line replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// The number of lines above the text.
    pub(crate) row: usize,
    pub(crate) from: Duration,
    pub(crate) until: Duration,
    pub(crate) text: String,
}

/// The command, and all that the program has written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Transcript {
    pub(crate) lines: Vec<Line>,
    pub(crate) notices: Vec<Notice>,
}

/// The line that is being written.
#[derive(Default)]
struct Current {
    runs: Vec<Run>,
    style: Style,
    is_at_start: bool,
    began: Duration,
}

impl Transcript {
    /// Reads a recording. Fails if the recording has something that the demo's screen does not write.
    pub(crate) fn of(recording: &Recording) -> Result<Self> {
        let command = vec![(Style::Command, format!("$ {COMMAND}"))];
        let mut transcript = Self::default();
        transcript.lines.push(Line {
            at: Duration::ZERO,
            runs: command,
        });
        let mut current = Current::default();
        for (at, part) in &recording.parts {
            transcript.read(*at, part, &mut current)?;
        }
        ensure!(current.text().is_empty(), "the last line is incomplete");
        ensure!(transcript.lines.len() > 1, "the recording has no line");
        Ok(transcript)
    }

    fn read(&mut self, at: Duration, part: &str, current: &mut Current) -> Result<()> {
        let mut rest = part;
        while let Some(sign) = rest.chars().next() {
            rest = rest.get(sign.len_utf8()..).unwrap_or_default();
            match sign {
                '\r' => current.is_at_start = true,
                '\n' => {
                    let line = std::mem::take(&mut current.runs);
                    self.lines.push(Line { at, runs: line });
                    ensure!(self.is_last_narrow(), "a line is too long");
                    current.is_at_start = true;
                }
                '\x1b' => rest = self.escape(at, rest, current)?,
                sign if sign.is_control() => bail!("the control character {sign:?}"),
                sign => {
                    if current.runs.is_empty() {
                        current.began = at;
                    } else {
                        ensure!(!current.is_at_start, "a line is written over");
                    }
                    current.is_at_start = false;
                    current.push(sign);
                }
            }
        }
        Ok(())
    }

    /// Handles what follows an escape character, and returns the text after it.
    fn escape<'a>(
        &mut self,
        at: Duration,
        rest: &'a str,
        current: &mut Current,
    ) -> Result<&'a str> {
        if let Some(rest) = rest.strip_prefix("[K") {
            ensure!(current.is_at_start, "the end of a line is removed");
            let text = current.text();
            if !text.is_empty() {
                self.notices.push(Notice {
                    row: self.lines.len(),
                    from: current.began,
                    until: at,
                    text,
                });
            }
            current.runs.clear();
            return Ok(rest);
        }
        let code = rest.strip_prefix('[').and_then(|rest| rest.split_once('m'));
        let Some((code, rest)) = code else {
            bail!("an unknown escape sequence before {rest:?}");
        };
        current.style = match code {
            "0" => Style::Plain,
            "1" => Style::Heading,
            "2" => Style::Faint,
            "32" => Style::Good,
            "36" => Style::Command,
            _ => bail!("the unknown form {code:?}"),
        };
        Ok(rest)
    }

    fn is_last_narrow(&self) -> bool {
        let last = self.lines.last().map(Line::text).unwrap_or_default();
        last.chars().count() <= usize::from(COLUMNS)
    }
}

impl Current {
    fn push(&mut self, sign: char) {
        match self.runs.last_mut() {
            Some((style, text)) if *style == self.style => text.push(sign),
            _ => self.runs.push((self.style, sign.to_string())),
        }
    }

    fn text(&self) -> String {
        self.runs.iter().map(|(_, text)| text.as_str()).collect()
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn recorded(parts: &[(u64, &str)]) -> Result<Transcript> {
        let parts = parts.iter();
        let parts = parts.map(|(at, part)| (Duration::from_secs(*at), (*part).to_owned()));
        Transcript::of(&Recording {
            parts: parts.collect(),
        })
    }

    #[test]
    fn a_line_replaces_the_notice_that_stood_in_its_place() -> Result<()> {
        let transcript = recorded(&[
            (0, "\r\x1b[K\n\x1b[1m1  A cluster\x1b[0m\r\n"),
            (1, "\r\x1b[K   … starting"),
            (4, "\r\x1b[K   \x1b[32m✓\x1b[0m held\r\n"),
        ])?;
        let lines: Vec<String> = transcript.lines.iter().map(Line::text).collect();
        assert_eq!(lines, ["$ cargo demo", "", "1  A cluster", "   ✓ held"]);
        let styles = |line: usize| -> Vec<Style> {
            let runs = transcript.lines.get(line).map(|line| &line.runs);
            runs.into_iter()
                .flatten()
                .map(|(style, _)| *style)
                .collect()
        };
        assert_eq!(styles(2), [Style::Heading]);
        assert_eq!(styles(3), [Style::Plain, Style::Good, Style::Plain]);
        let notice = Notice {
            row: 3,
            from: Duration::from_secs(1),
            until: Duration::from_secs(4),
            text: "   … starting".to_owned(),
        };
        assert_eq!(transcript.notices, [notice]);
        Ok(())
    }

    #[test]
    fn what_the_screen_of_the_demo_does_not_write_is_refused() {
        for part in [
            "\x1b[2J\n",
            "\x1b[31mred\n",
            "\x07\n",
            "over\rwritten\n",
            "no end",
            "removed\x1b[K\n",
            &format!("{}\n", "x".repeat(101)),
        ] {
            assert!(recorded(&[(0, part)]).is_err(), "{part:?}");
        }
    }
}
