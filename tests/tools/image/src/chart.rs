//! The chart of a release: a copy of the repository's chart that installs the published image by its digest.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Error, Result, ensure};
use serde_json::json;

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
    /// The repository of the sources, which has a tag for the version: `https://forge.example.com/team/name`.
    pub source: String,
}

/// Pictures in the sources, with their titles.
const SCREENSHOTS: [(&str, &str); 2] = [
    ("A recording of the demo", "docs/demo.svg"),
    (
        "Panels of the dashboard, drawn from data of a test",
        "docs/dashboard.svg",
    ),
];

impl Published {
    /// The reference that the chart of the release renders.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{}@{}", self.repository, self.digest)
    }

    fn check(&self) -> Result<()> {
        let parts = self.repository.split_once('/');
        let has_registry = parts.is_some_and(|(registry, name)| {
            registry.contains(['.', ':']) && !name.is_empty() && !name.contains([':', '@'])
        });
        ensure!(has_registry, "{:?} is not registry/name", self.repository);
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
        let place = self.source.strip_prefix("https://").unwrap_or_default();
        ensure!(
            place.contains('/') && !place.ends_with('/') && !place.contains(['\'', '"']),
            "{:?} is not the address of a repository",
            self.source
        );
        Ok(())
    }
}

/// The architecture of the nodes in the value `nodeSelector` and in the table of values. `cargo image` builds for one,
/// and the index of a release has all.
const ARCHITECTURE: [(&str, &str); 2] = [
    ("values.yaml", ", kubernetes.io/arch: amd64"),
    ("README.md", r#""kubernetes.io/arch":"amd64","#),
];

/// Copies the chart into a directory, sets in the `Chart.yaml` of the copy both versions, the image, and for Artifact
/// Hub the image, the sources, the place for issues and the pictures, and removes the architecture from the value
/// `nodeSelector` of the copy. Returns the folder of the copy.
///
/// # Errors
/// When the image is described wrongly, the copy exists, or a file has no place for a value.
pub fn chart(published: &Published, out: &Path) -> Result<PathBuf> {
    published.check()?;
    let copy = out.join(NAME);
    ensure!(!copy.exists(), "{} exists", copy.display());
    copy_tree(&original(), &copy)?;
    let edited = |file: &str, edit: &dyn Fn(&str) -> Result<String>| {
        let file = copy.join(file);
        let changed = || Ok::<_, Error>(fs::write(&file, edit(&fs::read_to_string(&file)?)?)?);
        changed().with_context(|| format!("cannot change {}", file.display()))
    };
    edited("Chart.yaml", &|text| with_image(text, published))?;
    for (file, architecture) in ARCHITECTURE {
        edited(file, &|text| without(text, architecture))?;
    }
    Ok(copy)
}

/// The folder of the chart in the repository.
fn original() -> PathBuf {
    let charts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../charts");
    charts.join(NAME)
}

fn with_image(text: &str, published: &Published) -> Result<String> {
    let version = format!("\"{}\"", published.version);
    let image = format!("\"{}\"", published.reference());
    let source = &published.source;
    let sources = json!([source]).to_string();
    let links = json!([{ "name": "support", "url": format!("{source}/issues") }]);
    let screenshots = SCREENSHOTS.map(|(title, path)| {
        let url = format!("{source}/raw/v{}/{path}", published.version);
        json!({ "title": title, "url": url })
    });
    let mut text = text.to_owned();
    for (start, value) in [
        ("version: ", &version),
        ("appVersion: ", &version),
        ("sources: ", &sources),
        ("  awscredentials.dev/image: ", &image),
        ("      image: ", &image),
        ("  artifacthub.io/links: ", &format!("'{links}'")),
        (
            "  artifacthub.io/screenshots: ",
            &format!("'{}'", json!(screenshots)),
        ),
    ] {
        text = set(&text, start, value)?;
    }
    Ok(text)
}

/// Removes the single occurrence of some text.
fn without(text: &str, removed: &str) -> Result<String> {
    let found = text.matches(removed).count();
    ensure!(found == 1, "{removed:?} occurs {found} times");
    Ok(text.replace(removed, ""))
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

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use anyhow::Result;

    use super::{Published, SCREENSHOTS, chart, original};

    fn published() -> Published {
        Published {
            repository: "registry.test:5000/team/static-aws-credentials".to_owned(),
            digest: format!("sha256:{}", "0f".repeat(32)),
            version: "9.8.7".to_owned(),
            source: "https://forge.test/team/operator".to_owned(),
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
    fn versions_and_image_are_those_of_the_release_and_nodes_may_have_any_architecture()
    -> Result<()> {
        let place = tempfile::tempdir()?;
        let copy = chart(&published(), place.path())?;
        let reference = published().reference();
        assert_eq!(
            changed(&copy, "Chart.yaml")?,
            [
                r#"version: "9.8.7""#.to_owned(),
                r#"appVersion: "9.8.7""#.to_owned(),
                r#"sources: ["https://forge.test/team/operator"]"#.to_owned(),
                format!(r#"  awscredentials.dev/image: "{reference}""#),
                format!(r#"      image: "{reference}""#),
                r#"  artifacthub.io/links: '[{"name":"support","url":"https://forge.test/team/operator/issues"}]'"#
                    .to_owned(),
                concat!(
                    r#"  artifacthub.io/screenshots: '[{"title":"A recording of the demo","#,
                    r#""url":"https://forge.test/team/operator/raw/v9.8.7/docs/demo.svg"},"#,
                    r#"{"title":"Panels of the dashboard, drawn from data of a test","#,
                    r#""url":"https://forge.test/team/operator/raw/v9.8.7/docs/dashboard.svg"}]'"#,
                )
                .to_owned(),
            ]
        );
        for (_, picture) in SCREENSHOTS {
            assert!(
                original().join("../..").join(picture).is_file(),
                "{picture}"
            );
        }
        let value = "nodeSelector: {kubernetes.io/os: linux}";
        assert_eq!(changed(&copy, "values.yaml")?, [value]);
        let rows = changed(&copy, "README.md")?;
        let row = r#"| `nodeSelector` | `{"kubernetes.io/os":"linux"}` | "#;
        assert!(rows.len() == 1 && rows[0].starts_with(row), "{rows:?}");
        let lines = changed(&copy, "values.schema.json")?;
        assert!(lines.is_empty(), "{lines:?}");
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
            Published {
                source: "team/operator".to_owned(),
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
