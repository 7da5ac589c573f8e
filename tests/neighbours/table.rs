//! The results, as a table of docs/gitops.md.

use anyhow::{Context, Result};

use crate::life::STEPS;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/gitops.md");
const BEGIN: &str = "<!-- The table: UPDATE_DOCS=1 cargo neighbours -->\n";
const END: &str = "<!-- The end of the table. -->\n";

/// Writes within 30 seconds of a step.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    pub ours: usize,
    pub theirs: usize,
}

/// Results beside one neighbour.
#[derive(Clone, Debug)]
pub struct Row {
    pub neighbour: &'static str,
    pub cells: Vec<(&'static str, Cell)>,
}

impl Row {
    pub fn new(neighbour: &'static str) -> Self {
        Self {
            neighbour,
            cells: Vec::new(),
        }
    }
}

/// Prints the table, and with `UPDATE_DOCS=1` writes it into the page. Counts differ by one or two between runs, so the
/// page is not compared.
pub fn written(rows: &[Row]) -> Result<()> {
    let table = rendered(rows);
    eprintln!("{table}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let page = std::fs::read_to_string(PAGE)?;
        let (before, rest) = page.split_once(BEGIN).context("no place for the table")?;
        let (_, after) = rest.split_once(END).context("the table does not end")?;
        std::fs::write(PAGE, format!("{before}{BEGIN}{table}{END}{after}"))?;
    }
    Ok(())
}

fn rendered(rows: &[Row]) -> String {
    let head = format!("| beside ours | {} |\n", STEPS.join(" | "));
    let line = format!("|---|{}\n", "---|".repeat(STEPS.len()));
    let rows = rows.iter().map(|row| {
        let cells = row.cells.iter();
        let cells = cells.map(|(_, Cell { ours, theirs })| format!("{ours} + {theirs}"));
        let cells: Vec<String> = cells.collect();
        format!("| {} | {} |\n", row.neighbour, cells.join(" | "))
    });
    [head, line].into_iter().chain(rows).collect()
}
