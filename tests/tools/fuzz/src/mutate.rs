//! Mutations without guidance, for builds without instrumentation. The same seed gives the same mutations.

use std::collections::BTreeSet;

use fastrand::Rng;
use serde_json::Value;
use static_aws_credentials::api::crd;

use crate::corpus;

const DICTIONARY: &str = include_str!("../dictionary");

/// The source of the next inputs.
pub struct Mutations<'a> {
    random: Rng,
    inputs: &'a [Vec<u8>],
    words: Vec<Vec<u8>>,
    longest: usize,
}

impl<'a> Mutations<'a> {
    /// Mutations of these inputs, of at most this length.
    #[must_use]
    pub fn new(seed: u64, inputs: &'a [Vec<u8>], longest: usize) -> Self {
        Self {
            random: Rng::with_seed(seed),
            inputs,
            words: words(),
            longest,
        }
    }

    fn some_input(&mut self) -> Vec<u8> {
        self.random.choice(self.inputs).cloned().unwrap_or_default()
    }

    fn place(&mut self, input: &[u8]) -> usize {
        self.random.usize(0..=input.len())
    }

    fn range(&mut self, input: &[u8]) -> std::ops::Range<usize> {
        let (one, other) = (self.place(input), self.place(input));
        let start = one.min(other);
        // Mostly a short one.
        let end = one.max(other).min(start + (1 << self.random.u32(0..7)));
        start..end
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.place(input);
        let range = self.range(input);
        match self.random.u8(0..8) {
            0 => drop(input.drain(range)),
            1 => input.insert(at, self.random.u8(..)),
            2 => input.insert(at, self.random.u8(b' '..=b'~')),
            3 => {
                let copy = input[range].to_vec();
                input.splice(at..at, copy);
            }
            4 => {
                let other = self.some_input();
                let piece = other[self.range(&other)].to_vec();
                input.splice(range, piece);
            }
            5 | 6 => {
                let word = self.random.choice(&self.words).cloned();
                let until = if self.random.bool() {
                    at
                } else {
                    range.end.max(at)
                };
                input.splice(at..until, word.unwrap_or_default());
            }
            _ => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << self.random.u8(0..8);
                }
            }
        }
    }
}

impl Iterator for Mutations<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut input = self.some_input();
        for _ in 0..self.random.usize(1..6) {
            self.change(&mut input);
        }
        input.truncate(self.longest);
        Some(input)
    }
}

/// The words that libFuzzer is given too.
fn words() -> Vec<Vec<u8>> {
    let quoted = |line: &str| line.strip_prefix('"')?.strip_suffix('"').map(str::to_owned);
    let dictionary = dictionary();
    let words = dictionary.lines().filter_map(quoted);
    words
        .filter_map(|word| corpus::unescaped(&word).ok())
        .collect()
}

/// Words that mean something to one of the targets, one per line, in the format of libFuzzer.
#[must_use]
pub fn dictionary() -> String {
    let names: Vec<String> = names().iter().map(|name| format!("\"{name}\"\n")).collect();
    format!("{DICTIONARY}{}", names.concat())
}

/// Names of the fields of the spec, and values of their enumerations.
fn names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let definition = serde_json::to_value(crd()).unwrap_or_default();
    let spec = definition.pointer("/spec/versions/0/schema/openAPIV3Schema/properties/spec");
    collect(spec.unwrap_or(&Value::Null), &mut names);
    assert!(names.contains("layouts"), "the spec has fields");
    names
}

/// Adds the names in a schema.
fn collect(schema: &Value, names: &mut BTreeSet<String>) {
    let values = schema["enum"].as_array().into_iter().flatten();
    names.extend(values.filter_map(Value::as_str).map(str::to_owned));
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        names.insert(name.clone());
        collect(below, names);
    }
    for keyword in ["items", "additionalProperties"] {
        if let Some(below) = schema.get(keyword) {
            collect(below, names);
        }
    }
}
