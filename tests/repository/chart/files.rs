//! Files of the chart that are generated, or copies.

use std::{env, fs};

use anyhow::{Context, Result, ensure};
use cluster::tools::Tool;
use serde_json::{Value, json};
use static_aws_credentials::api::{
    AwsCredentialsClass, Layout, StaticAwsCredentials, class_crd, crd, crd_yaml,
};
use strum::VariantArray as _;

use super::render::{CHART, NEWEST, objects, set};

#[test]
fn the_definition_is_the_shipped_one() -> Result<()> {
    shipped("crd.yaml", &crd_yaml(&crd())?)?;
    shipped("class-crd.yaml", &crd_yaml(&class_crd())?)
}

/// A key in capitals or with a dot may become a variable or a script: the fence lets the operator write any pair under
/// such keys of layouts, and under others only words.
#[test]
fn the_keys_of_layouts_are_shipped_with_the_fence() -> Result<()> {
    let in_capitals = |key: &str| {
        key.bytes()
            .all(|sign| sign.is_ascii_uppercase() || sign.is_ascii_digit() || sign == b'_')
    };
    let mut keys: Vec<&str> = Vec::new();
    for key in Layout::VARIANTS.iter().flat_map(|layout| layout.keys(true)) {
        if (in_capitals(key) || key.contains('.')) && !keys.contains(&key) {
            keys.push(key);
        }
    }
    let keys = serde_json::to_string_pretty(&keys)?;
    shipped("layout-keys.json", &format!("{keys}\n"))
}

/// With `UPDATE_CRDS=1`, writes a generated file of the chart; fails if it is out of date.
fn shipped(file: &str, content: &str) -> Result<()> {
    let path = format!("{CHART}/files/{file}");
    if env::var_os("UPDATE_CRDS").is_some() {
        fs::write(&path, content)?;
    }
    ensure!(
        fs::read_to_string(&path)? == content,
        "{path} is stale: `UPDATE_CRDS=1 cargo test --test repository shipped` writes it again"
    );
    Ok(())
}

#[test]
fn the_definition_is_rendered_whole() -> Result<()> {
    let rendered = definitions(&[])?;
    let spare = definitions(&["crds.keep=false"])?;
    ensure!((rendered.len(), spare.len()) == (2, 2));
    for crd in [crd(), class_crd()] {
        let shipped: Value = serde_saphyr::from_str(&crd_yaml(&crd)?)?;
        let name = &shipped["metadata"]["name"];
        let find = |all: &[Value]| {
            let mut all = all.iter();
            all.find(|it| it["metadata"]["name"] == *name).cloned()
        };
        let (rendered, spare) = (find(&rendered).context("it")?, find(&spare).context("it")?);
        ensure!(rendered["spec"] == shipped["spec"]);
        ensure!(rendered["metadata"]["annotations"] == shipped["metadata"]["annotations"]);
        ensure!(spare["spec"] == shipped["spec"]);
        ensure!(
            spare["metadata"].get("annotations").is_none(),
            "{}",
            spare["metadata"]
        );
    }
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
    let crds = annotation("crds")?;
    for (crd, shown) in [crd(), class_crd()].iter().zip(0..) {
        let (shipped, shown) = (serde_json::to_value(crd)?, &crds[shown]);
        ensure!(shown["name"] == shipped["metadata"]["name"]);
        ensure!(shown["version"] == shipped["spec"]["versions"][0]["name"]);
        ensure!(shown["kind"] == shipped["spec"]["names"]["kind"]);
    }
    for example in annotation("crdsExamples")?.as_array().into_iter().flatten() {
        let version = json!("awscredentials.dev/v1alpha1");
        ensure!(example["apiVersion"] == version, "{example}");
        if example["kind"] == "AwsCredentialsClass" {
            let class: Result<AwsCredentialsClass, _> = serde_json::from_value(example.clone());
            class?;
        } else {
            let spec: Result<StaticAwsCredentials, _> = serde_json::from_value(example.clone());
            spec?;
        }
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

fn definitions(values: &[&str]) -> Result<Vec<Value>> {
    let all = objects(Tool::Helm4, NEWEST, &set(values))?;
    let definitions = all
        .into_iter()
        .filter(|object| object["kind"] == "CustomResourceDefinition");
    Ok(definitions.collect())
}
