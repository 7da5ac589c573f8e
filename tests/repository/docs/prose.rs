//! The English of the pages, of the texts of program and chart, and of comments: phrases that a reader has to read
//! twice.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::{Command, CommandFactory as _};
use static_aws_credentials::cli::args::Cli;

use super::pages::{CHART, Page, files_below, page, pages};

/// Phrases that no page, text or comment may contain, in lower case. A noun, a number or a plain verb replaces them.
const PHRASES: [&str; 28] = [
    "anew",
    "are asked about",
    "as has",
    "asks for none",
    "can go",
    "for their sake",
    "goes on",
    "has a say",
    "is asked about",
    "is let in",
    "is no proof",
    "make of it",
    "may stand in",
    "nobody",
    "none to ask about",
    "nonsense",
    "of which is",
    "of which one",
    "once the",
    "pass for",
    "passes for",
    "says nothing of",
    "so long",
    "so many",
    "the latter",
    "those of others",
    "what is settled",
    "whoever",
];

/// The marks of a comment. A longer mark is before its own beginning.
const MARKS: [&str; 4] = ["///", "//!", "//", "#"];

/// Generated tables are on the pages: docs/api.md has the meanings of reasons, docs/metrics.md the help of metrics.
#[test]
fn no_page_has_an_odd_phrase() -> Result<()> {
    let mut pages = pages()?;
    pages.push(page(Path::new(CHART).join("templates/NOTES.txt"))?);
    has_no_odd_phrase(&pages)
}

#[test]
fn no_text_of_the_definition_or_of_the_chart_has_an_odd_phrase() -> Result<()> {
    let mut files = files_below("crds", "yaml")?;
    ensure!(!files.is_empty(), "no definition is found");
    for extension in ["yaml", "tpl", "json"] {
        files.extend(files_below(CHART, extension)?);
    }
    ensure!(files.len() > 50, "{} files are found", files.len());
    has_no_odd_phrase(&unmarked(files))
}

#[test]
fn no_help_of_a_command_has_an_odd_phrase() -> Result<()> {
    let mut helps = Vec::new();
    collect_helps(&mut Cli::command(), &mut helps);
    for name in ["run", "crd", "check", "api-check"] {
        let is_found = helps.iter().any(|help| help.path.starts_with(name));
        ensure!(is_found, "{name} has no help");
    }
    has_no_odd_phrase(&helps)
}

/// Messages, log lines and comments. Unit tests may have phrases in their data.
#[test]
fn no_text_or_comment_of_the_program_has_an_odd_phrase() -> Result<()> {
    let files = files_below("src", "rs")?;
    ensure!(files.len() > 250, "{} files are found", files.len());
    has_no_odd_phrase(&unmarked(files))
}

#[test]
fn a_phrase_is_found_across_lines_and_not_in_code() {
    let text =
        "Names: `so many`\n```\nwhoever\n```\nSome wait, so\nmany at once.\nOf manifold use.\n";
    let page = Page {
        path: PathBuf::from("page.md"),
        text: text.to_owned(),
    };
    assert_eq!(odd_phrases(&page), ["page.md:5: so many"]);
}

#[test]
fn a_phrase_is_found_in_comments_and_in_strings_but_not_in_the_data_of_unit_tests() {
    let text = "/// Holds so\n/// many.\nlet text = \"AWS is asked \\\n    about it\";\n";
    let found = |path: &str| -> Vec<String> {
        let file = Page {
            path: PathBuf::from(path),
            text: text.to_owned(),
        };
        unmarked(vec![file]).iter().flat_map(odd_phrases).collect()
    };
    assert_eq!(
        found("src/api/spec.rs"),
        [
            "src/api/spec.rs:1: so many",
            "src/api/spec.rs:3: is asked about"
        ]
    );
    assert_eq!(found("src/api/tests.rs"), ["src/api/tests.rs:1: so many"]);
    assert_eq!(
        found("src/api/tests/spec.rs"),
        ["src/api/tests/spec.rs:1: so many"]
    );
}

fn has_no_odd_phrase(pages: &[Page]) -> Result<()> {
    let found: Vec<String> = pages.iter().flat_map(odd_phrases).collect();
    ensure!(
        found.is_empty(),
        "say it with a noun as the subject: {found:#?}"
    );
    Ok(())
}

/// The help of a command and of its subcommands, each as a page with the name of the command.
fn collect_helps(command: &mut Command, helps: &mut Vec<Page>) {
    helps.push(Page {
        path: PathBuf::from(command.get_name()),
        text: command.render_long_help().to_string(),
    });
    for subcommand in command.get_subcommands_mut() {
        collect_helps(subcommand, helps);
    }
}

/// Files without the marks of comments and of strings that continue on the next line; of unit tests, only the comments.
fn unmarked(mut files: Vec<Page>) -> Vec<Page> {
    for file in &mut files {
        let path = file.path.to_string_lossy();
        let is_unit_test = path.ends_with("/tests.rs") || path.contains("/tests/");
        let line = |line: &str| {
            let line = line.trim();
            let comment = MARKS.iter().find_map(|mark| line.strip_prefix(mark));
            let code = if is_unit_test { "" } else { line };
            let text = comment.unwrap_or(code);
            text.trim_end_matches('\\').trim().to_owned()
        };
        let lines: Vec<String> = file.text.lines().map(line).collect();
        file.text = lines.join("\n");
    }
    files
}

/// The phrases of a page, each with the line where it begins.
fn odd_phrases(page: &Page) -> Vec<String> {
    let lines = page.numbered_prose().into_iter();
    let lines: Vec<(usize, String)> = lines.map(|(at, line)| (at, without_code(line))).collect();
    let mut found = Vec::new();
    for (index, (number, line)) in lines.iter().enumerate() {
        let next = lines.get(index + 1).map_or("", |(_, next)| next.as_str());
        let both = format!("{line} {next}");
        for phrase in PHRASES {
            if begins_before(&both, phrase, line.len()) {
                found.push(format!("{}:{number}: {phrase}", page.path.display()));
            }
        }
    }
    found
}

/// A line in lower case, with a backtick in the place of each code span: names of tests and reasons are not prose.
fn without_code(line: &str) -> String {
    let parts: Vec<&str> = line.trim().split('`').step_by(2).collect();
    parts.join("`").to_lowercase()
}

/// Whether a phrase of whole words begins in the text before this place.
fn begins_before(text: &str, phrase: &str, end: usize) -> bool {
    text.match_indices(phrase).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + phrase.len()..]);
        at < end
            && !before.ends_with(char::is_alphanumeric)
            && !after.starts_with(char::is_alphanumeric)
    })
}
