//! The package that `helm package` creates, and the package of a release.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use cluster::tools::Tool;
use image::Published;
use serde_json::Value;

use super::render::{CHART, NEWEST, run, run_with};

/// With Helm 4 only: Helm 3 always writes the time of packaging into the package.
#[test]
fn two_packages_of_one_chart_are_the_same_bytes() -> Result<()> {
    let one = packaged_copy()?;
    let other = packaged_copy()?;
    ensure!(one.len() > 5_000, "{} bytes", one.len());
    ensure!(one == other);
    Ok(())
}

#[test]
fn the_package_of_a_release_installs_the_published_image_by_its_digest() -> Result<()> {
    let place = tempfile::tempdir()?;
    let published = Published {
        repository: "registry.test/team/static-aws-credentials".to_owned(),
        digest: format!("sha256:{}", "0f".repeat(32)),
        version: "9.8.7".to_owned(),
    };
    let reference = published.reference();
    let chart = image::chart(&published, place.path())?;
    let package = package(&chart, &place.path().join("packages"), &published.version)?;
    let package = package.display().to_string();

    let kubernetes = format!("--kube-version={NEWEST}.0");
    let (rendered, complaints, good) = run(
        Tool::Helm4,
        &["template", "aws", package.as_str(), kubernetes.as_str()],
    )?;
    ensure!(good, "{complaints}");
    let images = rendered
        .lines()
        .filter_map(|line| line.trim().strip_prefix("image: "));
    let images: Vec<&str> = images.map(|image| image.trim_matches('"')).collect();
    // The Deployment and the pod of `helm test`.
    ensure!(images == [reference.as_str(); 2], "{images:?}");

    let (shown, complaints, good) = run(Tool::Helm4, &["show", "chart", package.as_str()])?;
    ensure!(good, "{complaints}");
    let shown: Value = serde_saphyr::from_str(&shown)?;
    ensure!(shown["version"] == "9.8.7" && shown["appVersion"] == "9.8.7");
    let listed = shown["annotations"]["artifacthub.io/images"].as_str();
    let listed: Value = serde_saphyr::from_str(listed.context("no images")?)?;
    ensure!(listed[0]["image"] == reference.as_str(), "{listed}");
    Ok(())
}

/// Packages a copy of the chart, whose files have the modification time of the copy.
fn packaged_copy() -> Result<Vec<u8>> {
    let place = tempfile::tempdir()?;
    let chart = place.path().join("static-aws-credentials");
    copy(Path::new(CHART), &chart)?;
    let to = place.path().join("packages");
    Ok(fs::read(package(&chart, &to, env!("CARGO_PKG_VERSION"))?)?)
}

/// Packages a chart into a directory and returns the file.
fn package(chart: &Path, to: &Path, version: &str) -> Result<PathBuf> {
    let args = [
        "package",
        &chart.display().to_string(),
        "--destination",
        &to.display().to_string(),
    ];
    let epoch = [("SOURCE_DATE_EPOCH", "1")];
    let (_, complaints, good) = run_with(Tool::Helm4, &args, &epoch)?;
    ensure!(good, "{complaints}");
    Ok(to.join(format!("static-aws-credentials-{version}.tgz")))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            // Not fs::copy, which preserves the modification time on some systems.
            fs::write(to.join(name), fs::read(&path)?)?;
        }
    }
    Ok(())
}
