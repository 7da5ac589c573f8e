//! Names in the documentation: flags, variables, chart values, fields, metrics, reasons.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Result, ensure};
use clap::CommandFactory;
use serde_json::Value;
use static_aws_credentials::{
    api::{ConditionType, Reason},
    cli::args::Cli,
    ops::metrics::Format,
};
use strum::VariantArray;

use super::pages::{CHART, Page, ROOT, blocks, pages};
use crate::{
    exposition::{everything, families, text},
    schema::definition::{class_nodes, nodes},
};

/// Flags of other programs in the prose, among them `cargo demo`, `cargo bench-cluster` and `credential-process`.
const FOREIGN: [&str; 19] = [
    "--delete-emptydir-data",
    "--show-only",
    "--icf",
    "--aws",
    "--keep",
    "--take-ownership",
    "--force-conflicts",
    "--wait",
    "--api-versions",
    "--set",
    "--from-literal",
    "--from-env-file",
    "--from-file",
    "--kube-version",
    "--dry-run",
    "--verify",
    "--sts-delay",
    "--pairs",
    "--ttl",
];

/// Words in CamelCase from elsewhere: kinds, and names of AWS, Mendix and others.
const WORDS: [&str; 18] = [
    "AwsCredentialsClass",
    "ListBuckets",
    "SeaweedFS",
    "StorageGRID",
    "StaticAwsCredentials",
    "CustomResourceDefinition",
    "ServiceMonitor",
    "PodMonitor",
    "PrometheusRule",
    "CredentialsRequest",
    "IfNotPresent",
    "GetCallerIdentity",
    "GetStaticCredentials",
    "SourceUnreadable",
    "ValueIsPlaceholder",
    "RuntimeDefault",
    "RollingUpdate",
    "AccessKeyId",
];

#[test]
fn every_flag_exists() -> Result<()> {
    let known = flags();
    ensure!(known.contains("--sts-endpoint") && known.contains("--offline"));
    let (mut seen, mut unknown) = (0, Vec::new());
    let mut judge = |page: &Path, text: &str| {
        let words = text.split([' ', '=', '|', '\\', ',', '(', ')']);
        for word in words.filter(|word| word.starts_with("--") && word.len() > 3) {
            seen += 1;
            if !known.contains(word) && !FOREIGN.contains(&word) {
                unknown.push(format!("{}: {word} in {text}", page.display()));
            }
        }
    };
    for page in pages()? {
        for span in page.spans() {
            // A complete command of another program has its own flags.
            if span.starts_with('-') || span.starts_with("run ") || span.starts_with("check ") {
                judge(&page.path, span);
            }
        }
    }
    for block in blocks()? {
        for line in block.text.lines() {
            if let Some((_, ours)) = line.split_once("static-aws-credentials check ") {
                judge(&block.page, ours.split('#').next().unwrap_or_default());
            }
        }
    }
    ensure!(seen > 20, "flags are found: {seen}");
    ensure!(unknown.is_empty(), "{unknown:#?}");
    Ok(())
}

#[test]
fn every_variable_exists() -> Result<()> {
    let cli = Cli::command();
    let commands = [&cli].into_iter().chain(cli.get_subcommands());
    let known: BTreeSet<String> = commands
        .flat_map(clap::Command::get_arguments)
        .filter_map(|argument| argument.get_env())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    ensure!(known.contains("AWSCREDS_BIND"), "{known:?}");
    for page in pages()? {
        for rest in page.text.split("AWSCREDS_").skip(1) {
            let name = rest.split(|sign: char| !sign.is_ascii_uppercase() && sign != '_');
            let name = format!("AWSCREDS_{}", name.into_iter().next().unwrap_or_default());
            ensure!(known.contains(&name), "{}: {name}", page.path.display());
        }
    }
    Ok(())
}

#[test]
fn every_value_of_the_chart_and_every_field_exists() -> Result<()> {
    let text = fs::read_to_string(Path::new(ROOT).join(CHART).join("values.yaml"))?;
    let values: Value = serde_saphyr::from_str(&text)?;
    let all = nodes()?.into_iter().chain(class_nodes()?);
    let fields: Vec<String> = all.map(|node| node.path).collect();
    let (mut seen, mut unknown) = (0, Vec::new());
    for page in pages()?.iter().filter(|page| describes_us(page)) {
        let mut names: Vec<&str> = page.spans();
        let blocks = page.blocks();
        let set = blocks
            .iter()
            .flat_map(|block| block.text.split("--set ").skip(1));
        names.extend(set.map(|rest| {
            rest.trim_start_matches('\'')
                .split('=')
                .next()
                .unwrap_or("")
        }));
        for name in names {
            let name = name.split([':', '=', ' ']).next().unwrap_or_default();
            let Some((first, _)) = name.split_once('.') else {
                continue;
            };
            let exists = match first {
                "spec" | "status" => fields.iter().any(|field| field == name),
                "validation" | "target" => fields.contains(&format!("spec.{name}")),
                _ if values.get(first).is_some() => is_value(&values, name),
                _ => continue,
            };
            seen += 1;
            if !exists && !FOREIGN_FIELDS.contains(&name) {
                unknown.push(format!("{}: {name}", page.path.display()));
            }
        }
    }
    ensure!(seen > 40, "names are found: {seen}");
    ensure!(unknown.is_empty(), "{unknown:#?}");
    Ok(())
}

/// Fields of pods, Flux, Argo CD and others.
const FOREIGN_FIELDS: [&str; 5] = [
    "spec.serviceAccountName",
    "spec.wait",
    "spec.volumes",
    "spec.initContainers",
    "spec.os.name",
];

#[tokio::test]
async fn every_metric_exists() -> Result<()> {
    let metrics = text(&everything().await?, Format::Plain);
    let known = families(&metrics)?;
    let series: BTreeSet<&str> = known
        .values()
        .flat_map(|family| family.series.iter().map(String::as_str))
        .collect();
    let mut seen = 0;
    for page in pages()? {
        let words = page
            .text
            .split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_');
        let prefixes = [
            "staticawscredentials_",
            "controller_runtime_",
            "leader_election_",
            "process_",
            "rest_client_",
            "workqueue_",
        ];
        for word in words.filter(|word| prefixes.iter().any(|prefix| word.starts_with(prefix))) {
            seen += 1;
            let exists = known.contains_key(word) || series.contains(word);
            ensure!(exists, "{}: {word}", page.path.display());
        }
    }
    ensure!(seen > 6, "metrics are found: {seen}");
    Ok(())
}

#[test]
fn every_reason_and_condition_exists() -> Result<()> {
    let mut known: BTreeSet<String> = Reason::VARIANTS
        .iter()
        .map(|reason| reason.as_str().to_owned())
        .collect();
    let conditions = ConditionType::VARIANTS.iter();
    known.extend(conditions.map(|kind| kind.as_str().to_owned()));
    let alerts = cluster::shipped::ALERTS;
    let names = alerts
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    known.extend(names.map(str::to_owned));
    known.extend(["Fips", "DualStack"].map(str::to_owned));
    for node in nodes()?.into_iter().chain(class_nodes()?) {
        let values = node.schema["enum"].as_array().into_iter().flatten();
        known.extend(values.filter_map(Value::as_str).map(str::to_owned));
    }
    let (mut seen, mut unknown) = (0, Vec::new());
    for page in pages()?.iter().filter(|page| describes_us(page)) {
        for span in page.spans().into_iter().filter(|span| is_camel_case(span)) {
            seen += 1;
            if !known.contains(span) && !WORDS.contains(&span) {
                unknown.push(format!("{}: {span}", page.path.display()));
            }
        }
    }
    ensure!(seen > 70, "reasons are found: {seen}");
    ensure!(unknown.is_empty(), "{unknown:#?}");
    Ok(())
}

/// The other pages also contain names of Flux, of SDKs and of pods.
fn describes_us(page: &Page) -> bool {
    let others = [
        "gitops.md",
        "sdks.md",
        "injection.md",
        "admission-policies.md",
    ];
    !others.iter().any(|name| page.path.ends_with(name))
}

/// A word that begins with a capital, with a second capital and at least one small letter.
fn is_camel_case(word: &str) -> bool {
    let capitals = word.chars().filter(char::is_ascii_uppercase).count();
    let letters = word.chars().all(|sign| sign.is_ascii_alphanumeric());
    let small = word.chars().any(|sign| sign.is_ascii_lowercase());
    capitals > 1 && letters && small && word.starts_with(|sign: char| sign.is_ascii_uppercase())
}

fn is_value(values: &Value, name: &str) -> bool {
    let place = format!("/{}", name.replace('.', "/"));
    values.pointer(&place).is_some()
}

fn flags() -> BTreeSet<String> {
    let cli = Cli::command();
    let commands = [&cli].into_iter().chain(cli.get_subcommands());
    let longs = commands
        .flat_map(clap::Command::get_arguments)
        .filter_map(|argument| argument.get_long());
    longs
        .chain(["help", "version"])
        .map(|long| format!("--{long}"))
        .collect()
}
