//! The release's workflow. It is linted, and not run here.

use std::{path::Path, process::Command};

use anyhow::Result;
use cluster::{tools, tools::Tool};

/// The report of actionlint, without the linter for shell scripts, which it would use if installed.
fn lint(workflow: &Path) -> Result<(bool, String)> {
    let output = Command::new(tools::find(Tool::Actionlint)?)
        .args(["-no-color", "-shellcheck=", "-pyflakes="])
        .arg(workflow)
        .output()?;
    let report = String::from_utf8(output.stdout)? + &String::from_utf8(output.stderr)?;
    Ok((output.status.success(), report))
}

#[test]
fn every_workflow_is_sound() -> Result<()> {
    let workflows = Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/workflows");
    let mut linted = 0;
    for entry in std::fs::read_dir(workflows)? {
        let (is_sound, report) = lint(&entry?.path())?;
        assert!(is_sound, "{report}");
        linted += 1;
    }
    assert!(linted > 0, "there is no workflow");
    Ok(())
}

#[test]
fn the_linter_finds_what_is_wrong() -> Result<()> {
    let workflow = include_str!("../../.github/workflows/release.yaml");
    let wrong = workflow.replace("needs: image", "needs: immage");
    assert_ne!(workflow, wrong);
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("wrong.yaml");
    std::fs::write(&file, wrong)?;
    let (is_sound, report) = lint(&file)?;
    assert!(!is_sound && report.contains("immage"), "{report}");
    Ok(())
}
