//! What the tests printed and reported.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

/// What became of one test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it passed; a test that was skipped did not.
    pub passed: bool,
    /// How often it tried what, and how often that was survived.
    pub tried: Vec<(u64, u64, String)>,
}

/// What became of all tests, by name.
#[derive(Debug, Default)]
pub struct Outcomes(pub BTreeMap<String, Outcome>);

impl Outcomes {
    /// Reads what the test harnesses printed, and the lines that the tests reported.
    pub fn read(printed: &str, report: &str) -> Result<Self> {
        let mut all = Self::default();
        for line in printed.lines() {
            let Some((name, end)) = line
                .strip_prefix("test ")
                .and_then(|rest| rest.rsplit_once(" ... "))
            else {
                continue;
            };
            let outcome = all
                .0
                .entry(name.trim().to_owned())
                .or_insert_with(|| Outcome {
                    passed: true,
                    ..Outcome::default()
                });
            outcome.passed &= end.trim() == "ok";
        }
        for line in report.lines() {
            let mut fields = line.splitn(4, '\t');
            let mut field = || {
                fields
                    .next()
                    .with_context(|| format!("a report that is torn: {line}"))
            };
            let (name, tried, survived, what) =
                (field()?, field()?.parse()?, field()?.parse()?, field()?);
            // A test may report parts of what it tried under names of their own.
            let outcome = all.0.entry(name.to_owned()).or_insert_with(|| Outcome {
                passed: true,
                ..Outcome::default()
            });
            outcome.tried.push((tried, survived, what.to_owned()));
        }
        ensure!(!all.0.is_empty(), "no test ran");
        Ok(all)
    }

    /// The tests that did not pass, or survived less than they tried.
    pub fn failed(&self) -> Vec<&str> {
        let lost = |outcome: &Outcome| {
            outcome
                .tried
                .iter()
                .any(|(tried, survived, _)| survived < tried)
        };
        let failed = self
            .0
            .iter()
            .filter(|(_, outcome)| !outcome.passed || lost(outcome));
        failed.map(|(name, _)| name.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "\nrunning 3 tests\ntest a4_theft ... ok\n\
        test slow has been running for over 60 seconds\ntest s1_rows ... FAILED\n\
        test f1_points ... ok\ntest skipped ... ignored\n";

    #[test]
    fn what_failed_or_was_skipped_or_not_survived_is_told() -> Result<()> {
        let outcomes = Outcomes::read(PRINTED, "f1_points\t12\t11\tpoints\n")?;
        assert_eq!(outcomes.failed(), ["f1_points", "s1_rows", "skipped"]);
        let survived = Outcomes::read(PRINTED, "f1_points\t12\t12\tpoints\n")?;
        assert_eq!(survived.failed(), ["s1_rows", "skipped"]);
        Ok(())
    }

    #[test]
    fn a_report_that_is_torn_or_of_nothing_is_an_error() {
        assert!(Outcomes::read(PRINTED, "f1_points\t1\n").is_err());
        assert!(Outcomes::read("", "").is_err());
    }

    #[test]
    fn a_part_of_a_test_has_a_row_of_its_own() -> Result<()> {
        let outcomes = Outcomes::read("test fuzz ... ok\n", "fuzz::region\t9\t8\tinputs\n")?;
        assert_eq!(outcomes.failed(), ["fuzz::region"]);
        Ok(())
    }

    #[test]
    fn a_test_that_fails_once_has_failed() -> Result<()> {
        let outcomes = Outcomes::read("test one ... FAILED\ntest one ... ok\n", "")?;
        assert_eq!(outcomes.failed(), ["one"]);
        Ok(())
    }
}
