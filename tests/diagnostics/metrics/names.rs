//! Names and labels that dashboards rely on, and the bound on the number of series.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use static_aws_credentials::ops::metrics::Format;

use crate::exposition::{everything, families, samples, text};

/// Names and labels of controller-runtime and client-go: `internal/controller/metrics`,
/// `internal/metrics/workqueue.go`, `metrics/leaderelection.go`, `metrics/client_go_adapter.go`.
const KNOWN: [(&str, &str, &[&str]); 17] = [
    (
        "controller_runtime_reconcile_total",
        "counter",
        &["controller", "result"],
    ),
    (
        "controller_runtime_reconcile_errors_total",
        "counter",
        &["controller"],
    ),
    (
        "controller_runtime_reconcile_panics_total",
        "counter",
        &["controller"],
    ),
    (
        "controller_runtime_terminal_reconcile_errors_total",
        "counter",
        &["controller"],
    ),
    (
        "controller_runtime_reconcile_time_seconds",
        "histogram",
        &["controller"],
    ),
    (
        "controller_runtime_max_concurrent_reconciles",
        "gauge",
        &["controller"],
    ),
    (
        "controller_runtime_active_workers",
        "gauge",
        &["controller"],
    ),
    ("workqueue_depth", "gauge", &["controller", "name"]),
    ("workqueue_adds_total", "counter", &["controller", "name"]),
    (
        "workqueue_queue_duration_seconds",
        "histogram",
        &["controller", "name"],
    ),
    (
        "workqueue_work_duration_seconds",
        "histogram",
        &["controller", "name"],
    ),
    (
        "workqueue_retries_total",
        "counter",
        &["controller", "name"],
    ),
    (
        "workqueue_unfinished_work_seconds",
        "gauge",
        &["controller", "name"],
    ),
    (
        "workqueue_longest_running_processor_seconds",
        "gauge",
        &["controller", "name"],
    ),
    ("leader_election_master_status", "gauge", &["name"]),
    (
        "rest_client_requests_total",
        "counter",
        &["code", "host", "method"],
    ),
    ("process_cpu_seconds_total", "counter", &[]),
];

/// Labels that may hold names of resources.
const NAMING: [&str; 2] = ["name", "namespace"];

#[tokio::test]
async fn those_of_other_controllers_have_their_types_and_labels() -> Result<()> {
    let families = families(&text(&everything().await?, Format::Plain))?;
    for (name, kind, labels) in KNOWN {
        let family = families.get(name).with_context(|| name.to_owned())?;
        ensure!(family.kind == kind, "{name} is a {}", family.kind);
        let expected: BTreeSet<String> = labels.iter().map(|label| (*label).to_owned()).collect();
        ensure!(family.labels == expected, "{name}: {:?}", family.labels);
    }
    for name in [
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_start_time_seconds",
    ] {
        ensure!(families[name].kind == "gauge", "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn every_metric_has_a_series_once_everything_happened() -> Result<()> {
    let families = families(&text(&everything().await?, Format::Plain))?;
    for (name, family) in &families {
        ensure!(!family.series.is_empty(), "{name} never has a series");
        ensure!(family.help.ends_with('.'), "{name}: {}", family.help);
    }
    ensure!(families.len() > 35, "{}", families.len());
    Ok(())
}

#[tokio::test]
async fn results_and_verdicts_are_there_before_the_first() -> Result<()> {
    let metrics = static_aws_credentials::ops::metrics::Metrics::default();
    let samples = samples(&text(&metrics, Format::Plain))?;
    let results = samples
        .iter()
        .filter(|sample| sample.name == "controller_runtime_reconcile_total");
    let results: BTreeSet<&str> = results
        .map(|sample| sample.labels["result"].as_str())
        .collect();
    let all = ["error", "requeue", "requeue_after", "success"];
    ensure!(results == BTreeSet::from(all), "{results:?}");
    let verdicts = samples.iter().filter(|sample| {
        sample.name == "staticawscredentials_verdicts_total" && sample.value == 0.0
    });
    ensure!(verdicts.count() > 50);
    Ok(())
}

/// Names of resources are unbounded labels, except on a gauge that is removed with its resource.
#[tokio::test]
async fn resources_are_named_in_gauges_of_their_own_alone() -> Result<()> {
    let families = families(&text(&everything().await?, Format::Plain))?;
    for (name, family) in &families {
        let naming = family.labels.contains("namespace");
        let own = [
            "staticawscredentials_status_",
            "staticawscredentials_last_verified_",
            "staticawscredentials_published_revision",
        ];
        let expected = own.iter().any(|prefix| name.starts_with(prefix));
        ensure!(naming == expected, "{name}: {:?}", family.labels);
        ensure!(!naming || family.kind == "gauge", "{name}");
        let named = NAMING.iter().all(|label| family.labels.contains(*label));
        ensure!(!naming || named, "{name}");
    }
    Ok(())
}

#[tokio::test]
async fn of_key_material_there_is_nothing() -> Result<()> {
    for format in [Format::Plain, Format::Open] {
        let text = text(&everything().await?, format);
        for word in ["AKIA", "L2A3", "wSecret", "123456789012"] {
            ensure!(!text.contains(word), "{word}");
        }
    }
    Ok(())
}
