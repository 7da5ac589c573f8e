//! One row for each bound, pattern and enumeration of the definition outside the CEL rules.

use serde_json::{Value, json};

use super::{
    class_ref, rotation, source,
    status_bounds::{conditions, status},
    target, validation,
};

/// A keyword of the schema at a field, with examples on both sides of the limit.
pub struct Bound {
    /// As in [`super::definition::Node`].
    pub path: String,
    pub keyword: &'static str,
    pub limit: Value,
    /// Merge patches of [`super::valid`].
    pub accepted: Vec<Value>,
    pub refused: Vec<Value>,
}

/// Keywords that need a row at every field where they occur.
pub const KEYWORDS: [&str; 8] = [
    "maxLength",
    "minLength",
    "pattern",
    "enum",
    "minItems",
    "maxItems",
    "maxProperties",
    "required",
];

pub fn bounds() -> Vec<Bound> {
    [
        source::bounds(),
        validation::bounds(),
        class_ref::bounds(),
        target::bounds(),
        rotation::bounds(),
        conditions(),
        status(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether only the status subresource accepts the field.
pub fn of_status(bound: &Bound) -> bool {
    bound.path.starts_with("status")
}

pub fn longest(path: &str, limit: usize, accepted: &str, refused: &str) -> Bound {
    bound(
        path,
        "maxLength",
        json!(limit),
        [at(path, json!(accepted))],
        [at(path, json!(refused))],
    )
}

pub fn one_of(path: &str, values: &[&str]) -> Bound {
    Bound {
        path: path.to_owned(),
        keyword: "enum",
        limit: json!(values),
        accepted: values.iter().map(|value| at(path, json!(value))).collect(),
        refused: vec![at(path, json!("")), at(path, json!(values.concat()))],
    }
}

/// A merge patch that sets one field.
pub fn at(path: &str, value: Value) -> Value {
    path.rsplit('.')
        .fold(value, |value, name| json!({name: value}))
}

pub fn bound<const A: usize, const R: usize>(
    path: &str,
    keyword: &'static str,
    limit: Value,
    accepted: [Value; A],
    refused: [Value; R],
) -> Bound {
    Bound {
        path: path.to_owned(),
        keyword,
        limit,
        accepted: accepted.into(),
        refused: refused.into(),
    }
}
