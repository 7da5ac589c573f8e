//! Pairs that a file of a layout cannot carry.

use crate::api::{Layout, Reason, TargetValue};
use strum::VariantArray;

use super::{ID, REGION, pair, render_layouts};

const REFUSED: &[&str] = &[
    "#leading",
    ";leading",
    "in #side",
    "in ;side",
    "tab\t#",
    "no-break\u{a0};",
    " x",
    "x ",
    "\"quoted\"",
    "\"",
    "[x",
    "]x",
    "two\nlines",
    "x\r",
    "nul\0",
    "x\n[other]",
    "",
];

#[test]
fn a_layout_with_a_file_that_cannot_carry_the_pair_is_named_and_nothing_is_written() {
    // The files of SDKs, which are under this key in every layout, are all that refuse a pair.
    let mut all_but_files = Layout::VARIANTS.to_vec();
    all_but_files.retain(|layout| layout.keys(false).all(|key| key != "credentials"));
    for &secret in REFUSED {
        let pair = pair(ID, secret);
        for (layouts, named) in [
            (
                [Layout::Env, Layout::SharedCredentialsFile],
                "SharedCredentialsFile",
            ),
            (
                [Layout::ProcessJson, Layout::CloudCredential],
                "CloudCredential",
            ),
        ] {
            let finding = render_layouts(&layouts, &[], Some(REGION), &pair).unwrap_err();
            assert_eq!(finding.reason, Reason::LayoutCannotCarry);
            let start = format!("layout {named} cannot carry the pair: ");
            assert!(finding.message.starts_with(&start), "{}", finding.message);
            assert!(
                finding.message.chars().count() <= 300,
                "{}",
                finding.message
            );
            assert!(secret.len() < 4 || !finding.message.contains(secret));
        }
        let others = render_layouts(&all_but_files, &[], None, &pair).unwrap();
        assert_eq!(others["AWS_SECRET_ACCESS_KEY"], secret);
    }
}

#[test]
fn a_key_with_a_file_that_cannot_carry_the_pair_is_named_and_nothing_is_written() {
    let file = [("cloud", TargetValue::CredentialsFile)];
    for &secret in REFUSED {
        let finding =
            render_layouts(&[Layout::Env], &file, Some(REGION), &pair(ID, secret)).unwrap_err();
        assert_eq!(finding.reason, Reason::LayoutCannotCarry);
        let start = "key \"cloud\" cannot carry the pair: ";
        assert!(finding.message.starts_with(start), "{}", finding.message);
        assert!(secret.len() < 4 || !finding.message.contains(secret));
    }
}
