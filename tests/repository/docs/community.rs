//! The changelog, the issue forms of the forge, and the folders that Dependabot looks at.

use std::{
    collections::BTreeSet,
    fs,
    num::ParseIntError,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::pages::{CHART, ROOT, changelog, page};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const UNRELEASED: &str = "unreleased";
const FORMS: &str = ".github/ISSUE_TEMPLATE";
/// The settings of the list of forms, which GitHub finds only under this name.
const CHOOSER: &str = "config.yml";

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
fn issue_forms_have_what_the_forge_requires() -> Result<()> {
    for (name, form) in forms()? {
        for key in ["name", "description"] {
            ensure!(text(&form[key]).len() > 2, "{name}: no {key}");
        }
        let (mut ids, mut labels) = (BTreeSet::new(), BTreeSet::new());
        for field in fields(&form) {
            let place = format!("{name}: {field}");
            let attributes = &field["attributes"];
            match text(&field["type"]) {
                "markdown" => {
                    ensure!(!text(&attributes["value"]).is_empty(), "{place}");
                    continue;
                }
                "input" | "textarea" => {}
                "dropdown" => {
                    ensure!(are_choices(&attributes["options"]), "{place}");
                }
                "checkboxes" => {
                    ensure!(options(field).next().is_some(), "{place}");
                }
                other => bail!("{place}: {other}"),
            }
            let (id, label) = (text(&field["id"]), text(&attributes["label"]));
            ensure!(is_id(id) && ids.insert(id), "{place}: no id of its own");
            let is_new = labels.insert(label);
            ensure!(!label.is_empty() && is_new, "{place}: no label of its own");
        }
        ensure!(ids.len() > 1, "{name} asks for nothing");
    }
    Ok(())
}

#[test]
fn a_report_of_a_bug_has_what_is_needed_to_repeat_it() -> Result<()> {
    let form = parsed(&Path::new(FORMS).join("bug.yaml"))?;
    let field = |id: &str| {
        let mut fields = fields(&form);
        fields
            .find(|field| field["id"] == id)
            .context(id.to_owned())
    };
    for id in ["version", "kubernetes", "install", "problem", "resource"] {
        ensure!(field(id)?["validations"]["required"] == true, "{id}");
    }
    for (id, command) in [
        ("kubernetes", "`kubectl version`"),
        ("resource", "`kubectl -n NAMESPACE describe awscreds NAME`"),
        ("log", "`kubectl -n static-aws-credentials logs "),
    ] {
        let description = &field(id)?["attributes"]["description"];
        ensure!(text(description).contains(command), "{id}: {description}");
    }
    Ok(())
}

#[test]
fn no_form_asks_for_a_secret_and_each_has_the_author_confirm_that_there_is_none() -> Result<()> {
    for (name, form) in forms()? {
        let is_text = |field: &&Value| field["type"] == "markdown";
        let is_confirmation = |field: &&Value| field["type"] == "checkboxes";
        let questions = fields(&form).filter(|field| !is_text(field) && !is_confirmation(field));
        for question in questions {
            let words = question.to_string().to_lowercase();
            ensure!(!words.contains("secret"), "{name}: {question}");
        }
        let mut boxes = fields(&form).filter(is_confirmation).flat_map(options);
        let confirms = boxes.any(|choice| {
            choice["required"] == true && text(&choice["label"]).contains("no content of a Secret")
        });
        ensure!(confirms, "{name}: nobody confirms it");
    }
    Ok(())
}

#[test]
fn an_issue_is_written_with_a_form() -> Result<()> {
    let settings = parsed(&Path::new(FORMS).join(CHOOSER))?;
    ensure!(settings["blank_issues_enabled"] == false, "{settings}");
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

/// Every issue form with its name.
fn forms() -> Result<Vec<(String, Value)>> {
    let mut forms = Vec::new();
    for entry in fs::read_dir(Path::new(ROOT).join(FORMS))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name != CHOOSER {
            let form = parsed(&Path::new(FORMS).join(&name))?;
            forms.push((name, form));
        }
    }
    ensure!(forms.len() > 1, "the forms are found");
    Ok(forms)
}

fn fields(form: &Value) -> impl Iterator<Item = &Value> {
    form["body"].as_array().into_iter().flatten()
}

fn options(field: &Value) -> impl Iterator<Item = &Value> {
    let options = field["attributes"]["options"].as_array();
    options.into_iter().flatten()
}

/// Whether these are different texts. YAML reads some words as other than text, which GitHub refuses.
fn are_choices(options: &Value) -> bool {
    let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
    let texts: BTreeSet<&str> = options.iter().filter_map(Value::as_str).collect();
    texts.len() > 1 && texts.len() == options.len()
}

fn is_id(id: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !id.is_empty() && id.bytes().all(is_sign)
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
        "Cargo.toml" => {
            let manifest = fs::read_to_string(path)?;
            let is_workspace = manifest.lines().any(|line| line == "[workspace]");
            is_workspace.then_some("cargo")
        }
        _ if name.starts_with("requirements") && is_text => Some("pip"),
        _ => None,
    })
}

/// A YAML file of the repository.
fn parsed(path: &Path) -> Result<Value> {
    let content = fs::read_to_string(Path::new(ROOT).join(path))?;
    serde_saphyr::from_str(&content).with_context(|| path.display().to_string())
}

/// The text of a value, or nothing.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
