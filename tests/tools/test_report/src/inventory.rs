//! Numbered lines of the inventory. A test of a line has its number at the start of its name.

use crate::outcome::Outcomes;

/// Letter and number of lines: faults of the cluster, faults of STS, abuse.
const LINES: [(char, u32); 3] = [('f', 36), ('s', 7), ('a', 21)];

/// The numbers at the start of a test's name, such as `s1` and `s2` of `s1_s2_codes`.
pub fn numbers(name: &str) -> Vec<&str> {
    let function = name.rsplit("::").next().unwrap_or_default();
    let is_number = |part: &&str| {
        let letter = part
            .chars()
            .next()
            .filter(|first| LINES.iter().any(|(letter, _)| letter == first));
        let digits = part.get(1..).filter(|rest| !rest.is_empty());
        letter.is_some()
            && digits.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    function.split('_').take_while(is_number).collect()
}

/// The numbers without a passed test.
pub fn missing(outcomes: &Outcomes) -> Vec<String> {
    let passed = outcomes.0.iter().filter(|(_, outcome)| outcome.passed);
    let shown: Vec<&str> = passed.flat_map(|(name, _)| numbers(name)).collect();
    let all = LINES
        .iter()
        .flat_map(|(letter, count)| (1..=*count).map(move |at| format!("{letter}{at}")));
    all.filter(|number| !shown.contains(&number.as_str()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_begins_with_its_numbers() {
        assert_eq!(numbers("xml::s1_s2_codes_that"), ["s1", "s2"]);
        assert_eq!(numbers("f13_watch"), ["f13"]);
        assert!(numbers("a_watch_f13").is_empty());
        assert!(numbers("s3client").is_empty());
        assert!(numbers("").is_empty());
    }

    #[test]
    fn what_no_test_shows_is_missing() {
        let printed = "test f1_points ... ok\ntest s7_pins ... FAILED\n";
        let outcomes = Outcomes::read(printed, "").unwrap_or_default();
        let missing = missing(&outcomes);
        assert_eq!(missing.len(), 36 + 7 + 21 - 1);
        assert!(!missing.contains(&"f1".to_owned()) && missing.contains(&"s7".to_owned()));
    }
}
