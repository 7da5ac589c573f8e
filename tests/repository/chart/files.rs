//! Files of the chart that are copies.

use std::{env, fs};

use anyhow::{Result, ensure};
use cluster::tools::Tool;
use serde_json::{Value, json};
use static_aws_credentials::api::{StaticAwsCredentials, crd_yaml};

use super::render::{CHART, NEWEST, objects, set};

#[test]
fn the_definition_is_the_shipped_one() -> Result<()> {
    let shipped = crd_yaml()?;
    let copy = format!("{CHART}/files/crd.yaml");
    if env::var_os("UPDATE_CRDS").is_some() {
        fs::write(&copy, &shipped)?;
    }
    ensure!(
        fs::read_to_string(&copy)? == shipped,
        "{copy} is stale: `UPDATE_CRDS=1 cargo test --test repository shipped` writes it again"
    );
    Ok(())
}

#[test]
fn the_definition_is_rendered_whole() -> Result<()> {
    let shipped: Value = serde_saphyr::from_str(&crd_yaml()?)?;
    let rendered = definition(&[])?;
    ensure!(rendered["spec"] == shipped["spec"]);
    ensure!(rendered["metadata"]["annotations"] == shipped["metadata"]["annotations"]);
    ensure!(rendered["metadata"]["name"] == shipped["metadata"]["name"]);
    let spare = definition(&["crds.keep=false"])?;
    ensure!(spare["spec"] == shipped["spec"]);
    ensure!(
        spare["metadata"].get("annotations").is_none(),
        "{}",
        spare["metadata"]
    );
    Ok(())
}

#[test]
fn the_examples_in_the_charts_annotations_are_of_the_definition() -> Result<()> {
    let chart = fs::read_to_string(format!("{CHART}/Chart.yaml"))?;
    let chart: Value = serde_saphyr::from_str(&chart)?;
    let annotation = |name: &str| -> Result<Value> {
        let text = chart["annotations"][format!("artifacthub.io/{name}")].as_str();
        Ok(serde_saphyr::from_str(text.unwrap_or_default())?)
    };
    let shipped: Value = serde_saphyr::from_str(&crd_yaml()?)?;
    let crds = annotation("crds")?;
    ensure!(crds[0]["name"] == shipped["metadata"]["name"]);
    ensure!(crds[0]["version"] == shipped["spec"]["versions"][0]["name"]);
    ensure!(crds[0]["kind"] == shipped["spec"]["names"]["kind"]);
    for example in annotation("crdsExamples")?.as_array().into_iter().flatten() {
        let version = json!("awscredentials.dev/v1alpha1");
        ensure!(example["apiVersion"] == version, "{example}");
        let spec: Result<StaticAwsCredentials, _> = serde_json::from_value(example.clone());
        spec?;
    }
    let images = annotation("images")?;
    let version = chart["appVersion"].as_str().unwrap_or_default();
    let image = format!("static-aws-credentials:{version}");
    ensure!(images[0]["image"] == image, "{images}");
    let published = &chart["annotations"]["awscredentials.dev/image"];
    ensure!(published.as_str() == Some(""), "{published}");
    ensure!(
        version == env!("CARGO_PKG_VERSION"),
        "appVersion is {version}"
    );
    Ok(())
}

fn definition(values: &[&str]) -> Result<Value> {
    let all = objects(Tool::Helm4, NEWEST, &set(values))?;
    let mut definitions = all
        .into_iter()
        .filter(|object| object["kind"] == "CustomResourceDefinition");
    let first = definitions.next().unwrap_or_default();
    ensure!(definitions.next().is_none(), "one definition");
    Ok(first)
}
