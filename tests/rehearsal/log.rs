//! The log of the rehearsal: the commands, each with the first lines of its output.

use anyhow::{Context, Result};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/release.md");
const BEGIN: &str = "<!-- rehearsal: begin -->\n";
const END: &str = "<!-- rehearsal: end -->\n";

/// Commands in the log. The others only prepare files and variables.
const SHOWN: [&str; 10] = [
    "cosign",
    "crane",
    "gh",
    "go",
    "grep",
    "helm",
    "jq",
    "kubectl",
    "program/image",
    "sha256sum",
];
/// The number of lines of output after a command.
const LINES: usize = 4;
/// The number of characters of a line.
const WIDTH: usize = 160;
/// The number of digits of a digest, and how many of them the log keeps.
const DIGITS: (usize, usize) = (64, 12);

/// The log so far.
#[derive(Clone, Debug, Default)]
pub struct Log(String);

impl Log {
    /// Adds the trace of a shell, in which each command begins with a `$` for each level of the shell.
    pub fn add(&mut self, title: &str, trace: &str) {
        let separator = if self.0.is_empty() { "" } else { "\n" };
        self.0.extend([separator, "# ", title, "\n"]);
        // The lines of output that the current command may still add; `None` if the command is not shown.
        let mut left = None;
        for line in trace.lines().filter(|line| !line.trim().is_empty()) {
            if let Some(rest) = line.strip_prefix('$') {
                let command = rest.trim_start_matches('$').trim_start();
                let program = command.split(' ').next().unwrap_or_default();
                left = SHOWN.contains(&program).then_some(LINES);
                if left.is_some() {
                    self.line(&format!("$ {command}"));
                }
                continue;
            }
            match left {
                None => {}
                Some(0) => {
                    self.line("…");
                    left = None;
                }
                Some(lines) => {
                    self.line(line);
                    left = Some(lines - 1);
                }
            }
        }
    }

    fn line(&mut self, line: &str) {
        let line = with_short_digests(without_time(line));
        if line.chars().count() > WIDTH {
            self.0.extend(line.chars().take(WIDTH));
            self.0.push('…');
        } else {
            self.0 += &line;
        }
        self.0.push('\n');
    }

    /// Prints the log, and with `UPDATE_DOCS=1` writes it into the page if all tests have passed. Digests and durations
    /// differ between runs, so the page is not compared.
    pub fn written(&self, passed: bool) -> Result<()> {
        let Self(log) = self;
        eprintln!("{log}");
        if passed && std::env::var_os("UPDATE_DOCS").is_some() {
            let page = std::fs::read_to_string(PAGE)?;
            let (before, rest) = page.split_once(BEGIN).context("no place for the log")?;
            let (_, after) = rest.split_once(END).context("the log does not end")?;
            let block = format!("```text\n{log}```\n");
            std::fs::write(PAGE, format!("{before}{BEGIN}{block}{END}{after}"))?;
        }
        Ok(())
    }
}

/// A line without the time with which crane begins its messages, such as `2027/01/31 12:00:00 `.
fn without_time(line: &str) -> &str {
    let Some((time, rest)) = line.split_at_checked("2027/01/31 12:00:00 ".len()) else {
        return line;
    };
    let shape: String = time
        .chars()
        .map(|sign| if sign.is_ascii_digit() { '0' } else { sign })
        .collect();
    if shape == "0000/00/00 00:00:00 " {
        rest
    } else {
        line
    }
}

/// A line with the first digits of each digest.
fn with_short_digests(line: &str) -> String {
    let is_other = |sign: char| !matches!(sign, '0'..='9' | 'a'..='f');
    let (all, kept) = DIGITS;
    // Each part is hexadecimal digits and the sign after them.
    let parts = line.split_inclusive(is_other).map(|part| {
        let digits = part.trim_end_matches(is_other);
        if digits.len() < all {
            return part.to_owned();
        }
        let end = part.get(digits.len()..).unwrap_or_default();
        format!("{}…{end}", digits.get(..kept).unwrap_or_default())
    });
    parts.collect()
}
