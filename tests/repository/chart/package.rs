//! The package that `helm package` creates.

use std::{fs, path::Path};

use anyhow::{Result, ensure};
use cluster::tools::Tool;

use super::render::{CHART, run_with};

/// With Helm 4 only: Helm 3 always writes the time of packaging into the package.
#[test]
fn two_packages_of_one_chart_are_the_same_bytes() -> Result<()> {
    let one = package()?;
    let other = package()?;
    ensure!(one.len() > 5_000, "{} bytes", one.len());
    ensure!(one == other);
    Ok(())
}

/// Packages a copy of the chart, whose files have the modification time of the copy.
fn package() -> Result<Vec<u8>> {
    let place = tempfile::tempdir()?;
    let chart = place.path().join("static-aws-credentials");
    copy(Path::new(CHART), &chart)?;
    let to = place.path().join("packages");
    let args = [
        "package",
        &chart.display().to_string(),
        "--destination",
        &to.display().to_string(),
    ];
    let epoch = [("SOURCE_DATE_EPOCH", "1")];
    let (_, complaints, good) = run_with(Tool::Helm4, &args, &epoch)?;
    ensure!(good, "{complaints}");
    let version = env!("CARGO_PKG_VERSION");
    Ok(fs::read(
        to.join(format!("static-aws-credentials-{version}.tgz")),
    )?)
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
