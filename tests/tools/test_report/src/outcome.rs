//! Output and reports of the tests.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

/// Result of one test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Whether the test passed; a skipped test did not.
    pub passed: bool,
    /// Number of attempts, number of successes, and the subject.
    pub tried: Vec<(u64, u64, String)>,
}

/// Results of all tests, by name.
#[derive(Debug, Default)]
pub struct Outcomes(pub BTreeMap<String, Outcome>);

impl Outcomes {
    /// Parses the output of the test harnesses, and the lines that the tests reported.
    pub fn read(printed: &str, report: &str) -> Result<Self> {
        let mut all = Self::default();
        for (name, passed) in ended(printed) {
            let outcome = all.0.entry(name.to_owned()).or_insert_with(|| Outcome {
                passed: true,
                ..Outcome::default()
            });
            outcome.passed &= passed;
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
            // A test reports under the name of its function, or its parts under separate names.
            let is_reporter = |test: &&String| test.rsplit("::").next() == Some(name);
            let test = all.0.keys().find(is_reporter).cloned();
            let test = test.unwrap_or_else(|| name.to_owned());
            let outcome = all.0.entry(test).or_insert_with(|| Outcome {
                passed: true,
                ..Outcome::default()
            });
            outcome.tried.push((tried, survived, what.to_owned()));
        }
        ensure!(!all.0.is_empty(), "no test ran");
        Ok(all)
    }

    /// The tests that failed, or had fewer successes than attempts.
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

/// The tests in the output, and whether each passed. A harness prints a line in two pieces; output
/// of the test itself may come between them, and then `ok` begins a new line.
fn ended(printed: &str) -> Vec<(&str, bool)> {
    let mut ended = Vec::new();
    let mut torn: Vec<&str> = Vec::new();
    for line in printed.lines() {
        let test = line
            .strip_prefix("test ")
            .and_then(|rest| rest.split_once(" ... "));
        if let Some((name, end)) = test {
            match passed(end) {
                Some(passed) => ended.push((name.trim(), passed)),
                None => torn.push(name.trim()),
            }
        } else if let Some(passed) = passed(line) {
            ended.extend(torn.pop().map(|name| (name, passed)));
        }
    }
    // A test without a result failed.
    ended.extend(torn.into_iter().map(|name| (name, false)));
    ended
}

/// Whether a test passed, from the word that the harness prints.
fn passed(word: &str) -> Option<bool> {
    match word.trim() {
        "ok" => Some(true),
        "FAILED" => Some(false),
        word => word.starts_with("ignored").then_some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "\nrunning 3 tests\ntest a4_theft ... ok\n\
        test slow has been running for over 60 seconds\ntest s1_rows ... FAILED\n\
        test f1_points ... ok\ntest skipped ... ignored\n";

    #[test]
    fn what_failed_or_was_skipped_or_not_survived_is_reported() -> Result<()> {
        let outcomes = Outcomes::read(PRINTED, "f1_points\t12\t11\tpoints\n")?;
        assert_eq!(outcomes.failed(), ["f1_points", "s1_rows", "skipped"]);
        let survived = Outcomes::read(PRINTED, "f1_points\t12\t12\tpoints\n")?;
        assert_eq!(survived.failed(), ["s1_rows", "skipped"]);
        Ok(())
    }

    #[test]
    fn a_line_into_which_a_test_printed_is_read_all_the_same() -> Result<()> {
        let printed = "test f18_etcd ... SEED=3\nmore ... of it\nok\ntest f19_store ... away ... ok\n\
            FAILED\ntest f20_bursts ... ok\ntest f21_definition ... SEED=4\n";
        let outcomes = Outcomes::read(printed, "")?;
        assert_eq!(outcomes.failed(), ["f19_store", "f21_definition"]);
        assert_eq!(outcomes.0.len(), 4);
        Ok(())
    }

    #[test]
    fn a_report_that_is_torn_or_of_nothing_is_an_error() {
        assert!(Outcomes::read(PRINTED, "f1_points\t1\n").is_err());
        assert!(Outcomes::read("", "").is_err());
    }

    #[test]
    fn a_report_has_the_name_of_a_function() -> Result<()> {
        let outcomes = Outcomes::read(
            "test chaos::f1_points ... ok\n",
            "f1_points\t9\t8\tpoints\n",
        )?;
        assert_eq!(outcomes.failed(), ["chaos::f1_points"]);
        assert_eq!(outcomes.0.len(), 1);
        Ok(())
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
