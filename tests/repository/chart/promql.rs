//! Names of metrics in expressions, and the names that exist.

use std::collections::BTreeSet;

use anyhow::Result;
use static_aws_credentials::ops::metrics::Format;

use crate::exposition::{everything, families, text};

/// Prefixes of all metrics of the operator.
const PREFIXES: [&str; 6] = [
    "staticawscredentials_",
    "controller_runtime_",
    "workqueue_",
    "rest_client_",
    "leader_election_",
    "process_",
];

/// Every possible name of a series.
pub async fn series() -> Result<BTreeSet<String>> {
    let families = families(&text(&everything().await?, Format::Plain))?;
    Ok(families
        .into_values()
        .flat_map(|family| family.series)
        .collect())
}

/// Names of metrics in an expression: words with our prefixes, and words before a brace or a bracket.
pub fn names(expression: &str) -> BTreeSet<String> {
    // Quoted text is the value of a label.
    let unquoted: String = expression.split('"').step_by(2).collect();
    let mut names = BTreeSet::new();
    let mut word = String::new();
    for sign in unquoted.chars().chain([' ']) {
        if sign.is_ascii_alphanumeric() || sign == '_' || sign == ':' {
            word.push(sign);
            continue;
        }
        let ours = PREFIXES.iter().any(|prefix| word.starts_with(prefix));
        let selected = matches!(sign, '{' | '[') && !word.is_empty();
        if ours || selected {
            names.insert(std::mem::take(&mut word));
        }
        word.clear();
    }
    names
}

#[test]
fn names_are_found_and_labels_and_their_values_are_not() {
    let expression = r#"sum by (name) (rate(up{job="workqueue_x"}[5m])) / process_open_fds"#;
    let expected = ["process_open_fds", "up"].map(str::to_owned);
    assert_eq!(names(expression), BTreeSet::from(expected));
    assert!(names("vector(0)").is_empty());
}
