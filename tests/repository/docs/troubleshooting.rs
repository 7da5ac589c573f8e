//! The table of what to do about each reason, generated from the table of reasons.

use std::fmt::Write as _;

use anyhow::Result;
use static_aws_credentials::api::Reason;
use strum::VariantArray;

use crate::docs::pages::fresh;

#[test]
fn the_page_explains_every_reason_once_in_their_order_and_no_other() -> Result<()> {
    let mut table = "| reason | what to do |\n|---|---|\n".to_owned();
    for reason in Reason::VARIANTS {
        writeln!(table, "| `{}` | {} |", reason.as_str(), reason.advice())?;
    }
    fresh("docs/troubleshooting.md", "reasons", &table)
}

#[test]
fn the_page_says_what_to_do_in_a_sentence() {
    for reason in Reason::VARIANTS {
        let advice = reason.advice();
        assert!(
            advice.len() > 6 && advice.ends_with(['.', '`']) && !advice.contains('|'),
            "{reason:?}: {advice}"
        );
    }
}
