//! The package that `helm package` creates, and the package of a release.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use cluster::tools::Tool;
use image::Published;
use serde_json::{Value, json};

use super::render::{CHART, HELMS, NEWEST, run, run_with, set};

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
    let reference = published().reference();
    let package = package_of_release(place.path())?;
    let without_image = [
        Vec::new(),
        set(&["image.pullPolicy=Always"]),
        // As `helm upgrade --reuse-values` does with all values of the previous chart.
        vec!["--values".to_owned(), format!("{CHART}/values.yaml")],
    ];
    for helm in HELMS {
        for values in &without_image {
            let images = rendered_images(helm, &package, values)?;
            // The Deployment and the pod of `helm test`.
            ensure!(
                images == [reference.as_str(); 2],
                "{helm:?}, {values:?}: {images:?}"
            );
        }

        let manifest = rendered(helm, &package, &[])?;
        let nodes = lines_of_nodes(&manifest);
        // The Deployment and the pod of `helm test`.
        ensure!(
            nodes == ["kubernetes.io/os: linux"; 2],
            "{helm:?}: {nodes:?}"
        );

        let (shown, complaints, good) = run(helm, &["show", "chart", package.as_str()])?;
        ensure!(good, "{complaints}");
        // The line that a command in docs/verify.md looks for.
        let image = format!("  awscredentials.dev/image: {reference}");
        ensure!(shown.lines().any(|line| line == image), "{shown}");
        let shown: Value = serde_saphyr::from_str(&shown)?;
        ensure!(shown["version"] == "9.8.7" && shown["appVersion"] == "9.8.7");
        let annotation = |name: &str| -> Result<Value> {
            let text = shown["annotations"][format!("artifacthub.io/{name}")].as_str();
            Ok(serde_saphyr::from_str(text.context("no annotation")?)?)
        };
        let listed = annotation("images")?;
        ensure!(listed[0]["image"] == reference.as_str(), "{listed}");
        let source = published().source;
        ensure!(shown["sources"] == json!([source]), "{shown}");
        for (list, count) in [("links", 1), ("screenshots", 2)] {
            let listed = annotation(list)?;
            let listed = listed.as_array().context("no list")?;
            let urls = listed.iter().filter_map(|item| item["url"].as_str());
            let own = urls.filter(|url| url.starts_with(&source)).count();
            ensure!(own == count && listed.len() == count, "{list}: {listed:?}");
        }
    }
    Ok(())
}

#[test]
fn a_value_for_the_image_replaces_the_whole_published_reference() -> Result<()> {
    let place = tempfile::tempdir()?;
    let package = package_of_release(place.path())?;
    let digest = format!("sha256:{}", "e1".repeat(32));
    let set_digest = format!("image.digest={digest}");
    let by_digest = format!("static-aws-credentials@{digest}");
    let mirrored = format!("mirror.test/{by_digest}");
    let replaced: [(&[&str], &str); 5] = [
        (
            &["image.registry=mirror.test"],
            "mirror.test/static-aws-credentials:9.8.7",
        ),
        (&["image.repository=team/operator"], "team/operator:9.8.7"),
        (&["image.tag=x"], "static-aws-credentials:x"),
        (&[set_digest.as_str()], by_digest.as_str()),
        (
            &["image.registry=mirror.test", set_digest.as_str()],
            mirrored.as_str(),
        ),
    ];
    for helm in HELMS {
        for (values, expected) in replaced {
            let images = rendered_images(helm, &package, &set(values))?;
            ensure!(images == [expected; 2], "{helm:?}, {values:?}: {images:?}");
        }
    }
    Ok(())
}

fn published() -> Published {
    Published {
        repository: "registry.test/team/static-aws-credentials".to_owned(),
        digest: format!("sha256:{}", "0f".repeat(32)),
        version: "9.8.7".to_owned(),
        source: "https://forge.test/team/operator".to_owned(),
    }
}

/// The package of the release of [`published`].
fn package_of_release(place: &Path) -> Result<String> {
    let published = published();
    let chart = image::chart(&published, place)?;
    let package = package(&chart, &place.join("packages"), &published.version)?;
    Ok(package.display().to_string())
}

/// The lines of a manifest that select nodes by labels of Kubernetes.
fn lines_of_nodes(rendered: &str) -> Vec<&str> {
    let labels = ["kubernetes.io/os: ", "kubernetes.io/arch: "];
    let lines = rendered.lines().map(str::trim);
    lines
        .filter(|line| labels.iter().any(|label| line.starts_with(label)))
        .collect()
}

/// The output of `helm template` for a package.
fn rendered(helm: Tool, package: &str, values: &[String]) -> Result<String> {
    let mut args = ["template", "aws", package].map(str::to_owned).to_vec();
    args.push(format!("--kube-version={NEWEST}.0"));
    args.extend_from_slice(values);
    let (rendered, complaints, good) = run(helm, &args)?;
    ensure!(good, "{complaints}");
    Ok(rendered)
}

/// The image of each pod that `helm template` renders from a package.
fn rendered_images(helm: Tool, package: &str, values: &[String]) -> Result<Vec<String>> {
    let rendered = rendered(helm, package, values)?;
    let images = rendered
        .lines()
        .filter_map(|line| line.trim().strip_prefix("image: "));
    Ok(images
        .map(|image| image.trim_matches('"').to_owned())
        .collect())
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
