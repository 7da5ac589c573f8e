//! The results, as a verdict for each SDK and way and as the table of docs/sdks.md.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use cluster::moto::KeyPair;
use static_aws_credentials::api::Layout;

use crate::conformance::{
    follow::{self, Answers, Moments},
    pairs::Pairs,
    pods,
    running::Answer,
    scenario::At,
    sdk::{SDKS, Sdk},
    way::Way,
};

const BEGIN: &str = "<!-- The table: UPDATE_DOCS=1 cargo test --test node conformance -->\n";
const END: &str = "<!-- The end of the table -->";

/// The answers of one client.
pub struct Cell {
    /// After the first pair is published.
    pub before: Answer,
    /// After the files have the second pair, with both pairs active.
    pub both: Answer,
    /// After the first pair is deactivated.
    pub alone: Answer,
}

/// All answers.
#[derive(Default)]
pub struct Matrix {
    cells: BTreeMap<At, Cell>,
    restarted: Vec<(At, Answer)>,
    followed: BTreeMap<String, Result<(), String>>,
    /// Suffixes of the access key IDs.
    first: Pairs<String>,
    second: Pairs<String>,
}

impl Matrix {
    pub fn new(first: &Pairs<KeyPair>, second: &Pairs<KeyPair>) -> Self {
        let suffix = |pair: &KeyPair| pair.id[pair.id.len() - 4..].to_owned();
        Self {
            first: first.map(suffix),
            second: second.map(suffix),
            ..Self::default()
        }
    }

    pub fn add(&mut self, at: At, cell: Cell) {
        self.cells.insert(at, cell);
    }

    /// Adds the answers of a client that was asked every second.
    pub fn follow(&mut self, at: At, answers: &Answers, moments: &Moments) -> Result<()> {
        eprintln!(
            "conformance: {}",
            follow::summary(&at, answers, moments, self.second.of(at.1))
        );
        let judged = follow::judge(answers, moments).map_err(|error| format!("{error:#}"));
        self.followed.insert(at.0.clone(), judged);
        // A request may be answered seconds after it was sent; the next one is sent after the answer.
        let answered_before = |until: Instant| {
            let mut pairs = answers.windows(2).filter_map(|two| match two {
                [(_, answer), (next, _)] if *next < until => Some(answer),
                _ => None,
            });
            pairs.next_back().cloned()
        };
        let last = answers.last().map(|(_, answer)| answer.clone());
        let cell = Cell {
            before: answered_before(moments.rotated).context("not asked before the rotation")?,
            both: answered_before(moments.deactivated).context("not asked with both keys")?,
            alone: last.context("not asked")?,
        };
        self.add(at, cell);
        Ok(())
    }

    /// Fails if a request of a client that was asked every second failed.
    pub fn judge_followed(&self, pod: &str) -> Result<()> {
        let judged = self.followed.get(pod).context("was not asked")?;
        judged.clone().map_err(anyhow::Error::msg)
    }

    /// Sets the answers of a pod that was restarted with only the second pair active.
    pub fn restarted(&mut self, answers: Vec<(At, Answer)>) {
        self.restarted = answers;
    }

    /// Fails unless the SDK authenticated, with no failure other than that of an old pair.
    pub fn judge(&self, sdk: &Sdk, way: Way) -> Result<()> {
        let cell = self.cell(sdk, way).context("was not tried")?;
        ensure!(
            cell.before.is_accepted(),
            "with the first pair: {:?}",
            cell.before
        );
        let key = cell.before.key.as_ref();
        ensure!(
            key.is_none_or(|key| key == self.first.of(way)),
            "used another key: {:?}",
            cell.before
        );
        ensure!(
            cell.both.is_accepted(),
            "while both keys were active: {:?}",
            cell.both
        );
        self.reads_again(cell, way).map(drop)
    }

    /// Fails unless a client without a shell in its image reports a failure.
    pub fn judge_without_shell(&self, sdk: &Sdk) -> Result<()> {
        let at = (pods::alone(sdk), Way::Layout(Layout::ProcessJson));
        let cell = self.cells.get(&at).context("was not tried")?;
        ensure!(
            !cell.before.is_accepted(),
            "it has no shell and yet {:?}",
            cell.before
        );
        ensure!(
            cell.before.error.as_deref() != Some("NoAnswer"),
            "{:?}",
            cell.before
        );
        Ok(())
    }

    /// Fails unless the restarted pod used the new pair in every way.
    pub fn judge_restarted(&self) -> Result<()> {
        ensure!(!self.restarted.is_empty(), "none was started anew");
        for (at, answer) in &self.restarted {
            let key = answer.key.as_ref();
            let right = answer.is_accepted() && key.is_none_or(|key| key == self.second.of(at.1));
            ensure!(right, "{at:?}: {answer:?}");
        }
        Ok(())
    }

    /// The table in Markdown.
    pub fn table(&self) -> String {
        let ways = Way::all();
        let names = ways.iter().map(|way| match way {
            Way::Layout(layout) => format!("`{}`", layout.as_str()),
            Way::ProcessJsonExpiring => format!("`{}`, expiring", way.layout().as_str()),
        });
        let names: Vec<String> = names.collect();
        let head = format!("| | version | {} |", names.join(" | "));
        let rule = format!("|---|---|{}", "---|".repeat(names.len()));
        let rows = SDKS.iter().map(|sdk| {
            let tried = sdk.ways.iter().find_map(|way| self.cell(sdk, *way));
            let version = tried.map_or("not tried", |cell| &cell.before.sdk);
            let cells: Vec<&str> = ways.iter().map(|way| self.words(sdk, *way)).collect();
            format!("| {} | {version} | {} |", sdk.name, cells.join(" | "))
        });
        let lines: Vec<String> = [head, rule].into_iter().chain(rows).collect();
        lines.join("\n")
    }

    /// Fails unless the page has the same table.
    pub fn is_in_the_docs(&self) -> Result<()> {
        let page = std::fs::read_to_string(page())?;
        let rest = page
            .split_once(BEGIN)
            .and_then(|(_, rest)| rest.split_once(END));
        let (written, _) = rest.context("docs/sdks.md has no place for the table")?;
        ensure!(
            written.trim() == self.table().trim(),
            "docs/sdks.md says something else; UPDATE_DOCS=1 cargo test --test node conformance writes it"
        );
        Ok(())
    }

    /// Writes the table into the page.
    pub fn write(&self) -> Result<()> {
        let page_path = page();
        let page = std::fs::read_to_string(&page_path)?;
        let (before, rest) = page.split_once(BEGIN).context("no place for the table")?;
        let (_, after) = rest.split_once(END).context("no end of the table")?;
        let page = format!("{before}{BEGIN}\n{}\n{END}{after}", self.table());
        Ok(std::fs::write(page_path, page)?)
    }

    /// The client's pod with a shell has precedence.
    fn cell(&self, sdk: &Sdk, way: Way) -> Option<&Cell> {
        let with_shell = self.cells.get(&(sdk.pod.to_owned(), way));
        with_shell.or_else(|| self.cells.get(&(pods::alone(sdk), way)))
    }

    /// Whether the client switched to the new pair without a restart.
    fn reads_again(&self, cell: &Cell, way: Way) -> Result<bool> {
        let Cell { alone, .. } = cell;
        let key = alone.key.as_ref();
        match alone.error.as_deref() {
            None => {
                let new = key.is_none_or(|key| key == self.second.of(way));
                ensure!(new, "went on with a dead key: {alone:?}");
                Ok(true)
            }
            Some("InvalidClientTokenId" | "InvalidAccessKeyId") => {
                let old = key.is_none_or(|key| key == self.first.of(way));
                ensure!(old, "was refused with the new key: {alone:?}");
                Ok(false)
            }
            Some(_) => bail!("failed in another way: {alone:?}"),
        }
    }

    fn words(&self, sdk: &Sdk, way: Way) -> &'static str {
        let Some(cell) = self.cell(sdk, way) else {
            return "–";
        };
        match self
            .judge(sdk, way)
            .and_then(|()| self.reads_again(cell, way))
        {
            Ok(true) => "by itself",
            Ok(false) => "restart",
            Err(_) => "**fails**",
        }
    }
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sdks.md")
}
