//! The two text formats: their common content, and the findings of promtool.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use cluster::tools::promtool;
use static_aws_credentials::ops::metrics::Format;

use crate::exposition::{everything, samples, text};

const PROMETHEUS: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;\
    version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

#[test]
fn prometheus_gets_open_metrics_and_everybody_else_the_plain_text() {
    assert_eq!(Format::accepted(Some(PROMETHEUS)), Format::Open);
    for other in [
        None,
        Some("*/*"),
        Some("text/plain;version=0.0.4"),
        Some(""),
    ] {
        assert_eq!(Format::accepted(other), Format::Plain, "{other:?}");
    }
    assert!(
        Format::Open
            .content_type()
            .starts_with("application/openmetrics-text")
    );
    assert!(Format::Plain.content_type().starts_with("text/plain"));
}

#[tokio::test]
async fn both_tell_of_the_same_series() -> Result<()> {
    let metrics = everything().await?;
    let [open, plain] = [Format::Open, Format::Plain].map(|format| text(&metrics, format));
    let names = |text: &str| -> Result<Vec<String>> {
        let series = samples(text)?.into_iter();
        Ok(series
            .map(|one| format!("{} {:?}", one.name, one.labels))
            .collect())
    };
    ensure!(names(&open)? == names(&plain)?);
    ensure!(open.ends_with("\n# EOF\n"), "OpenMetrics has an end");
    ensure!(!plain.contains("# EOF"), "the plain text has none");
    Ok(())
}

#[tokio::test]
async fn a_counter_is_described_by_its_whole_name_in_the_plain_text_alone() -> Result<()> {
    let metrics = everything().await?;
    let [open, plain] = [Format::Open, Format::Plain].map(|format| text(&metrics, format));
    ensure!(open.contains("\n# TYPE workqueue_adds counter\n"), "{open}");
    ensure!(
        plain.contains("\n# TYPE workqueue_adds_total counter\n"),
        "{plain}"
    );
    ensure!(
        plain.contains("\n# HELP workqueue_adds_total Resources"),
        "{plain}"
    );
    for gauge in ["\n# TYPE workqueue_depth gauge\n", "\nworkqueue_depth{"] {
        ensure!(open.contains(gauge) && plain.contains(gauge), "{gauge}");
    }
    Ok(())
}

#[tokio::test]
async fn promtool_finds_nothing_wrong() -> Result<()> {
    let plain = text(&everything().await?, Format::Plain);
    let (said, good) = lint(&plain)?;
    ensure!(good && said.is_empty(), "{said}");
    // Counter-check: promtool reports a bad name.
    let (said, good) = lint(&plain.replace("workqueue_adds_total", "workqueueAdds"))?;
    ensure!(!good && said.contains("workqueueAdds"), "{said}");
    Ok(())
}

fn lint(text: &str) -> Result<(String, bool)> {
    let mut child = Command::new(promtool()?)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("promtool does not start")?;
    let mut input = child.stdin.take().context("no pipe")?;
    input.write_all(text.as_bytes())?;
    drop(input);
    let output = child.wait_with_output()?;
    let words = [output.stdout, output.stderr].concat();
    let words = String::from_utf8_lossy(&words).into_owned();
    Ok((words, output.status.success()))
}
