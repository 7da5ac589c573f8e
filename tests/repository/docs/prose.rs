//! The English of the pages: phrases that a reader has to read twice.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};

use super::pages::{CHART, Page, ROOT, pages};

/// Phrases that no page may contain, in lower case. They have a noun, a number or a plain verb in their place.
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

#[test]
fn no_page_has_an_odd_phrase() -> Result<()> {
    let mut pages = pages()?;
    let notes = Path::new(CHART).join("templates/NOTES.txt");
    let text = fs::read_to_string(Path::new(ROOT).join(&notes))?;
    pages.push(Page { path: notes, text });
    let found: Vec<String> = pages.iter().flat_map(odd_phrases).collect();
    ensure!(
        found.is_empty(),
        "say it with a noun as the subject: {found:#?}"
    );
    Ok(())
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
