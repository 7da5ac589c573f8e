//! The table with the columns test, tried, survived.

use std::io::{Write, stdout};

use anyhow::Result;

use crate::{
    inventory::numbers,
    outcome::{Outcome, Outcomes},
};

/// Prints a row for each test that has a number or a report, and counts the others.
pub fn print(outcomes: &Outcomes) -> Result<()> {
    let mut rows: Vec<(Key, String)> = Vec::new();
    let mut others = (0, 0);
    for (name, outcome) in &outcomes.0 {
        if numbers(name).is_empty() && outcome.tried.is_empty() {
            others = (others.0 + 1, others.1 + u32::from(outcome.passed));
        } else {
            rows.extend(
                lines(name, outcome)
                    .into_iter()
                    .map(|line| (key(name), line)),
            );
        }
    }
    rows.sort();
    let mut out = stdout().lock();
    writeln!(out, "\n{:>9} {:>9}  test", "tried", "survived")?;
    for (_, line) in &rows {
        writeln!(out, "{line}")?;
    }
    writeln!(
        out,
        "{:>9} {:>9}  tests without a number",
        others.0, others.1
    )?;
    Ok(())
}

fn lines(name: &str, outcome: &Outcome) -> Vec<String> {
    if outcome.tried.is_empty() || !outcome.passed {
        return vec![format!("{:>9} {:>9}  {name}", 1, u8::from(outcome.passed))];
    }
    let tried = outcome.tried.iter();
    tried
        .map(|(tried, survived, what)| format!("{tried:>9} {survived:>9}  {name}: {what}"))
        .collect()
}

/// Sorts `f2` before `f10`, and tests without a number last.
type Key = (bool, char, u32);

fn key(name: &str) -> Key {
    let first = numbers(name).first().copied().unwrap_or_default();
    let letter = first.chars().next().unwrap_or_default();
    let number = first.get(1..).and_then(|digits| digits.parse().ok());
    (first.is_empty(), letter, number.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_in_their_order() {
        let mut names = ["model::states", "s1_rows", "f10_ten", "f2_two", "a1_one"];
        names.sort_by_key(|name| key(name));
        assert_eq!(
            names,
            ["a1_one", "f2_two", "f10_ten", "s1_rows", "model::states"]
        );
    }

    #[test]
    fn a_test_that_failed_survived_nothing_whatever_it_reported() {
        let outcome = Outcome {
            passed: false,
            tried: vec![(5, 5, "points".to_owned())],
        };
        assert_eq!(
            lines("f1_points", &outcome),
            ["        1         0  f1_points"]
        );
    }
}
