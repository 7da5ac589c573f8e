//! The series of each watch.

use std::time::Duration;

use anyhow::{Result, ensure};
use static_aws_credentials::ops::metrics::Metrics;

use crate::metrics::counts::value;

#[tokio::test(start_paused = true)]
async fn the_age_of_each_watch_is_told_for_as_long_as_it_is_open() -> Result<()> {
    let metrics = Metrics::default();
    let name = "staticawscredentials_watch_age_seconds";
    let (one, other) = (
        metrics.watches.open("Secret", Some("a")),
        metrics.watches.open("Secret", Some("b")),
    );
    tokio::time::advance(Duration::from_secs(30)).await;
    one.now();
    tokio::time::advance(Duration::from_secs(5)).await;
    let age = |scope| value(&metrics, name, &[("kind", "Secret"), ("scope", scope)]);
    ensure!(age("a")? == 5.0 && age("b")? == 35.0);
    drop(other);
    ensure!(age("a")? == 5.0 && age("b").is_err());
    drop(one);
    ensure!(value(&metrics, name, &[]).is_err());
    Ok(())
}

#[tokio::test]
async fn each_watch_has_the_version_up_to_which_it_was_processed() -> Result<()> {
    let metrics = Metrics::default();
    let name = "staticawscredentials_watch_resource_version";
    let one = metrics.watches.open("Secret", Some("shop"));
    let all = metrics.watches.open("Secret", None);
    one.processed("17");
    all.processed("4");
    let of = |namespace| value(&metrics, name, &[("kind", "Secret"), ("scope", namespace)]);
    ensure!(of("shop")? == 17.0);
    ensure!(of("")? == 4.0);
    one.processed("no number");
    ensure!(of("shop")? == 17.0);
    drop(one);
    ensure!(of("shop").is_err());
    Ok(())
}
