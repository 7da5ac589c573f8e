//! The table in the documentation, between its marks.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::{plot::plot, report::Report, table::table};

const BEGIN: &str = "<!-- figures: begin -->\n";
const END: &str = "<!-- figures: end -->";

/// The page with the figures of a report; the text outside the marks stays.
pub fn renewed(page: &str, report: &Report) -> Result<String> {
    let (before, rest) = page
        .split_once(BEGIN)
        .context("the page has no begin of figures")?;
    let (_, after) = rest
        .split_once(END)
        .context("the page has no end of figures")?;
    let words = report.conditions.words();
    let table = table(&report.figures);
    Ok(format!("{before}{BEGIN}{words}\n\n{table}{END}{after}"))
}

/// Writes page, figures and plot into a directory.
pub fn write(directory: &Path, report: &Report) -> Result<()> {
    let page = directory.join("performance.md");
    let text = fs::read_to_string(&page).with_context(|| format!("no {}", page.display()))?;
    fs::write(&page, renewed(&text, report)?)?;
    report.write(&directory.join("performance.json"))?;
    Ok(fs::write(
        directory.join("performance.svg"),
        plot(&report.figures),
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs");

    fn read(name: &str) -> String {
        fs::read_to_string(Path::new(DOCS).join(name)).expect("a file of the documentation")
    }

    fn report() -> Report {
        Report::read(&Path::new(DOCS).join("performance.json")).expect("figures")
    }

    #[test]
    fn the_page_shows_the_figures_that_are_kept_beside_it() {
        let page = read("performance.md");
        let renewed = renewed(&page, &report()).expect("marks");
        assert!(
            page == renewed,
            "cargo bench-cluster --document --from docs/performance.json"
        );
    }

    #[test]
    fn the_plot_shows_them_too() {
        assert!(
            read("performance.svg") == plot(&report().figures),
            "the plot is stale"
        );
    }

    #[test]
    fn what_is_around_the_marks_stays() {
        let page = format!("# Title\n\n{BEGIN}old\n{END}\n\nmore\n");
        let renewed = renewed(&page, &report()).expect("marks");
        assert!(renewed.starts_with(&format!("# Title\n\n{BEGIN}Measured on ")));
        assert!(renewed.ends_with(&format!("|\n{END}\n\nmore\n")));
        assert!(!renewed.contains("old\n"));
    }

    #[test]
    fn a_page_without_marks_is_refused() {
        assert!(renewed("# Title\n", &report()).is_err());
        assert!(renewed(&format!("{BEGIN}\n"), &report()).is_err());
    }
}
