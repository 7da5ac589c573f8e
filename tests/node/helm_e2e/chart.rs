//! The current chart, and an imitation of an earlier version.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

/// A column that the definition of the earlier chart lacks.
pub const NEW_COLUMN: &str = "Verified";

/// The chart of this tree.
pub fn present() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/static-aws-credentials")
}

/// A copy of the chart with an older version, one replica and an older definition: without one of
/// the columns and without `spec.suspend`.
pub fn earlier(directory: &Path) -> Result<PathBuf> {
    let copy = directory.join("static-aws-credentials");
    copied(&present(), &copy)?;
    edited(
        &copy.join("Chart.yaml"),
        "\nversion: 0.1.0",
        "\nversion: 0.0.9",
    )?;
    let definition = copy.join("files/crd.yaml");
    let text = fs::read_to_string(&definition)?;
    let mut value: serde_json::Value = serde_saphyr::from_str(&text)?;
    let version = &mut value["spec"]["versions"][0];
    let columns = version["additionalPrinterColumns"].as_array_mut();
    let columns = columns.context("the definition has no columns")?;
    let before = columns.len();
    columns.retain(|column| column["name"] != NEW_COLUMN);
    ensure!(columns.len() + 1 == before, "no column {NEW_COLUMN}");
    let spec = &mut version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
    let removed = spec.as_object_mut().and_then(|spec| spec.remove("suspend"));
    ensure!(removed.is_some(), "spec has no suspend");
    fs::write(definition, serde_json::to_string(&value)?)?;
    Ok(copy)
}

/// A team's chart: a source with this pair, and a resource that names it, with this interval.
pub fn of_a_team(directory: &Path, (id, secret): (&str, &str), interval: &str) -> Result<PathBuf> {
    let chart = directory.join("billing");
    fs::create_dir_all(chart.join("templates"))?;
    let about = "apiVersion: v2\nname: billing\nversion: 1.0.0\n";
    fs::write(chart.join("Chart.yaml"), about)?;
    let manifest = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: billing-key-pair}}\n\
         stringData: {{AWS_ACCESS_KEY_ID: {id}, AWS_SECRET_ACCESS_KEY: {secret:?}}}\n---\n\
         apiVersion: awscredentials.dev/v1alpha1\nkind: StaticAwsCredentials\n\
         metadata: {{name: billing}}\n\
         spec: {{secretRef: {{name: billing-key-pair}}, region: eu-west-1, \
         validation: {{interval: {interval}}}}}\n"
    );
    fs::write(chart.join("templates/billing.yaml"), manifest)?;
    Ok(chart)
}

fn edited(file: &Path, from: &str, to: &str) -> Result<()> {
    let text = fs::read_to_string(file)?;
    ensure!(text.contains(from), "{} has no {from:?}", file.display());
    Ok(fs::write(file, text.replace(from, to))?)
}

fn copied(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (entry, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if entry.is_dir() {
            copied(&entry, &to.join(name))?;
        } else {
            fs::copy(&entry, to.join(name))?;
        }
    }
    Ok(())
}
