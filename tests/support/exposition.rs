//! A parser for the text of `/metrics`, and metrics with one event of every kind.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
    time::Duration,
};

use anyhow::{Context, Result};
use futures::{FutureExt, future::BoxFuture};
use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};
use static_aws_credentials::{
    api::{Published, StaticAwsCredentialsStatus},
    domain::policy::Policy,
    domain::{
        index::NamespacedName,
        pair::{KeyPair, SecretText},
        verdict::Answer,
    },
    error::Error,
    ops::metrics::{Format, Metrics},
    sts::{CallerIdentityReply, CallerIdentityRequest, Priority, Sts},
};
use tokio::time::Instant;
use tower::{Layer, Service};

#[path = "known.rs"]
pub mod known;

use known::Known;

/// The resources of the metrics, kept until the tests end.
static RESOURCES: LazyLock<Known> = LazyLock::new(Known::default);

/// A metric with all its series.
#[derive(Clone, Debug, Default)]
pub struct Family {
    pub kind: String,
    pub help: String,
    /// Names of series: one name, or several for a histogram.
    pub series: BTreeSet<String>,
    pub labels: BTreeSet<String>,
}

/// A sample: the name of the series, its labels and its value.
#[derive(Clone, Debug)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

struct Answering;

impl Sts for Answering {
    fn get_caller_identity(&self, _: CallerIdentityRequest) -> BoxFuture<'_, CallerIdentityReply> {
        let at = Instant::now();
        let answer = Answer::UnknownKey;
        async move { CallerIdentityReply { answer, at } }.boxed()
    }
}

/// Metrics of a process in which every event has happened once.
pub async fn everything() -> Result<Metrics> {
    let mut metrics = Metrics::default();
    metrics.asked(&Arc::new(Answering));
    drop(metrics.calls.awaited());
    metrics.runs.at_most(32);
    metrics.runs.begin().end(Ok(None));
    metrics.runs.begin().end(Err(&Error::Panic));
    metrics.failed(&Error::Panic);
    metrics.queue.added();
    drop(metrics.queue.started(Duration::from_millis(20)));
    metrics.queue.retried();
    let measured = metrics.calls.of(Answering);
    measured.get_caller_identity(question()).await;
    metrics.answered(&Answer::UnknownKey);
    request(&metrics).await?;
    std::mem::forget(metrics.watches.open("Secret", None));
    metrics.undecodable();
    metrics.leads("static-aws-credentials", true);
    metrics.policies.set(Policy::Fence, Some(true));
    let status = stalled();
    metrics.reported(&StaticAwsCredentialsStatus::default(), &status);
    RESOURCES.saw(&NamespacedName::new("orders", "orders"), Some(&status));
    let resources = &metrics.resources;
    resources.add(|last, most| RESOURCES.page(last, most));
    Ok(metrics)
}

/// The whole text of the metrics.
pub fn text(metrics: &Metrics, format: Format) -> String {
    metrics.pages(format).collect()
}

/// Metrics by name, parsed from the plain text.
pub fn families(text: &str) -> Result<BTreeMap<String, Family>> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.splitn(4, ' ').skip(2);
        if line.starts_with("# HELP ") {
            let (name, help) = (words.next(), words.next());
            let family = families.entry(name.context("no name")?.to_owned());
            family.or_default().help = String::from(help.context("no help")?);
        } else if line.starts_with("# TYPE ") {
            let (name, kind) = (words.next(), words.next());
            let family = families.get_mut(name.context("no name")?);
            let family = family.context("a type before its help")?;
            family.kind = String::from(kind.context("no type")?);
        }
    }
    for sample in samples(text)? {
        let suffixes = ["", "_bucket", "_sum", "_count"];
        let mut names = suffixes
            .iter()
            .filter_map(|end| sample.name.strip_suffix(end));
        let family = names.find_map(|name| families.contains_key(name).then(|| name.to_owned()));
        let family = family.and_then(|name| families.get_mut(&name));
        let family = family.with_context(|| format!("{} has no type", sample.name))?;
        family.series.insert(sample.name);
        let labels = sample.labels.into_keys().filter(|label| label != "le");
        family.labels.extend(labels);
    }
    Ok(families)
}

/// The samples of a text.
pub fn samples(text: &str) -> Result<Vec<Sample>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(sample).collect()
}

fn sample(line: &str) -> Result<Sample> {
    let (series, value) = line.rsplit_once(' ').context("no value")?;
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let labels = labels.strip_suffix('}').context("no brace")?;
    let pairs = labels.split_terminator("\",").map(|label| {
        let (label, value) = label.split_once("=\"").context("no label")?;
        Ok((label.to_owned(), value.trim_end_matches('"').to_owned()))
    });
    Ok(Sample {
        name: name.to_owned(),
        labels: pairs.collect::<Result<_>>()?,
        value: value.parse()?,
    })
}

/// A request about any pair.
pub fn question() -> CallerIdentityRequest {
    let text = |text: &str| SecretText::new(text.to_owned());
    let pair = KeyPair {
        access_key_id: text("AKIARZPUZDIKQUAIL2A3"),
        secret_access_key: text("wSecretOfTheFirstPair+wSecretOfTheFirst1"),
    };
    CallerIdentityRequest {
        namespace: "orders".to_owned(),
        pair: Arc::new(pair),
        region: "eu-west-1".to_owned(),
        endpoint: "https://sts.eu-west-1.amazonaws.com".to_owned(),
        store: None,
        priority: Priority::NewPair,
        not_before: Instant::now(),
    }
}

/// One request to an API server that answers immediately.
async fn request(metrics: &Metrics) -> Result<()> {
    let server = tower::service_fn(async |_: axum::http::Request<()>| {
        Ok::<_, std::convert::Infallible>(axum::http::Response::new(()))
    });
    let counting = metrics.requests.to(&"https://10.96.0.1:443/".parse()?);
    let mut counted = counting.layer(server);
    counted.call(axum::http::Request::new(())).await?;
    Ok(())
}

/// The status of a resource whose new pair was rejected.
pub fn stalled() -> StaticAwsCredentialsStatus {
    let condition = |kind: &str, status: &str, reason: &str| Condition {
        type_: kind.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: String::new(),
        last_transition_time: Time(Timestamp::UNIX_EPOCH),
        observed_generation: None,
    };
    StaticAwsCredentialsStatus {
        conditions: vec![
            condition("Ready", "False", "AccessKeyUnknown"),
            condition("Verified", "False", "AccessKeyUnknown"),
            condition("Published", "True", "ServingLastKnownGood"),
            condition("Stalled", "True", "AccessKeyUnknown"),
        ],
        last_verified_time: Some(Time(
            Timestamp::from_second(1_700_000_000).unwrap_or_default(),
        )),
        published: Some(Published {
            content_digest: None,
            labels_digest: None,
            credential_process_ttl_seconds: None,
            secret_name: "orders-credentials".to_owned(),
            uid: "1".to_owned(),
            resource_version: "2".to_owned(),
            key_id_suffix: "L2A3".to_owned(),
            key_digest: None,
            former_secret_names: Vec::new(),
            revision: 7,
            time: Time(Timestamp::UNIX_EPOCH),
        }),
        ..StaticAwsCredentialsStatus::default()
    }
}
