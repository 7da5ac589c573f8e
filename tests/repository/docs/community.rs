//! The changelog, the security policy, the folders that Dependabot looks at, and a version that Dependabot changes.

use std::{
    collections::BTreeSet,
    fs,
    num::ParseIntError,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::pages::{CHART, ROOT, changelog, page, parsed, text};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const UNRELEASED: &str = "unreleased";
/// The packages of moto, which Dependabot updates.
const MOTO: &str = "tests/tools/cluster/moto/requirements.txt";

/// A version in the changelog.
struct Entry {
    version: String,
    /// The date of the release, or that there was none.
    state: String,
    text: String,
}

#[test]
fn the_changelog_has_the_versions_of_the_program_and_of_the_chart() -> Result<()> {
    let chart = parsed(&Path::new(CHART).join("Chart.yaml"))?;
    let versions = [VERSION, text(&chart["version"]), text(&chart["appVersion"])];
    let entries = entries()?;
    for version in versions {
        let entry = entries.iter().find(|entry| entry.version == version);
        let entry = entry.with_context(|| format!("no entry of {version}"))?;
        ensure!(entry.text.contains("\n- "), "{version} has no change");
    }
    let newest = entries.first().context("no entry")?;
    ensure!(newest.version == VERSION, "{} is newer", newest.version);
    Ok(())
}

#[test]
fn released_versions_have_dates_and_the_newest_version_comes_first() -> Result<()> {
    let entries = entries()?;
    for (at, entry) in entries.iter().enumerate() {
        let may_be_unreleased = at == 0 && entry.state == UNRELEASED;
        let place = format!("{} ({})", entry.version, entry.state);
        ensure!(may_be_unreleased || is_date(&entry.state), "{place}");
    }
    let versions = entries.iter().map(|entry| numbers(&entry.version));
    let versions: Vec<Vec<u64>> = versions.collect::<Result<_>>()?;
    let descends = versions.is_sorted_by(|newer, older| newer > older);
    ensure!(descends, "{versions:?}");
    Ok(())
}

#[test]
fn the_security_policy_names_the_minor_version_that_gets_fixes() -> Result<()> {
    let policy = page(PathBuf::from(".github/SECURITY.md"))?.text;
    let (minor, _) = VERSION.rsplit_once('.').context(VERSION)?;
    ensure!(policy.contains(&format!("at present {minor} ")), "{minor}");
    Ok(())
}

#[test]
fn dependabot_looks_at_every_manifest_and_at_nothing_else() -> Result<()> {
    let settings = parsed(Path::new(".github/dependabot.yml"))?;
    ensure!(settings["version"] == 2, "{settings}");
    let mut listed = BTreeSet::new();
    for update in settings["updates"].as_array().into_iter().flatten() {
        let interval = text(&update["schedule"]["interval"]);
        ensure!(
            ["daily", "weekly", "monthly"].contains(&interval),
            "{update}"
        );
        let one = update["directory"].as_str();
        let several = update["directories"].as_array().into_iter().flatten();
        for folder in one.into_iter().chain(several.filter_map(Value::as_str)) {
            let ecosystem = text(&update["package-ecosystem"]);
            let is_new = listed.insert((ecosystem.to_owned(), folder.to_owned()));
            ensure!(is_new, "{ecosystem} twice in {folder}");
        }
    }
    let found = manifests()?;
    let missing: Vec<_> = found.difference(&listed).collect();
    ensure!(missing.is_empty(), "not looked at: {missing:#?}");
    let extra: Vec<_> = listed.difference(&found).collect();
    ensure!(extra.is_empty(), "without a manifest: {extra:#?}");
    Ok(())
}

/// The test of the page on a real node requires the same, but does not run on every pull request.
#[test]
fn the_quickstart_runs_the_version_of_moto_that_the_tests_install() -> Result<()> {
    let packages = fs::read_to_string(Path::new(ROOT).join(MOTO))?;
    let version = packages
        .lines()
        .find_map(|line| line.strip_prefix("moto=="));
    let version = version.with_context(|| format!("no version of moto in {MOTO}"))?;
    let quickstart = page(PathBuf::from("docs/quickstart.md"))?.text;
    let images = quickstart.split("motoserver/moto:").skip(1);
    let tags: Vec<&str> = images
        .filter_map(|rest| rest.split_whitespace().next())
        .collect();
    let is_same = !tags.is_empty() && tags.iter().all(|tag| *tag == version);
    ensure!(
        is_same,
        "{MOTO} has moto {version}, docs/quickstart.md {tags:?}: change the page in the same pull request"
    );
    Ok(())
}

/// The entries of the changelog, whose headings look like `0.1.0 (2027-01-31)`.
fn entries() -> Result<Vec<Entry>> {
    let changelog = changelog()?.text;
    let mut entries = Vec::new();
    for part in changelog.split("\n## ").skip(1) {
        let (heading, text) = part.split_once('\n').context("an entry has no text")?;
        let parts = heading
            .strip_suffix(')')
            .and_then(|heading| heading.split_once(" ("));
        let (version, state) = parts.with_context(|| heading.to_owned())?;
        entries.push(Entry {
            version: version.to_owned(),
            state: state.to_owned(),
            text: text.to_owned(),
        });
    }
    Ok(entries)
}

/// The three numbers of a version.
fn numbers(version: &str) -> Result<Vec<u64>> {
    let numbers = version.split('.').map(str::parse::<u64>);
    let numbers = numbers.collect::<Result<Vec<u64>, ParseIntError>>();
    let numbers = numbers.with_context(|| version.to_owned())?;
    ensure!(numbers.len() == 3, "{version}");
    Ok(numbers)
}

/// Whether the text has the form of a date, such as 2027-01-31.
fn is_date(text: &str) -> bool {
    let shape: Vec<u8> = text
        .bytes()
        .map(|byte| if byte.is_ascii_digit() { b'0' } else { byte })
        .collect();
    shape == b"0000-00-00"
}

/// Every manifest of the repository: its ecosystem by the name that Dependabot has for it, and its folder.
fn manifests() -> Result<BTreeSet<(String, String)>> {
    let workflows = ("github-actions".to_owned(), "/".to_owned());
    let mut found = BTreeSet::from([workflows]);
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(Path::new(ROOT).join(&folder))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !entry.file_type()?.is_dir() {
                let ecosystem = ecosystem(&entry.path(), &name)?;
                let place = format!("/{}", folder.display());
                found.extend(ecosystem.map(|ecosystem| (ecosystem.to_owned(), place)));
            } else if name != "target" && !name.starts_with('.') {
                folders.push(folder.join(&name));
            }
        }
    }
    ensure!(found.len() > 20, "the manifests are found: {found:#?}");
    Ok(found)
}

fn ecosystem(path: &Path, name: &str) -> Result<Option<&'static str>> {
    let is_text = path.extension().is_some_and(|extension| extension == "txt");
    Ok(match name {
        "go.mod" => Some("gomod"),
        "package.json" => Some("npm"),
        "pom.xml" => Some("maven"),
        "rust-toolchain.toml" => Some("rust-toolchain"),
        "Cargo.toml" => {
            let manifest = fs::read_to_string(path)?;
            let is_workspace = manifest.lines().any(|line| line == "[workspace]");
            is_workspace.then_some("cargo")
        }
        _ if name.starts_with("requirements") && is_text => Some("pip"),
        _ => None,
    })
}
