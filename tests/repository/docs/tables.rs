//! The shape of tables: a row with more or fewer cells than the head is rendered wrongly.

use anyhow::{Result, ensure};

use super::pages::pages;

#[test]
fn every_row_of_a_table_has_the_cells_of_its_head() -> Result<()> {
    let mut seen = 0;
    for page in pages()? {
        for table in page.tables() {
            let place = format!("{}: {:?}", page.path.display(), table.first());
            ensure!(table.len() > 2, "{place}: no rows");
            let rule =
                |row: &str| row.contains('-') && row.chars().all(|sign| "|-: ".contains(sign));
            ensure!(
                table.iter().position(|row| rule(row)) == Some(1),
                "{place}: the head ends elsewhere"
            );
            let columns = table.first().map_or(0, |head| cells(head));
            for row in &table {
                let found = cells(row);
                ensure!(
                    found == columns,
                    "{place}: {found} cells, not {columns}: {row}"
                );
                ensure!(row.ends_with('|'), "{place}: open: {row}");
            }
            seen += 1;
        }
    }
    ensure!(seen > 20, "tables are found: {seen}");
    Ok(())
}

/// An escaped bar is text; a bar between backticks still ends a cell.
fn cells(row: &str) -> usize {
    row.replace("\\|", "")
        .matches('|')
        .count()
        .saturating_sub(1)
}
