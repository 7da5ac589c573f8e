//! The workflows of continuous integration and of a release. Both are linted, and not run here; and the compiler that
//! both use.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use cluster::{tools, tools::Tool};

use crate::chart::render::{NEWEST, OLDEST};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// An action as a workflow uses it: `owner/name@commit # version`.
#[derive(Debug)]
struct Action {
    name: String,
    commit: String,
    version: String,
}

impl Action {
    /// Whether the commit is complete, and the version is one such as v1.2.3.
    fn is_pinned(&self) -> bool {
        let is_commit =
            self.commit.len() == 40 && self.commit.chars().all(|sign| sign.is_ascii_hexdigit());
        let numbers = self.version.strip_prefix('v').unwrap_or_default();
        is_commit
            && numbers
                .split('.')
                .all(|number| number.parse::<u32>().is_ok())
    }

    /// The repository of the action. An action can be a folder of its repository, such as `actions/cache/restore`.
    fn repository(&self) -> String {
        let parts: Vec<&str> = self.name.split('/').take(2).collect();
        parts.join("/")
    }
}

fn workflows() -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(Path::new(ROOT).join(".github/workflows"))?;
    let paths: Vec<PathBuf> = entries
        .map(|entry| -> Result<PathBuf> { Ok(entry?.path()) })
        .collect::<Result<_>>()?;
    for name in ["ci.yaml", "release.yaml"] {
        ensure!(paths.iter().any(|path| path.ends_with(name)), "no {name}");
    }
    Ok(paths)
}

fn read(file: &str) -> Result<String> {
    fs::read_to_string(Path::new(ROOT).join(file)).with_context(|| format!("cannot read {file}"))
}

/// The report of actionlint, without the linter for shell scripts, which it would use if installed.
fn lint(workflow: &Path) -> Result<(bool, String)> {
    let output = Command::new(tools::find(Tool::Actionlint)?)
        .args(["-no-color", "-shellcheck=", "-pyflakes="])
        .arg(workflow)
        .output()?;
    let report = String::from_utf8(output.stdout)? + &String::from_utf8(output.stderr)?;
    Ok((output.status.success(), report))
}

/// The same for a text.
fn lint_text(workflow: &str) -> Result<(bool, String)> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("workflow.yaml");
    fs::write(&file, workflow)?;
    lint(&file)
}

/// The actions of a workflow, in the order of its lines.
fn actions(workflow: &str) -> Result<Vec<Action>> {
    let lines = workflow
        .lines()
        .map(|line| line.trim().trim_start_matches("- "));
    let used = lines.filter_map(|line| line.strip_prefix("uses: "));
    let action = |used: &str| {
        let (name, rest) = used.split_once('@')?;
        let (commit, version) = rest.split_once(" # ")?;
        Some(Action {
            name: name.to_owned(),
            commit: commit.to_owned(),
            version: version.to_owned(),
        })
    };
    used.map(|used| action(used).with_context(|| format!("{used} names no commit and version")))
        .collect()
}

/// The workflow with the tag of the major version in the place of each commit.
fn with_tags(workflow: &str) -> Result<String> {
    let mut text = workflow.to_owned();
    for action in actions(workflow)? {
        let major = action.version.split('.').next().unwrap_or_default();
        text = text.replace(&action.commit, major);
    }
    Ok(text)
}

#[test]
fn every_workflow_is_sound() -> Result<()> {
    for workflow in workflows()? {
        let (is_sound, report) = lint(&workflow)?;
        ensure!(is_sound, "{report}");
        // Inputs of an action are compared only if the action is named by a tag.
        let (is_sound, report) = lint_text(&with_tags(&fs::read_to_string(&workflow)?)?)?;
        ensure!(is_sound, "{}: {report}", workflow.display());
    }
    Ok(())
}

#[test]
fn the_linter_finds_what_is_wrong() -> Result<()> {
    let workflow = with_tags(&read(".github/workflows/release.yaml")?)?;
    for (right, wrong, found) in [
        ("needs: image", "needs: immage", "\"immage\""),
        ("persist-credentials: ", "persist: ", "input \"persist\""),
    ] {
        let changed = workflow.replace(right, wrong);
        ensure!(changed != workflow, "{right}");
        let (is_sound, report) = lint_text(&changed)?;
        ensure!(!is_sound && report.contains(found), "{report}");
    }
    Ok(())
}

#[test]
fn each_action_is_pinned_to_one_commit_in_all_workflows() -> Result<()> {
    let mut pins: BTreeMap<String, (String, String)> = BTreeMap::new();
    for workflow in workflows()? {
        for action in actions(&fs::read_to_string(workflow)?)? {
            ensure!(action.is_pinned(), "{action:?}");
            let pin = (action.commit.clone(), action.version.clone());
            let first = pins.entry(action.repository());
            let first = first.or_insert_with(|| pin.clone());
            ensure!(*first == pin, "{action:?}, but elsewhere {first:?}");
        }
    }
    Ok(())
}

#[test]
fn an_action_without_a_commit_or_a_version_is_found() -> Result<()> {
    let commit = "0f".repeat(20);
    let pinned = |pin: &str| -> Result<bool> {
        let workflow = format!("    - uses: actions/cache/restore@{pin}\n");
        Ok(actions(&workflow)?.iter().all(Action::is_pinned))
    };
    ensure!(pinned(&format!("{commit} # v1.2.3"))?);
    ensure!(pinned(&commit).is_err(), "a commit without a version");
    for wrong in ["v1 # v1.2.3".to_owned(), format!("{commit} # main")] {
        ensure!(!pinned(&wrong)?, "{wrong}");
    }
    Ok(())
}

/// The table has no commit and no version: a pull request of Dependabot changes the workflows alone.
#[test]
fn the_table_of_actions_lists_each_action() -> Result<()> {
    let mut used = BTreeSet::new();
    for workflow in workflows()? {
        let actions = actions(&fs::read_to_string(workflow)?)?;
        used.extend(actions.into_iter().map(|action| action.name));
    }
    let page = read("docs/release.md")?;
    let (_, section) = page.split_once("\n## Actions\n").context("no section")?;
    let (section, _) = section.split_once("\n## ").unwrap_or((section, ""));
    let rows = section.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("| `")?.split_once("` |")?;
        Some(name.to_owned())
    });
    let listed: BTreeSet<String> = rows.collect();
    ensure!(listed == used, "{listed:#?}\n{used:#?}");
    Ok(())
}

#[test]
fn a_rehearsal_signs_with_the_cosign_that_a_release_installs() -> Result<()> {
    let version_in = |file: &str, before: &str| -> Result<String> {
        let text = read(file)?;
        let mut lines = text.lines().map(str::trim);
        let version = lines.find_map(|line| line.strip_prefix(before)?.split(' ').next());
        let version = version.with_context(|| format!("{file} has no {before:?}"))?;
        Ok(version.to_owned())
    };
    let installed = version_in(".github/workflows/release.yaml", "cosign-release: ")?;
    let module = "tests/tools/cluster/tools/cosign/go.mod";
    let built = version_in(module, "github.com/sigstore/cosign/v2 ")?;
    ensure!(installed == built, "{installed}, but {module} has {built}");
    Ok(())
}

#[test]
fn kind_runs_each_minor_version_that_the_chart_supports() -> Result<()> {
    let minor = |version: &str| -> Result<u32> {
        let minor = version.strip_prefix("1.").context("a version 1.x")?;
        Ok(minor.parse()?)
    };
    let supported: Vec<String> = (minor(OLDEST)?..=minor(NEWEST)?)
        .map(|minor| format!("1.{minor}"))
        .collect();
    let workflow = read(".github/workflows/ci.yaml")?;
    let value = |line: &str, key: &str| {
        let rest = line.trim().trim_start_matches("- ").strip_prefix(key)?;
        Some(rest.trim_matches('"').to_owned())
    };
    let of = |key: &str| -> Vec<String> {
        let lines = workflow.lines();
        lines.filter_map(|line| value(line, key)).collect()
    };
    let (listed, nodes) = (of("kubernetes: "), of("node: "));
    ensure!(listed == supported, "{listed:?}");
    ensure!(nodes.len() == listed.len(), "{nodes:?}");
    for (version, node) in listed.iter().zip(&nodes) {
        let start = format!("kindest/node:v{version}.");
        ensure!(
            node.starts_with(&start) && node.contains("@sha256:"),
            "{node}"
        );
    }
    let chart = read("charts/static-aws-credentials/Chart.yaml")?;
    let floor = format!("kubeVersion: \">={OLDEST}.0-0\"");
    ensure!(chart.lines().any(|line| line == floor), "{floor}");
    let built = read("tests/tools/cluster/tools/go.mod")?;
    let built = built
        .lines()
        .filter_map(|line| line.trim().strip_prefix("k8s.io/kubernetes v"));
    let built: Vec<&str> = built.collect();
    let newest = format!("{NEWEST}.");
    ensure!(
        built.iter().any(|version| version.starts_with(&newest)),
        "{built:?}"
    );
    Ok(())
}

#[test]
fn the_compiler_is_one_that_the_sources_allow_and_the_documentation_names() -> Result<()> {
    let file = read("rust-toolchain.toml")?;
    let mut lines = file.lines();
    let channel = lines.find_map(|line| line.strip_prefix("channel = \"")?.strip_suffix('"'));
    let channel = channel.context("no channel")?;
    let numbers = |version: &str| -> Result<Vec<u32>> {
        let parts = version.split('.');
        parts.map(|part| Ok(part.parse::<u32>()?)).collect()
    };
    let (used, oldest) = (numbers(channel)?, numbers(env!("CARGO_PKG_RUST_VERSION"))?);
    ensure!(used.len() == 3 && used >= oldest, "{channel}");
    ensure!(read("docs/image.md")?.contains(&format!("Rust {channel}")));
    Ok(())
}
