//! The table of metrics, generated from metrics with one event of every kind.

use std::fmt::Write;

use anyhow::{Result, ensure};
use static_aws_credentials::ops::metrics::Format;

use super::pages::fresh;
use crate::exposition::{everything, families, text};

const PAGE: &str = "docs/metrics.md";

#[tokio::test]
async fn the_table_of_metrics_is_fresh() -> Result<()> {
    let families = families(&text(&everything().await?, Format::Plain))?;
    let mut table = "| metric | type | labels | meaning |\n|---|---|---|---|\n".to_owned();
    for (name, family) in &families {
        let labels: Vec<String> = family
            .labels
            .iter()
            .map(|label| format!("`{label}`"))
            .collect();
        let (kind, labels, help) = (&family.kind, labels.join(", "), &family.help);
        writeln!(table, "| `{name}` | {kind} | {labels} | {help} |")?;
    }
    ensure!(families.len() > 35, "{}", families.len());
    fresh(PAGE, "metrics", &table)
}
