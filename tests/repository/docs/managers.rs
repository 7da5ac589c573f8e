//! The tools whose Secrets are not adopted.

use anyhow::{Result, ensure};
use static_aws_credentials::domain::managers::{MANAGERS, Mark};

use super::pages::ROOT;

#[test]
fn every_mark_of_another_tool_is_in_the_documentation_and_in_the_fence() -> Result<()> {
    let read = |path: &str| std::fs::read_to_string(format!("{ROOT}/{path}"));
    let page = read("docs/gitops.md")?;
    let fence = read("charts/static-aws-credentials/templates/policies/fence.yaml")?;
    for manager in &MANAGERS {
        let row = page
            .lines()
            .find(|line| line.starts_with(&format!("| {} |", manager.name)));
        let row = row.unwrap_or_default();
        for mark in manager.marks {
            let (shown, guarded) = match mark {
                Mark::Key(key) => (format!("`{key}`"), format!("'{key}'")),
                Mark::Value(key, value) => {
                    (format!("`{key}: {value}`"), format!("'{key}={value}'"))
                }
                Mark::Prefix(prefix) => (
                    format!("begin with `{prefix}`"),
                    format!("k.startsWith('{prefix}')"),
                ),
            };
            ensure!(
                row.contains(&shown),
                "{}: {shown} is not in: {row}",
                manager.name
            );
            ensure!(fence.contains(&guarded), "{guarded} is not in the fence");
        }
    }
    Ok(())
}
