//! docs/check.md and the README show the program's actual output, and name every flag.

use std::sync::Arc;

use anyhow::Result;

use crate::{
    check::{
        api::GOOD,
        program::check,
        test_cluster::{PAIR, TestCluster, secret, sts},
        verdicts::{asking, with},
    },
    suite::tests,
};

tests![
    the_documentation_shows_what_is_printed,
    the_documentation_names_every_flag,
];

const DOCUMENTATION: &str = include_str!("../../../docs/check.md");
const README: &str = include_str!("../../../README.md");

async fn the_documentation_shows_what_is_printed(_: Arc<TestCluster>) -> Result<()> {
    let sts = sts().await?;
    let wrong = "wSecretThatIsNotThatOfTheKeyID+/wSecretT";
    let newline = format!("{}\n", PAIR.1);
    for (key, flags, place) in [
        (PAIR.1, vec![], DOCUMENTATION),
        (PAIR.1, vec!["-o", "json"], DOCUMENTATION),
        (wrong, vec![], DOCUMENTATION),
        (&newline, vec![], README),
    ] {
        let run = check(with(asking(&sts), &flags))
            .input(secret(PAIR.0, key))
            .run()
            .await?;
        let shown = format!("```{}\n{}```", flags.last().unwrap_or(&""), run.out);
        assert!(place.contains(&shown), "{}", run.output());
    }
    assert!(DOCUMENTATION.contains(GOOD));
    Ok(())
}

async fn the_documentation_names_every_flag(_: Arc<TestCluster>) -> Result<()> {
    let help = check(["-h"]).run().await?.out;
    let flags = help.lines().filter_map(|line| {
        let (_, rest) = line
            .split_once("--")
            .filter(|(before, _)| before.trim().len() <= 3)?;
        rest.split_whitespace().next()
    });
    let flags: Vec<&str> = flags.filter(|flag| *flag != "help").collect();
    assert!(flags.len() > 12, "{help}");
    for flag in flags {
        let named = [
            format!("`--{flag} "),
            format!(" `--{flag}"),
            format!(", `--{flag}"),
            format!("`-{}`, `--{flag}", &flag[..1]),
        ];
        let named = named.iter().any(|form| DOCUMENTATION.contains(form));
        assert!(named, "docs/check.md does not name --{flag}");
    }
    Ok(())
}
