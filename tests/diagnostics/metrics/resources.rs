//! Gauges of single resources: their values, their removal, and their cost.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use static_aws_credentials::{
    api::StaticAwsCredentialsStatus,
    domain::index::NamespacedName,
    ops::metrics::{Format, Metrics, Summary},
};

use crate::exposition::{Sample, known::Known, samples, stalled, text};

fn known(metrics: &Metrics) -> Arc<Known> {
    let known = Arc::new(Known::default());
    let listed = Arc::downgrade(&known);
    metrics.resources.add(move |last, most| {
        let known = listed.upgrade();
        let page = known.map(|known| known.page(last, most));
        page.unwrap_or_default()
    });
    known
}

fn of_resources(metrics: &Metrics) -> Result<Vec<Sample>> {
    let all = samples(&text(metrics, Format::Open))?.into_iter();
    Ok(all
        .filter(|sample| sample.labels.contains_key("namespace"))
        .collect())
}

fn words(samples: &[Sample]) -> Vec<String> {
    let word = |sample: &Sample| {
        let name = sample.name.trim_start_matches("staticawscredentials_");
        let labels: Vec<&str> = sample.labels.values().map(String::as_str).collect();
        format!("{name} {} {}", labels.join(" "), sample.value)
    };
    samples.iter().map(word).collect()
}

#[test]
fn a_resource_is_told_by_its_conditions_and_by_what_is_wrong() -> Result<()> {
    let metrics = Metrics::default();
    let known = known(&metrics);
    known.saw(&NamespacedName::new("orders", "s3"), Some(&stalled()));
    let series = words(&of_resources(&metrics)?);
    let expected = [
        "status_condition s3 orders False Ready 1",
        "status_condition s3 orders False Verified 1",
        "status_condition s3 orders True Published 1",
        "status_condition s3 orders True Stalled 1",
        "status_reason s3 orders AccessKeyUnknown Ready 1",
        "status_reason s3 orders AccessKeyUnknown Verified 1",
        "status_reason s3 orders ServingLastKnownGood Published 1",
        "last_verified_timestamp_seconds s3 orders 1700000000",
        "published_revision s3 orders 7",
    ];
    ensure!(series == expected, "{series:#?}");
    Ok(())
}

#[test]
fn where_all_is_well_no_reason_is_told() -> Result<()> {
    let metrics = Metrics::default();
    let known = known(&metrics);
    let mut status = stalled();
    let reasons = ["Published", "IdentityVerified", "Published"];
    for (condition, reason) in status.conditions.iter_mut().zip(reasons) {
        condition.status = "True".to_owned();
        condition.reason = reason.to_owned();
    }
    status.conditions.truncate(3);
    known.saw(&NamespacedName::new("orders", "s3"), Some(&status));
    let series = words(&of_resources(&metrics)?);
    ensure!(series.len() == 5, "{series:#?}");
    ensure!(!series.iter().any(|line| line.starts_with("status_reason")));
    Ok(())
}

#[test]
fn a_resource_without_a_status_has_no_series() -> Result<()> {
    let metrics = Metrics::default();
    let known = known(&metrics);
    known.saw(&NamespacedName::new("orders", "s3"), None);
    ensure!(of_resources(&metrics)?.is_empty());
    ensure!(Summary::of(&StaticAwsCredentialsStatus::default()) == Summary::default());
    Ok(())
}

#[test]
fn series_go_when_the_resource_goes_and_when_its_scope_goes() -> Result<()> {
    let metrics = Metrics::default();
    let (orders, billing) = (known(&metrics), known(&metrics));
    orders.saw(&NamespacedName::new("orders", "s3"), Some(&stalled()));
    orders.saw(&NamespacedName::new("orders", "sqs"), Some(&stalled()));
    billing.saw(&NamespacedName::new("billing", "s3"), Some(&stalled()));
    ensure!(of_resources(&metrics)?.len() == 27);
    orders.gone(&NamespacedName::new("orders", "s3"));
    ensure!(of_resources(&metrics)?.len() == 18);
    drop(billing);
    let left = of_resources(&metrics)?;
    ensure!(
        left.iter().all(|sample| sample.labels["name"] == "sqs"),
        "{left:?}"
    );
    Ok(())
}

/// Another replica may have changed the resource since; an alert on the former state would be wrong.
#[tokio::test(start_paused = true)]
async fn series_go_while_the_watch_is_silent_for_long() -> Result<()> {
    let metrics = Metrics::default();
    let (orders, billing) = (known(&metrics), known(&metrics));
    let watches = ["orders", "billing"].map(|namespace| {
        metrics
            .watches
            .open("StaticAwsCredentials", Some(namespace))
    });
    let [of_orders, of_billing] = &watches;
    orders.follows(Arc::clone(of_orders));
    billing.follows(Arc::clone(of_billing));
    orders.saw(&NamespacedName::new("orders", "s3"), Some(&stalled()));
    billing.saw(&NamespacedName::new("billing", "s3"), Some(&stalled()));
    tokio::time::advance(Duration::from_secs(899)).await;
    ensure!(of_resources(&metrics)?.len() == 18);
    of_orders.now();
    tokio::time::advance(Duration::from_secs(1)).await;
    let left = of_resources(&metrics)?;
    let is_of_orders = |sample: &Sample| sample.labels["namespace"] == "orders";
    ensure!(left.len() == 9 && left.iter().all(is_of_orders), "{left:?}");
    of_billing.now();
    ensure!(of_resources(&metrics)?.len() == 18);
    Ok(())
}

#[test]
fn a_family_stays_together_over_all_pages_and_scopes() -> Result<()> {
    let metrics = Metrics::default();
    let scopes = [known(&metrics), known(&metrics)];
    for (number, scope) in scopes.iter().enumerate() {
        for resource in 0..1_250 {
            let key = NamespacedName::new(&format!("n{number}"), &format!("r{resource}"));
            scope.saw(&key, Some(&stalled()));
        }
    }
    let all = of_resources(&metrics)?;
    ensure!(all.len() == 2 * 1_250 * 9, "{}", all.len());
    let mut names: Vec<&str> = all.iter().map(|sample| sample.name.as_str()).collect();
    names.dedup();
    ensure!(names.len() == 4, "{names:?}");
    let text = text(&metrics, Format::Open);
    for name in names {
        let heads = text.matches(&format!("# TYPE {name} gauge")).count();
        ensure!(heads == 1, "{heads} heads of {name}");
    }
    Ok(())
}

/// Ten thousand resources make 45,000 lines. As one text, 64 clients would hold it 64 times.
#[test]
fn no_piece_is_large() -> Result<()> {
    let metrics = Metrics::default();
    let known = known(&metrics);
    for resource in 0..10_000 {
        let name = format!("a-rather-long-name-of-a-resource-{resource}");
        known.saw(
            &NamespacedName::new("a-rather-long-namespace", &name),
            Some(&stalled()),
        );
    }
    let sizes: Vec<usize> = metrics.pages(Format::Open).map(|page| page.len()).collect();
    let (largest, all) = (sizes.iter().max().copied(), sizes.iter().sum::<usize>());
    ensure!(
        largest.is_some_and(|largest| largest < 512 * 1024),
        "{largest:?}"
    );
    ensure!(all > 8 << 20, "{all}");
    ensure!(size_of::<Summary>() <= 24, "{}", size_of::<Summary>());
    Ok(())
}
