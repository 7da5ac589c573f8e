//! A bad rotation and an outage of AWS on the dashboard; with `UPDATE_DOCS=1` they are drawn as the picture in the
//! documentation.

use std::{env, fs, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use cluster::{shipped::DASHBOARD, sts::Answer};
use serde_json::{Value, json};

use crate::{
    harness::test_env::{PAIR, SECOND, TestCluster, TestEnv},
    matrix::{
        prometheus::Prometheus,
        svg::{Line, picture},
    },
    suite::tests,
};

tests![the_dashboard_tells_a_bad_rotation_and_an_outage_of_aws_apart];

const PICTURE: &str = "docs/dashboard.svg";
const SHOWN: [&str; 6] = [
    "Resources by state",
    "Pairs published",
    "Calls to STS by answer",
    "Verdicts by reason",
    "Requests to the API server",
    "Memory",
];
const COUNT: usize = 8;
/// A pair for which STS is unavailable at first.
const THIRD: (&str, &str) = (
    "AKIARZPUZDIKQUAIL2C5",
    "wSecretOfTheThirdPair+wSecretOfTheThird3",
);

async fn the_dashboard_tells_a_bad_rotation_and_an_outage_of_aws_apart(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    let prometheus = Prometheus::of(&env.bind).await?;
    let name = |number: usize| format!("team-{number}");
    for number in 0..COUNT {
        env.source(&name(number), PAIR).await?;
        env.resource(&name(number), &name(number), json!({}))
            .await?;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    for number in 0..COUNT {
        env.until_converged(&name(number)).await?;
    }
    let seconds = |seconds| tokio::time::sleep(Duration::from_secs(seconds));
    seconds(5).await;
    for number in 0..3 {
        env.source(&name(number), (SECOND.1, SECOND.0)).await?;
    }
    let stalled = "A person must act";
    until(&env, &prometheus, stalled, 3.0).await?;
    seconds(5).await;
    // AWS has an outage: a rotation waits, and no person has to act.
    env.sts
        .answer(THIRD.0, Answer::error(503, "ServiceUnavailable", "away"));
    for number in 5..COUNT {
        env.source(&name(number), THIRD).await?;
    }
    until(&env, &prometheus, "On an older pair", 6.0).await?;
    until(&env, &prometheus, stalled, 3.0).await?;
    seconds(10).await;
    env.accept(THIRD);
    for number in 0..3 {
        env.source(&name(number), SECOND).await?;
    }
    until(&env, &prometheus, "Ready", 8.0).await?;
    seconds(6).await;
    if env::var_os("UPDATE_DOCS").is_some() {
        draw(&prometheus).await?;
    }
    let drawn = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(PICTURE))?;
    for title in SHOWN {
        ensure!(drawn.contains(title), "{PICTURE} lacks {title}");
    }
    Ok(())
}

/// Waits until a panel with a single number shows this one.
async fn until(env: &TestEnv, prometheus: &Prometheus, title: &str, number: f64) -> Result<()> {
    let (expression, _) = panel(title)?.into_iter().next().context("no expression")?;
    env.until(&format!("{title} is {number}"), async || {
        let answer = prometheus.ask(&expression).await.unwrap_or_default();
        let shown = answer.first().map(|(_, shown)| *shown);
        Ok((shown == Some(number)).then_some(()))
    })
    .await
}

/// The expressions of a panel, and the name of each line.
fn panel(title: &str) -> Result<Vec<(String, String)>> {
    let dashboard: Value = serde_json::from_str(DASHBOARD)?;
    let mut panels = dashboard["panels"].as_array().into_iter().flatten();
    let panel = panels.find(|panel| panel["title"] == title);
    let targets = panel.with_context(|| title.to_owned())?["targets"].as_array();
    let text = |target: &Value, key: &str| target[key].as_str().unwrap_or_default().to_owned();
    let targets = targets.into_iter().flatten().map(|target| {
        let expression = text(target, "expr").replace("$__rate_interval", "8s");
        let expression = expression
            .replace("$namespace", ".*")
            .replace("$job", "operator");
        (expression, text(target, "legendFormat"))
    });
    Ok(targets.collect())
}

async fn draw(prometheus: &Prometheus) -> Result<()> {
    let mut charts = Vec::new();
    for title in SHOWN {
        let mut lines: Vec<Line> = Vec::new();
        for (expression, legend) in panel(title)? {
            for (labels, points) in prometheus.remember(&expression).await? {
                let named = labels.as_object().into_iter().flatten();
                let name = named.fold(legend.clone(), |name, (label, value)| {
                    let value = value.as_str().unwrap_or_default();
                    name.replace(&format!("{{{{{label}}}}}"), value)
                });
                let shown = points.iter().any(|(_, value)| *value > 0.0);
                lines.extend(shown.then_some((name, points)));
            }
        }
        charts.push((title, lines));
    }
    // The memory has no values before the first scrape, and all charts begin there.
    let measured = charts.last().and_then(|(_, lines)| lines.first());
    let (_, measured) = measured.context("no memory")?;
    let (from, to) = measured.first().zip(measured.last()).context("no scrape")?;
    let (from, to) = (from.0, to.0);
    for (_, points) in charts.iter_mut().flat_map(|(_, lines)| lines) {
        points.retain(|(at, _)| *at >= from);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PICTURE);
    Ok(fs::write(path, picture(&charts, from, to)?)?)
}
