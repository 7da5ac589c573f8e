//! One text with the licence of every part: first a list, then each text once.

use std::{collections::BTreeMap, fmt::Write, fs};

use anyhow::{Context, Result, ensure};
use spdx::{Expression, ParseMode};

use crate::{page, parts::Part};

/// Where it is.
pub(crate) const PATH: &str = "licenses/THIRD-PARTY.txt";

const HEADER: &str = "\
What is in this image, each with its licence and the numbers of the texts below that belong to it.
Of licences joined by OR the recipient may choose one.

glibc is linked statically. As section 6 of the LGPL has it, whoever wants to may link the operator with
another version of it: `cargo image` in the operator's sources, which are public, does so.
";

/// Texts in the order of their first mention, each with the parts that have it.
#[derive(Default)]
struct Texts {
    numbers: BTreeMap<String, usize>,
    texts: Vec<(String, Vec<String>)>,
}

impl Texts {
    /// Numbers a text. Those that differ in white space alone are one.
    fn add(&mut self, text: &str, owner: &str) -> usize {
        let key = text.split_whitespace().collect::<Vec<_>>().join(" ");
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

/// The text.
pub(crate) fn text(parts: &[Part]) -> Result<String> {
    let mut texts = Texts::default();
    let mut list = String::new();
    for part in parts {
        let owner = format!("{} {}", part.name, part.version);
        let mut numbers = Vec::new();
        for text in of(part).with_context(|| format!("the licence of {owner}"))? {
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

/// A part's own files; where it comes with no licence among them, the licence's text as SPDX has it.
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
