//! The results, as a table of docs/install.md.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use cluster::binaries::Release;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/install.md");
const BEGIN: &str = "<!-- kubernetes-versions: begin -->\n";
const END: &str = "<!-- kubernetes-versions: end -->\n";

/// The suites of `api_server`, and what the table calls them.
pub const SUITES: [(&str, &str); 6] = [
    ("crd", "definition"),
    ("check", "`check`"),
    ("gitops", "GitOps"),
    ("policies", "policies"),
    ("multi_install", "several releases"),
    ("min_kubernetes", "install and run"),
];

/// The tests of one suite.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    pub tests: usize,
    pub failed: Vec<String>,
}

/// The results on one version.
#[derive(Clone, Debug)]
pub struct Row {
    pub minor: u32,
    /// The version with the patch.
    pub version: String,
    pub suites: Vec<Suite>,
    /// How the operator's watches began.
    pub initial_lists: Option<String>,
    /// What the tests left out, since the version lacks a feature.
    pub left_out: Vec<String>,
}

impl Row {
    /// A version on which nothing ran.
    pub fn not_run(minor: u32, reason: &str) -> Self {
        let reason = reason.replace('\n', " ");
        Self {
            minor,
            version: format!("1.{minor}"),
            suites: Vec::new(),
            initial_lists: None,
            left_out: vec![reason],
        }
    }

    pub fn has_failed(&self) -> bool {
        self.suites.iter().any(|suite| !suite.failed.is_empty())
    }

    fn line(&self) -> String {
        let mut cells = vec![self.version.clone()];
        cells.extend((0..SUITES.len()).map(|place| match self.suites.get(place) {
            None | Some(Suite { tests: 0, .. }) => "-".to_owned(),
            Some(Suite { tests: 1, failed }) if failed.is_empty() => "passed".to_owned(),
            Some(Suite { tests, failed }) if failed.is_empty() => format!("all {tests}"),
            Some(Suite { tests, failed }) => format!("{} of {tests}", tests - failed.len()),
        }));
        cells.push(self.initial_lists.clone().unwrap_or("-".to_owned()));
        let failed = self.suites.iter().flat_map(|suite| &suite.failed);
        let failed = failed.map(|test| format!("failed: `{test}`"));
        let notes: Vec<String> = failed.chain(self.left_out.iter().cloned()).collect();
        let notes = notes.join("; ").replace('|', "\\|");
        cells.push(if notes.is_empty() {
            "nothing".to_owned()
        } else {
            notes
        });
        format!("| {} |\n", cells.join(" | "))
    }
}

/// Head and rows.
pub fn rendered(rows: &[Row]) -> String {
    head() + &rows.iter().map(Row::line).collect::<String>()
}

fn head() -> String {
    let suites = SUITES.map(|(_, title)| title).join(" | ");
    let columns = SUITES.len() + 3;
    format!(
        "| Kubernetes | {suites} | initial lists | left out |\n|{}\n",
        "---|".repeat(columns)
    )
}

/// With `UPDATE_DOCS=1`, replaces the row of the same minor version in the page. Other rows stay, so that versions can
/// be run one after another; a version without a row gets one that says so.
pub fn update(row: &Row) -> Result<()> {
    if std::env::var_os("UPDATE_DOCS").is_none() {
        return Ok(());
    }
    let page = std::fs::read_to_string(PAGE)?;
    let (before, rest) = page.split_once(BEGIN).context("no place for the table")?;
    let (old, after) = rest.split_once(END).context("the table does not end")?;
    let mut rows: BTreeMap<u32, String> = old
        .lines()
        .filter_map(|line| Some((minor(line)?, format!("{line}\n"))))
        .collect();
    rows.insert(row.minor, row.line());
    for minor in Release::Floor.minor()?..=Release::Current.minor()? {
        let not_yet = || Row::not_run(minor, "not run yet").line();
        rows.entry(minor).or_insert_with(not_yet);
    }
    let rows: String = rows.into_values().collect();
    let page = format!("{before}{BEGIN}{}{rows}{END}{after}", head());
    Ok(std::fs::write(PAGE, page)?)
}

/// The minor version of a row; none of the head.
fn minor(line: &str) -> Option<u32> {
    let version = line.strip_prefix("| 1.")?;
    let numbers = version.split(['.', ' ']);
    numbers.into_iter().next()?.parse().ok()
}
