//! The chart of a release: a copy of the repository's chart that installs the published image by its digest.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

use crate::{cargo::NAME, verify::copy_tree};

/// A published image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The registry and the name in it: `registry.example.com/team/static-aws-credentials`.
    pub repository: String,
    /// The digest of the index of all architectures: `sha256:…`.
    pub digest: String,
    /// The version of the release, without `v`.
    pub version: String,
}

impl Published {
    /// The registry, and the name of the image in the registry.
    fn parts(&self) -> Result<(&str, &str)> {
        let parts = self.repository.split_once('/');
        let valid = parts.filter(|(registry, name)| {
            registry.contains(['.', ':']) && !name.is_empty() && !name.contains([':', '@'])
        });
        valid.with_context(|| format!("{:?} is not registry/name", self.repository))
    }

    /// The reference that the chart of the release renders.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{}@{}", self.repository, self.digest)
    }

    fn check(&self) -> Result<()> {
        let digits = self.digest.strip_prefix("sha256:").unwrap_or_default();
        let is_hex = |sign: char| matches!(sign, '0'..='9' | 'a'..='f');
        ensure!(
            digits.len() == 64 && digits.chars().all(is_hex),
            "{:?} is not a SHA-256 digest",
            self.digest
        );
        ensure!(
            self.version.starts_with(|sign: char| sign.is_ascii_digit()),
            "{:?} is not a version",
            self.version
        );
        Ok(())
    }
}

/// Copies the chart into a directory, and sets image, digest, versions and the annotation of Artifact Hub in the copy.
/// Returns the folder of the copy.
///
/// # Errors
/// When the image is described wrongly, the copy exists, or the chart has no place for a value.
pub fn chart(published: &Published, out: &Path) -> Result<PathBuf> {
    published.check()?;
    let (registry, name) = published.parts()?;
    let values = [
        ("registry", registry),
        ("repository", name),
        ("digest", published.digest.as_str()),
    ];
    let copy = out.join(NAME);
    ensure!(!copy.exists(), "{} exists", copy.display());
    copy_tree(&original(), &copy)?;
    edit(&copy.join("values.yaml"), |text| {
        values.iter().try_fold(text, |text, (key, value)| {
            set(&text, &format!("  {key}: "), &quoted(value))
        })
    })?;
    edit(&copy.join("README.md"), |text| {
        values.iter().try_fold(text, |text, (key, value)| {
            set_row(&text, &format!("image.{key}"), value)
        })
    })?;
    edit(&copy.join("Chart.yaml"), |text| {
        let text = set(&text, "version: ", &quoted(&published.version))?;
        let text = set(&text, "appVersion: ", &quoted(&published.version))?;
        set(&text, "      image: ", &quoted(&published.reference()))
    })?;
    Ok(copy)
}

/// The folder of the chart in the repository.
fn original() -> PathBuf {
    let charts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../charts");
    charts.join(NAME)
}

fn edit(file: &Path, change: impl Fn(String) -> Result<String>) -> Result<()> {
    let edited = || -> Result<()> {
        let changed = change(fs::read_to_string(file)?)?;
        fs::write(file, changed)?;
        Ok(())
    };
    edited().with_context(|| format!("cannot change {}", file.display()))
}

fn quoted(value: &str) -> String {
    format!("\"{value}\"")
}

/// Replaces everything after `start` in the single line that begins with `start`.
fn set(text: &str, start: &str, value: &str) -> Result<String> {
    let found = text.lines().filter(|line| line.starts_with(start)).count();
    ensure!(found == 1, "{found} lines begin with {start:?}");
    let mut changed = String::with_capacity(text.len());
    for line in text.lines() {
        if line.starts_with(start) {
            changed.push_str(start);
            changed.push_str(value);
        } else {
            changed.push_str(line);
        }
        changed.push('\n');
    }
    Ok(changed)
}

/// Replaces the default in the row of a value in the README's table.
fn set_row(text: &str, path: &str, value: &str) -> Result<String> {
    let start = format!("| `{path}` | `");
    let row = text
        .lines()
        .find_map(|line| line.strip_prefix(start.as_str()));
    let cells = row.and_then(|row| row.split_once("` | "));
    let (_, description) = cells.with_context(|| format!("the table has no row for {path}"))?;
    set(text, &start, &format!("{}` | {description}", quoted(value)))
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use anyhow::Result;

    use super::{Published, chart, original};

    fn published() -> Published {
        Published {
            repository: "registry.test:5000/team/static-aws-credentials".to_owned(),
            digest: format!("sha256:{}", "0f".repeat(32)),
            version: "9.8.7".to_owned(),
        }
    }

    /// Lines of a file of the copy that differ from the original.
    fn changed(copy: &Path, file: &str) -> Result<Vec<String>> {
        let before = fs::read_to_string(original().join(file))?;
        let after = fs::read_to_string(copy.join(file))?;
        assert_eq!(before.lines().count(), after.lines().count(), "{file}");
        let lines = before.lines().zip(after.lines());
        let changed = lines.filter(|(before, after)| before != after);
        Ok(changed.map(|(_, after)| after.to_owned()).collect())
    }

    #[test]
    fn image_versions_and_annotation_are_those_of_the_release() -> Result<()> {
        let place = tempfile::tempdir()?;
        let copy = chart(&published(), place.path())?;
        let digest = published().digest;
        assert_eq!(
            changed(&copy, "values.yaml")?,
            [
                r#"  registry: "registry.test:5000""#.to_owned(),
                r#"  repository: "team/static-aws-credentials""#.to_owned(),
                format!(r#"  digest: "{digest}""#),
            ]
        );
        assert_eq!(
            changed(&copy, "Chart.yaml")?,
            [
                r#"version: "9.8.7""#.to_owned(),
                r#"appVersion: "9.8.7""#.to_owned(),
                format!(r#"      image: "{}""#, published().reference()),
            ]
        );
        let rows = changed(&copy, "README.md")?;
        assert_eq!(rows.len(), 3, "{rows:?}");
        for (row, value) in rows.iter().zip([
            "| `image.registry` | `\"registry.test:5000\"` | ",
            "| `image.repository` | `\"team/static-aws-credentials\"` | ",
            "| `image.digest` | `\"sha256:0f0f",
        ]) {
            assert!(row.starts_with(value) && row.ends_with(" |"), "{row}");
        }
        assert!(chart(&published(), place.path()).is_err(), "twice");
        Ok(())
    }

    #[test]
    fn an_image_that_is_described_wrongly_is_refused() -> Result<()> {
        let place = tempfile::tempdir()?;
        let wrong = [
            Published {
                repository: "static-aws-credentials".to_owned(),
                ..published()
            },
            Published {
                repository: "team/static-aws-credentials".to_owned(),
                ..published()
            },
            Published {
                repository: "registry.test/static-aws-credentials:1".to_owned(),
                ..published()
            },
            Published {
                digest: "sha256:0f".to_owned(),
                ..published()
            },
            Published {
                version: "v9.8.7".to_owned(),
                ..published()
            },
        ];
        for published in wrong {
            assert!(chart(&published, place.path()).is_err(), "{published:?}");
        }
        assert_eq!(fs::read_dir(place.path())?.count(), 0);
        Ok(())
    }
}
