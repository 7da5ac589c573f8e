//! The event that each counter counts.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use static_aws_credentials::{
    api::StaticAwsCredentialsStatus,
    domain::index::{Index, NamespacedName, References},
    domain::policy::Policy,
    error::Error,
    ops::metrics::{Format, Metrics},
};

use crate::exposition::{everything, samples, stalled, text};

/// The only value of a series that has these labels among others.
pub fn value(metrics: &Metrics, name: &str, labels: &[(&str, &str)]) -> Result<f64> {
    let samples = samples(&text(metrics, Format::Plain))?;
    let has = |(label, value): &(&str, &str), sample: &crate::exposition::Sample| {
        sample.labels.get(*label).is_some_and(|is| is == value)
    };
    let mut found = samples
        .iter()
        .filter(|sample| sample.name == name && labels.iter().all(|label| has(label, sample)));
    let first = found
        .next()
        .with_context(|| format!("no {name}{labels:?}"))?;
    ensure!(found.next().is_none(), "several {name}{labels:?}");
    Ok(first.value)
}

#[test]
fn a_run_is_counted_by_how_it_ended() -> Result<()> {
    let metrics = Metrics::default();
    let pause = Duration::from_hours(1);
    let conflict = || {
        let status = kube::core::Status::failure("changed", "Conflict").with_code(409);
        Error::WriteStatus(Box::new(kube::Error::Api(status.boxed())))
    };
    metrics.runs.begin().end(Ok(None));
    metrics.runs.begin().end(Ok(Some(pause)));
    metrics.runs.begin().end(Ok(Some(pause)));
    metrics.runs.begin().end(Err(&conflict()));
    metrics.runs.begin().end(Err(&Error::Deadline(pause)));
    metrics.runs.begin().end(Err(&Error::Panic));
    metrics.runs.terminal();
    let counts = [
        ("success", 1.0),
        ("requeue_after", 2.0),
        ("requeue", 1.0),
        ("error", 2.0),
    ];
    for (result, count) in counts {
        let name = "controller_runtime_reconcile_total";
        ensure!(
            value(&metrics, name, &[("result", result)])? == count,
            "{result}"
        );
    }
    let all = [
        ("controller_runtime_reconcile_errors_total", 2.0),
        ("controller_runtime_reconcile_panics_total", 1.0),
        ("controller_runtime_terminal_reconcile_errors_total", 1.0),
        ("controller_runtime_reconcile_time_seconds_count", 6.0),
    ];
    for (name, count) in all {
        ensure!(value(&metrics, name, &[])? == count, "{name}");
    }
    Ok(())
}

#[test]
fn a_run_is_active_until_it_ends_or_is_cut_off() -> Result<()> {
    let metrics = Metrics::default();
    let name = "controller_runtime_active_workers";
    let (one, other) = (metrics.runs.begin(), metrics.runs.begin());
    ensure!(value(&metrics, name, &[])? == 2.0);
    one.end(Ok(None));
    ensure!(value(&metrics, name, &[])? == 1.0);
    drop(other);
    ensure!(value(&metrics, name, &[])? == 0.0);
    let count = "controller_runtime_reconcile_time_seconds_count";
    ensure!(value(&metrics, count, &[])? == 1.0);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn the_queue_tells_how_long_things_wait_and_are_worked_on() -> Result<()> {
    let metrics = Metrics::default();
    let queue = &metrics.queue;
    for _ in 0..3 {
        queue.added();
    }
    ensure!(value(&metrics, "workqueue_depth", &[])? == 3.0);
    queue.removed();
    let old = queue.started(Duration::from_secs(2));
    tokio::time::advance(Duration::from_secs(10)).await;
    let young = queue.started(Duration::from_secs(12));
    tokio::time::advance(Duration::from_secs(5)).await;
    let figures = [
        ("workqueue_depth", 0.0),
        ("workqueue_adds_total", 3.0),
        ("workqueue_queue_duration_seconds_sum", 14.0),
        ("workqueue_queue_duration_seconds_count", 2.0),
        ("workqueue_unfinished_work_seconds", 20.0),
        ("workqueue_longest_running_processor_seconds", 15.0),
        ("workqueue_work_duration_seconds_count", 0.0),
    ];
    for (name, expected) in figures {
        let is = value(&metrics, name, &[])?;
        ensure!(is == expected, "{name} is {is}");
    }
    drop(old);
    queue.retried();
    let figures = [
        ("workqueue_unfinished_work_seconds", 5.0),
        ("workqueue_longest_running_processor_seconds", 5.0),
        ("workqueue_work_duration_seconds_sum", 15.0),
        ("workqueue_retries_total", 1.0),
    ];
    for (name, expected) in figures {
        let is = value(&metrics, name, &[])?;
        ensure!(is == expected, "{name} is {is}");
    }
    drop(young);
    let none = "workqueue_longest_running_processor_seconds";
    ensure!(value(&metrics, none, &[])? == 0.0);
    Ok(())
}

#[tokio::test]
async fn requests_are_counted_by_answer_method_and_host() -> Result<()> {
    let metrics = everything().await?;
    let labels = [
        ("code", "200"),
        ("method", "GET"),
        ("host", "10.96.0.1:443"),
    ];
    ensure!(value(&metrics, "rest_client_requests_total", &labels)? == 1.0);
    Ok(())
}

#[tokio::test]
async fn a_request_without_an_answer_is_counted_as_client_go_does() -> Result<()> {
    use tower::{Layer, Service};
    let metrics = Metrics::default();
    let server = tower::service_fn(async |_: axum::http::Request<()>| {
        Err::<axum::http::Response<()>, _>(std::io::Error::other("gone"))
    });
    let mut counted = metrics
        .requests
        .to(&"https://api:6443".parse()?)
        .layer(server);
    let request = axum::http::Request::put("/x").body(())?;
    ensure!(counted.call(request).await.is_err());
    let labels = [("code", "<error>"), ("method", "PUT"), ("host", "api:6443")];
    ensure!(value(&metrics, "rest_client_requests_total", &labels)? == 1.0);
    Ok(())
}

#[test]
fn a_verdict_is_counted_once_however_often_its_status_is_written() -> Result<()> {
    let metrics = Metrics::default();
    let (none, stalled) = (StaticAwsCredentialsStatus::default(), stalled());
    metrics.reported(&none, &stalled);
    metrics.reported(&stalled, &stalled);
    let verdicts = "staticawscredentials_verdicts_total";
    let refused = [("reason", "AccessKeyUnknown")];
    ensure!(value(&metrics, verdicts, &refused)? == 1.0);
    ensure!(value(&metrics, "staticawscredentials_publications_total", &[])? == 1.0);
    // The same verdict again, by a later verification.
    let mut later = stalled.clone();
    later.last_verified_time = None;
    metrics.reported(&stalled, &later);
    ensure!(value(&metrics, verdicts, &refused)? == 2.0);
    ensure!(value(&metrics, "staticawscredentials_publications_total", &[])? == 1.0);
    Ok(())
}

#[test]
fn a_mass_rejection_is_counted_when_it_begins() -> Result<()> {
    let metrics = Metrics::default();
    let (before, mut mass) = (stalled(), stalled());
    mass.conditions[1].reason = "MassRejection".to_owned();
    metrics.reported(&before, &mass);
    metrics.reported(&mass, &mass);
    let name = "staticawscredentials_mass_rejections_total";
    ensure!(value(&metrics, name, &[])? == 1.0);
    Ok(())
}

#[test]
fn the_process_is_measured() -> Result<()> {
    let metrics = Metrics::default();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let started = value(&metrics, "process_start_time_seconds", &[])?;
    let age = now.as_secs_f64() - started;
    ensure!((-2.0..86_400.0).contains(&age), "{age} s old");
    let resident = value(&metrics, "process_resident_memory_bytes", &[])?;
    ensure!((1e6..1e9).contains(&resident), "{resident}");
    let open = value(&metrics, "process_open_fds", &[])?;
    let most = value(&metrics, "process_max_fds", &[])?;
    ensure!((3.0..most).contains(&open), "{open} of {most}");
    let busy = value(&metrics, "process_cpu_seconds_total", &[])?;
    ensure!((0.0..age.max(10.0) * 1000.0).contains(&busy), "{busy}");
    let files: Vec<std::fs::File> = (0..50)
        .map(|_| std::fs::File::open("/proc/self/stat"))
        .collect::<Result<_, _>>()?;
    let more = value(&metrics, "process_open_fds", &[])?;
    ensure!(more >= open + 25.0, "{open}, then {more}");
    drop(files);
    Ok(())
}

#[test]
fn tracked_secrets_are_those_of_all_scopes_at_the_scrape() -> Result<()> {
    let metrics = Metrics::default();
    let name = "staticawscredentials_tracked_secrets";
    let scopes = [
        Arc::<Mutex<Index>>::default(),
        Arc::<Mutex<Index>>::default(),
    ];
    for scope in &scopes {
        metrics.indexes.add(scope);
    }
    ensure!(value(&metrics, name, &[])? == 0.0);
    for (number, scope) in scopes.iter().enumerate() {
        let key = NamespacedName::new(&format!("shop-{number}"), "orders");
        let mentions = References {
            uid: format!("uid-{number}").into(),
            created: 1,
            source: "pair".into(),
            target: "orders-credentials".into(),
            published: None,
        };
        let mut index = scope.lock().map_err(|_| anyhow::anyhow!("poisoned"))?;
        index.apply_resource(&key, mentions);
        drop(index);
        let all = [2.0, 4.0][number];
        ensure!(value(&metrics, name, &[])? == all, "{number}");
    }
    drop(scopes);
    ensure!(value(&metrics, name, &[])? == 0.0);
    Ok(())
}

#[test]
fn a_policy_of_which_nothing_is_known_has_no_series() -> Result<()> {
    let metrics = Metrics::default();
    let name = "staticawscredentials_policy_enforced";
    let shown = || -> Result<Vec<f64>> {
        let samples = samples(&text(&metrics, Format::Plain))?;
        let ours = samples.iter().filter(|sample| sample.name == name);
        Ok(ours.map(|sample| sample.value).collect())
    };
    ensure!(shown()?.is_empty(), "nothing was looked at");
    metrics.policies.set(Policy::Fence, Some(true));
    metrics.policies.set(Policy::Status, Some(false));
    ensure!(shown()?.iter().sum::<f64>() == 1.0 && shown()?.len() == 2);
    metrics.policies.set(Policy::Status, None);
    ensure!(shown()? == [1.0]);
    Ok(())
}
