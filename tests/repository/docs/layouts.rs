//! The README's table of layouts, generated from their keys.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use static_aws_credentials::api::{Layout, Target};
use strum::{EnumMessage as _, VariantArray as _};

use crate::docs::pages::fresh;

#[test]
fn the_readme_has_every_layout_with_its_keys() -> Result<()> {
    let mut table =
        "| layout (`spec.target.layouts`) | what it is | keys of the target |\n|---|---|---|\n"
            .to_owned();
    for layout in Layout::VARIANTS {
        let is_default = Target::default().layouts.contains(layout);
        let note = if is_default { " (default)" } else { "" };
        let purpose = layout.get_documentation().context("no doc comment")?;
        writeln!(
            table,
            "| `{}`{note} | {purpose} | {} |",
            layout.as_str(),
            keys(*layout)
        )?;
    }
    fresh("README.md", "layouts", &table)
}

fn keys(layout: Layout) -> String {
    let listed = |keys: &[&str]| format!("`{}`", keys.join("`, `"));
    let always: Vec<&str> = layout.keys(false).collect();
    let all = layout.keys(true);
    let with_region: Vec<&str> = all.filter(|key| !always.contains(key)).collect();
    if with_region.is_empty() {
        return listed(&always);
    }
    format!(
        "{}; with a region {}",
        listed(&always),
        listed(&with_region)
    )
}
