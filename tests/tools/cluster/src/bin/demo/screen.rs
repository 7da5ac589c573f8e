//! The demo's output: numbered steps, what to look at, and the outcomes.

use std::io::{IsTerminal, Write};

use crate::args::Place;

const WIDTH: usize = 100;
const INDENT: &str = "   ";

/// The output. A missing reader is no error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    is_terminal: bool,
    has_colour: bool,
}

impl Screen {
    /// A screen on standard output, or for another process that shows the output.
    pub(crate) fn new(elsewhere: Option<Place>) -> Self {
        let is_terminal = match elsewhere {
            Some(place) => place == Place::Terminal,
            None => std::io::stdout().is_terminal(),
        };
        Self {
            is_terminal,
            has_colour: is_terminal && std::env::var_os("NO_COLOR").is_none(),
        }
    }

    /// Whether a person watches the output as it is written.
    pub(crate) fn is_terminal(self) -> bool {
        self.is_terminal
    }

    /// A line at the margin.
    pub(crate) fn line(self, text: &str) {
        self.write(&format!("{text}\n"));
    }

    /// The beginning of a step.
    pub(crate) fn step(self, number: usize, title: &str) {
        let heading = self.in_colour("1", &format!("{number}  {title}"));
        self.write(&format!("\n{heading}\n"));
    }

    /// The current action. Only a terminal shows it, and the next line replaces it.
    pub(crate) fn doing(self, text: &str) {
        if self.is_terminal {
            self.write(&format!("{INDENT}… {text}"));
        }
    }

    /// A check that held.
    pub(crate) fn held(self, text: &str) {
        let mark = self.in_colour("32", "✓");
        self.marked(&mark, text);
    }

    /// A check that failed. Of many lines, such as a log, the first and the last are shown.
    pub(crate) fn failed(self, text: &str) {
        let mark = self.in_colour("31", "✗");
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        self.marked(&mark, first);
        self.tail(rest);
    }

    /// The last lines of a text.
    pub(crate) fn tail(self, text: &str) {
        let lines: Vec<&str> = text.lines().collect();
        let skipped = lines.len().saturating_sub(8);
        self.block(&lines.get(skipped..).unwrap_or_default().join("\n"));
    }

    /// A remark.
    pub(crate) fn note(self, text: &str) {
        self.marked("·", text);
    }

    /// A command that the user may repeat.
    pub(crate) fn command(self, text: &str) {
        let text = self.in_colour("36", &format!("$ {text}"));
        self.write(&format!("{INDENT}{text}\n"));
    }

    /// The output of a command, or a manifest: each line as it is, without the common indentation.
    pub(crate) fn block(self, text: &str) {
        let lines = || text.trim_end().lines();
        let indented = |line: &str| line.len() - line.trim_start().len();
        let common = lines().map(indented).min().unwrap_or(0);
        for line in lines().filter_map(|line| line.get(common..)) {
            self.write(&format!("{INDENT}  {}\n", self.in_colour("2", line)));
        }
    }

    fn marked(self, mark: &str, text: &str) {
        let lines = wrap(text, WIDTH - INDENT.len() - 2);
        for (number, line) in lines.iter().enumerate() {
            let mark = if number == 0 { mark } else { " " };
            self.write(&format!("{INDENT}{mark} {line}\n"));
        }
    }

    fn in_colour(self, code: &str, text: &str) -> String {
        if self.has_colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn write(self, text: &str) {
        let clear = if self.is_terminal { "\r\x1b[K" } else { "" };
        let mut out = std::io::stdout().lock();
        let _ = write!(out, "{clear}{text}").and_then(|()| out.flush());
    }
}

/// Wraps a text between words.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let length = line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && length > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}
