//! One text with the licence of every part: first a list, then each text once.

use std::{collections::BTreeMap, fmt::Write, fs};

use anyhow::{Context, Result, ensure};
use spdx::{Expression, ParseMode};

use crate::{page, parts::Part};

/// The path in the image.
pub(crate) const PATH: &str = "licenses/THIRD-PARTY.txt";

const HEADER: &str = "\
What is in this image, each with its licence and the numbers of the texts below that belong to it.
Of licences joined by OR the recipient may choose one.

glibc is linked statically. As section 6 of the LGPL has it, whoever wants to may link the operator with
another version of it: `cargo image` in the operator's sources, which are public, does so.
";

/// Texts in the order of their first mention, each with its parts.
#[derive(Default)]
struct Texts {
    numbers: BTreeMap<String, usize>,
    texts: Vec<(String, Vec<String>)>,
}

impl Texts {
    /// Numbers a text. Texts with the same letters and digits count as one.
    fn add(&mut self, text: &str, owner: &str) -> usize {
        let signs = text.chars().filter(char::is_ascii_alphanumeric);
        let key = signs.collect::<String>().to_lowercase();
        let key = key.replace("https", "http");
        let next = self.texts.len();
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.texts.push((text.trim_end().to_owned(), Vec::new()));
        }
        if let Some((_, owners)) = self.texts.get_mut(number) {
            owners.push(owner.to_owned());
        }
        number + 1
    }
}

/// Writes the text.
pub(crate) fn text(parts: &[Part]) -> Result<String> {
    let mut texts = Texts::default();
    let mut list = String::new();
    for part in parts {
        let owner = format!("{} {}", part.name, part.version);
        let mut numbers = Vec::new();
        let own = of(part).with_context(|| format!("the licence of {owner}"))?;
        for text in own.iter().flat_map(|text| without_advice(text)) {
            let number = texts.add(&text, &owner).to_string();
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        ensure!(!numbers.is_empty(), "{owner} has no text of a licence");
        let texts = numbers.join(", ");
        writeln!(list, "{owner}: {}; texts {texts}", part.license)?;
    }
    let mut all = format!("{HEADER}\n{list}");
    for (place, (text, owners)) in texts.texts.iter().enumerate() {
        let line = "-".repeat(78);
        let owners = owners.join(", ");
        write!(
            all,
            "\n{line}\ntext {}: {owners}\n{line}\n\n{text}\n",
            place + 1
        )?;
    }
    Ok(all)
}

/// The terms of Apache's licence end with a fixed line. The advice after it may have a copyright notice filled in.
fn without_advice(text: &str) -> Vec<String> {
    const END: &str = "END OF TERMS AND CONDITIONS";
    let apache = text
        .contains("Apache License")
        .then(|| text.split_once(END));
    let Some((terms, advice)) = apache.flatten() else {
        return vec![text.to_owned()];
    };
    let year = |line: &str| line.bytes().any(|byte| byte.is_ascii_digit());
    let notices = advice
        .lines()
        .filter(|line| line.contains("Copyright") && year(line));
    let notices: Vec<&str> = notices.map(str::trim).collect();
    // Another licence may follow in the same file.
    if advice.len() > 2_000 {
        return vec![text.to_owned()];
    }
    let mut texts = vec![format!("{terms}{END}")];
    texts.extend((!notices.is_empty()).then(|| notices.join("\n")));
    texts
}

/// A part's own files; if there is no licence among them, the licence's text from SPDX.
fn of(part: &Part) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for file in &part.notices {
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        match file.extension() {
            Some(extension) if extension == "html" => texts.extend(page::texts(&text)),
            _ => texts.push(text),
        }
    }
    let is_licence = |text: &String| text.len() > 400;
    if !texts.iter().any(is_licence) || part.license.contains("GPL") {
        texts.extend(by_name(part)?);
    }
    Ok(texts)
}

fn by_name(part: &Part) -> Result<Vec<String>> {
    let expression = Expression::parse_mode(&part.license, ParseMode::LAX)?;
    let mut texts = Vec::new();
    for requirement in expression.requirements() {
        let license = &requirement.req.license;
        let id = license.id().context("SPDX does not know it")?;
        let authors = match part.authors.join(", ") {
            none if none.is_empty() => format!("the authors of {}", part.name),
            authors => authors,
        };
        texts.push(format!("Copyright {authors}\n\n{}", id.text()));
        let addition = requirement.req.addition.as_ref();
        let exception = addition.and_then(spdx::AdditionItem::id);
        texts.extend(exception.map(|exception| exception.text().to_owned()));
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: &str = "Apache License\nVersion 2.0\n\nEND OF TERMS AND CONDITIONS";

    #[test]
    fn advice_is_left_out_and_a_notice_kept() {
        let advice = "\n\nAPPENDIX\n  Copyright [yyyy] [name of copyright owner]\n";
        assert_eq!(without_advice(&format!("{TERMS}{advice}")), [TERMS]);
        let filled = "\n\nAPPENDIX\n  Copyright 2016 Somebody\n  Licensed under\n";
        let texts = without_advice(&format!("{TERMS}{filled}"));
        assert_eq!(texts, [TERMS, "Copyright 2016 Somebody"]);
    }

    #[test]
    fn whatever_else_is_in_a_file_stays() {
        let two = format!("{TERMS}\n{}", "Permission is hereby granted ".repeat(100));
        for text in ["MIT License", "END OF TERMS AND CONDITIONS", &two] {
            assert_eq!(without_advice(text), [text]);
        }
    }

    #[test]
    fn texts_that_say_the_same_are_one() {
        let mut texts = Texts::default();
        let one = texts.add("See http://www.apache.org/licenses/", "a 1");
        assert_eq!(texts.add("See https://www.apache.org/Licenses", "b 1"), one);
        assert_ne!(texts.add("See http://www.apache.org/", "c 1"), one);
        assert_eq!(texts.texts[0].1, ["a 1", "b 1"]);
    }
}
