//! One row for each CEL rule of the definition: accepted examples, rejected examples, and the message.

use serde_json::Value;

use super::{class_ref, rotation, source, target, validation};

/// A rule and its examples, each a merge patch of [`super::valid`].
pub struct Case {
    /// Start of the rule's message. The first word is the rejected field.
    pub message: &'static str,
    pub accepted: Vec<Value>,
    /// Examples that violate this rule and no other.
    pub refused: Vec<Value>,
    /// Whether the operator refuses these examples too: an object may be older than the rule.
    pub parsed_again: bool,
}

impl Case {
    /// The same for a value that the operator parses again.
    pub fn parsed_again(self) -> Self {
        Self {
            parsed_again: true,
            ..self
        }
    }

    pub fn field(&self) -> &'static str {
        self.message.split_whitespace().next().unwrap_or_default()
    }
}

pub fn cases() -> Vec<Case> {
    [
        source::cases(),
        validation::cases(),
        class_ref::cases(),
        target::cases(),
        rotation::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub fn case<const A: usize, const R: usize>(
    message: &'static str,
    accepted: [Value; A],
    refused: [Value; R],
) -> Case {
    Case {
        message,
        accepted: accepted.into(),
        refused: refused.into(),
        parsed_again: false,
    }
}

/// Keys that a Secret takes, and keys that it does not take.
pub const KEYS: [&str; 5] = ["id", "a.b_c-D7", ".hidden", "a..b", "AWSSECRETACCESSKEY"];
pub const NO_KEYS: [&str; 8] = ["", ".", "..", "..data", "a/b", "a b", "schlüssel", "a\n"];

/// Key material in the place of a key.
pub const MATERIAL: [&str; 4] = [
    "AKIAIOSFODNN7EXAMPLE",
    "ASIAIOSFODNN7EXAMPLE",
    "key-AKIAIOSFODNN7EXAMPLE.txt",
    "wJalrXUtnFEMIxK7MDENGxbPxRfiCYEXAMPLEKEY",
];
