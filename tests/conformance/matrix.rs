//! What came out, as a verdict for each SDK and layout and as the table of docs/sdks.md.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use cluster::moto::KeyPair;
use static_aws_credentials::api::Layout;
use strum::VariantArray;

use crate::{
    play::{Answer, At},
    sdk::{SDKS, Sdk},
};

const BEGIN: &str =
    "<!-- The table is written by UPDATE_DOCS=1 cargo test --test conformance -->\n";
const END: &str = "<!-- The end of the table -->";

/// The answers of one client with one layout.
pub struct Cell {
    /// With the first pair published.
    pub before: Answer,
    /// With the second pair in the files, and both active.
    pub after: Option<Answer>,
    /// With only the second pair active.
    pub alone: Option<Answer>,
}

/// All answers.
#[derive(Default)]
pub struct Matrix {
    cells: BTreeMap<At, Cell>,
    first: String,
    second: String,
}

impl Matrix {
    pub fn new(first: &KeyPair, second: &KeyPair) -> Self {
        let suffix = |pair: &KeyPair| pair.id[pair.id.len() - 4..].to_owned();
        Self {
            cells: BTreeMap::new(),
            first: suffix(first),
            second: suffix(second),
        }
    }

    pub fn add(&mut self, at: At, cell: Cell) {
        self.cells.insert(at, cell);
    }

    /// Whether the SDK authenticated, and nothing else went wrong on the way.
    pub fn judge(&self, sdk: &Sdk, layout: Layout) -> Result<()> {
        let cell = self
            .cells
            .get(&(sdk.pod, layout))
            .context("was not tried")?;
        accepted(&cell.before).context("with the first pair")?;
        let key = |answer: &Answer, one: &str| answer.key.as_ref().is_none_or(|key| key == one);
        ensure!(
            key(&cell.before, &self.first),
            "used a key that was not published: {:?}",
            cell.before
        );
        let after = cell
            .after
            .as_ref()
            .context("was not asked after the rotation")?;
        accepted(after).context("while both keys were active")?;
        self.rereads(cell).map(drop)
    }

    /// Whether the client went on with the new pair by itself.
    fn rereads(&self, cell: &Cell) -> Result<bool> {
        let alone = cell
            .alone
            .as_ref()
            .context("was not asked after the old key's end")?;
        let key = alone.key.as_ref();
        match alone.error.as_deref() {
            None => {
                ensure!(
                    key.is_none_or(|key| *key == self.second),
                    "went on with a dead key: {alone:?}"
                );
                Ok(true)
            }
            Some("InvalidClientTokenId" | "InvalidAccessKeyId") => {
                ensure!(
                    key.is_none_or(|key| *key == self.first),
                    "was refused with the new key: {alone:?}"
                );
                Ok(false)
            }
            Some(_) => bail!("failed in another way: {alone:?}"),
        }
    }

    /// The table.
    pub fn table(&self) -> String {
        let columns: Vec<Layout> = { Layout::VARIANTS.iter().copied() }
            .filter(|layout| SDKS.iter().any(|sdk| sdk.layouts.contains(layout)))
            .collect();
        let names: Vec<String> = columns
            .iter()
            .map(|layout| format!("`{}`", layout.as_str()))
            .collect();
        let mut table = format!(
            "| SDK | version | {} |\n|---|---|{}\n",
            names.join(" | "),
            "---|".repeat(names.len())
        );
        for sdk in SDKS {
            let version = columns
                .iter()
                .find_map(|layout| self.cells.get(&(sdk.pod, *layout)));
            let version = version.map_or("not tried", |cell| &cell.before.sdk);
            let cells: Vec<String> = columns
                .iter()
                .map(|layout| self.words(sdk, *layout))
                .collect();
            table += &format!("| {} | {version} | {} |\n", sdk.name, cells.join(" | "));
        }
        table
    }

    fn words(&self, sdk: &Sdk, layout: Layout) -> String {
        let Some(cell) = self.cells.get(&(sdk.pod, layout)) else {
            return "–".to_owned();
        };
        if self.judge(sdk, layout).is_err() {
            return "fails".to_owned();
        }
        match self.rereads(cell) {
            Ok(true) => "reads again".to_owned(),
            Ok(false) => "restart".to_owned(),
            Err(_) => "fails".to_owned(),
        }
    }

    /// Whether the page says the same.
    pub fn is_in_the_docs(&self) -> Result<()> {
        let page = std::fs::read_to_string(page())?;
        let written = page
            .split_once(BEGIN)
            .and_then(|(_, rest)| rest.split_once(END));
        let (written, _) = written.context("docs/sdks.md has no place for the table")?;
        let table = self.table();
        ensure!(
            written.trim() == table.trim(),
            "docs/sdks.md says something else; UPDATE_DOCS=1 cargo test --test conformance writes\n{table}"
        );
        Ok(())
    }

    /// Writes it into the page.
    pub fn write(&self) -> Result<()> {
        let path = page();
        let page = std::fs::read_to_string(&path)?;
        let (before, rest) = page.split_once(BEGIN).context("no place for the table")?;
        let (_, after) = rest.split_once(END).context("no end of the table")?;
        let page = format!("{before}{BEGIN}\n{}\n{END}{after}", self.table());
        Ok(std::fs::write(path, page)?)
    }
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sdks.md")
}

fn accepted(answer: &Answer) -> Result<()> {
    let known = answer
        .arn
        .as_ref()
        .is_some_and(|arn| arn.ends_with(":user/orders"));
    ensure!(known, "STS did not know it: {answer:?}");
    Ok(())
}
