//! The dashboard: it queries existing metrics, in expressions that Prometheus accepts.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use cluster::{
    binaries::go_binary,
    tools::{Tool, promtool},
};
use serde_json::{Value, json};

use super::{
    promql,
    render::{CHART, NEWEST, objects, set},
};

#[test]
fn the_config_map_holds_it_unchanged() -> Result<()> {
    let values = set(&["metrics.dashboard.enabled=true"]);
    let all = objects(Tool::Helm4, NEWEST, &values)?;
    let mut maps = all.iter().filter(|object| object["kind"] == "ConfigMap");
    let map = maps.next().context("no ConfigMap")?;
    ensure!(
        map["metadata"]["labels"]["grafana_dashboard"] == "1",
        "{}",
        map["metadata"]
    );
    let text = map["data"]["static-aws-credentials.json"].as_str();
    let rendered: Value = serde_json::from_str(text.context("no dashboard")?)?;
    ensure!(rendered == dashboard()?);
    Ok(())
}

#[tokio::test]
async fn every_metric_in_it_exists() -> Result<()> {
    let series = promql::series().await?;
    let mut seen = BTreeSet::new();
    for (title, expression) in expressions()? {
        let names = promql::names(&expression);
        ensure!(!names.is_empty(), "{title}: {expression}");
        for name in names {
            ensure!(series.contains(&name), "{title}: {name}");
            seen.insert(name);
        }
    }
    let dashboard = dashboard()?;
    for variable in dashboard["templating"]["list"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let query = variable["query"]["query"].as_str().unwrap_or_default();
        for name in promql::names(query) {
            ensure!(series.contains(&name), "a variable: {name}");
        }
    }
    ensure!(seen.len() > 20, "{seen:?}");
    Ok(())
}

#[test]
fn prometheus_can_read_every_expression() -> Result<()> {
    let rules: Vec<Value> = expressions()?
        .iter()
        .enumerate()
        .map(|(number, (_, expression))| {
            let expression = expression.replace("$__rate_interval", "5m");
            json!({ "record": format!("panel:{number}"), "expr": expression })
        })
        .collect();
    let groups = json!({ "groups": [{ "name": "panels", "rules": rules }] });
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), groups.to_string())?;
    let mut command = Command::new(promtool()?);
    let output = command.args(["check", "rules"]).arg(file.path()).output()?;
    let words = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    ensure!(output.status.success(), "{words}");
    Ok(())
}

#[test]
fn panels_do_not_overlap_and_have_what_grafana_needs() -> Result<()> {
    let dashboard = dashboard()?;
    let panels = dashboard["panels"].as_array().context("no panels")?;
    let mut taken = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in panels {
        let title = panel["title"].as_str().context("no title")?;
        ensure!(
            ids.insert(panel["id"].as_u64().context("no id")?),
            "{title}"
        );
        let place = |key: &str| panel["gridPos"][key].as_u64().context("no place");
        let (left, top) = (place("x")?, place("y")?);
        ensure!(left + place("w")? <= 24, "{title} is too wide");
        for x in left..left + place("w")? {
            for y in top..top + place("h")? {
                ensure!(taken.insert((x, y)), "{title} overlaps");
            }
        }
        let source = &panel["datasource"]["uid"];
        ensure!(
            panel["type"] == "row" || source == "${datasource}",
            "{title}: {source}"
        );
    }
    ensure!(panels.len() > 20, "{} panels", panels.len());
    Ok(())
}

#[test]
fn the_types_of_grafana_accept_every_field() -> Result<()> {
    let program = grafana()?;
    let file = format!("{CHART}/files/dashboard.json");
    let (is_read, report) = read_by(&program, Path::new(&file))?;
    ensure!(is_read, "{report}");

    let changed = tempfile::NamedTempFile::new()?;
    for (path, found) in [
        ("/panels/1/options", "unexpected field 'unknown'"),
        ("/panels/8/options/legend", "unexpected field 'unknown'"),
    ] {
        let mut dashboard = dashboard()?;
        let place = dashboard.pointer_mut(path).context(path)?;
        place["unknown"] = json!(true);
        fs::write(changed.path(), dashboard.to_string())?;
        let (is_read, report) = read_by(&program, changed.path())?;
        ensure!(!is_read && report.contains(found), "{path}: {report}");
    }
    Ok(())
}

/// A program with Grafana's own types.
fn grafana() -> Result<PathBuf> {
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repository/chart/grafana");
    go_binary(&module, ".", "grafana", 20)
}

fn read_by(program: &Path, file: &Path) -> Result<(bool, String)> {
    let output = Command::new(program).arg(file).output()?;
    let report = String::from_utf8(output.stdout)?;
    Ok((output.status.success(), report))
}

fn dashboard() -> Result<Value> {
    let text = fs::read_to_string(format!("{CHART}/files/dashboard.json"))?;
    Ok(serde_json::from_str(&text)?)
}

/// The title of each panel with each of its expressions.
fn expressions() -> Result<Vec<(String, String)>> {
    let dashboard = dashboard()?;
    let mut found = Vec::new();
    for panel in dashboard["panels"].as_array().into_iter().flatten() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let title = panel["title"].as_str().context("no title")?;
            let expression = target["expr"].as_str().context("no expression")?;
            found.push((title.to_owned(), expression.to_owned()));
        }
    }
    ensure!(found.len() > 25, "{} expressions", found.len());
    Ok(found)
}
