//! What is to be judged, and by which rules.

use super::rules::Rules;
use crate::domain::decide::Source;

/// What is judged.
pub struct Subject {
    /// The rules.
    pub rules: Rules,
    /// The Secret.
    pub source: Source,
}

/// Why there is nothing to judge.
#[derive(Debug)]
pub enum Obstacle {
    /// The Secret holds a placeholder, which no operator takes for a pair.
    NoPair(String),
    /// The command line or a manifest is wrong.
    Unusable(String),
    /// The cluster does not answer, or denies the read.
    Unreadable(String),
}
