//! The page about reliability: each fault has a test, and each named test exists.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context, Result, ensure};

use super::pages::{ROOT, files_below, fresh};

const PAGE: &str = "docs/reliability.md";
const COUNTS: [(&str, u32); 3] = [("F", 36), ("S", 7), ("A", 21)];

#[test]
fn every_fault_has_a_row_with_the_tests_that_show_it_survived() -> Result<()> {
    let page = fs::read_to_string(Path::new(ROOT).join(PAGE))?;
    let tests = numbered_tests()?;
    let mut rows = Vec::new();
    for (letter, count) in COUNTS {
        for number in 1..=count {
            let number = format!("{letter}{number}");
            let start = format!("| {number} | ");
            let row = page.lines().find(|line| line.starts_with(&start));
            let row = row.with_context(|| format!("{PAGE} has no row of {number}"))?;
            let what = row[start.len()..].split(" | ").next().unwrap_or_default();
            let names = tests.get(&number.to_lowercase());
            let names = names.with_context(|| format!("no test of {number}"))?;
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            rows.push(format!("{start}{what} | {} |\n", names.join(", ")));
        }
    }
    let head = "| line | fault | tests |\n|---|---|---|\n";
    fresh(PAGE, "faults", &format!("{head}{}", rows.concat()))
}

#[test]
fn every_test_that_the_page_names_exists() -> Result<()> {
    let page = fs::read_to_string(Path::new(ROOT).join(PAGE))?;
    let sources = sources()?;
    let words = page.split('`').skip(1).step_by(2);
    let is_test = |word: &&str| {
        word.contains('_')
            && word.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_:".contains(&byte)
            })
    };
    let mut seen = 0;
    for word in words.filter(is_test) {
        let function = word.rsplit("::").next().unwrap_or(word);
        let found = sources.iter().any(|source| source.contains(function));
        ensure!(found, "{PAGE} names {word}, which is no test");
        seen += 1;
    }
    ensure!(seen > 60, "names are found: {seen}");
    Ok(())
}

/// Names of tests, functions or strings, by the numbers at their start.
fn numbered_tests() -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut tests: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources()? {
        let is_of_name = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
        let words = source.split(|sign| !is_of_name(sign));
        for name in words.filter(|word| word.matches('_').count() > 2) {
            for number in name.split('_').take_while(|part| is_number(part)) {
                let names = tests.entry(number.to_owned()).or_default();
                names.insert(name.to_owned());
            }
        }
    }
    Ok(tests)
}

fn is_number(part: &str) -> bool {
    let letter = part.starts_with(['f', 's', 'a']);
    letter && part.len() > 1 && part.bytes().skip(1).all(|byte| byte.is_ascii_digit())
}

/// The text of every source file: suites are in tests, unit tests beside the code.
fn sources() -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for folder in ["src", "tests"] {
        let files = files_below(folder, "rs")?.into_iter();
        texts.extend(files.map(|file| file.text));
    }
    Ok(texts)
}
