//! Processing of untrusted bytes, and what must hold afterwards.
//!
//! A target is a function of bytes that panics if its oracle is broken. `cargo test` replays the
//! corpus and mutations of it; `cargo fuzz-targets` runs the same functions under libFuzzer, which
//! is guided by the branches that an input takes.

/// The kept inputs, one per line.
pub mod corpus;
/// libFuzzer with the targets.
pub mod engine;
mod ini;
/// Inputs that resemble those of a corpus.
pub mod mutate;
mod targets;
#[allow(
    dead_code,
    unused_imports,
    missing_docs,
    clippy::pedantic,
    reason = "shared with tests/decide"
)]
#[path = "../../../decide"]
mod decide {
    pub mod sim;
    pub mod properties {
        pub mod action;
    }
}

use decide::sim;
pub use targets::{
    credentials_file::{Taken, taken},
    layouts::{Written, written},
};

/// The variable that names the target for the engine.
pub const TARGET_VARIABLE: &str = "FUZZ_TARGET";

/// A function that processes untrusted bytes, with its oracle.
pub struct Target {
    /// Its name, and that of its corpus.
    pub name: &'static str,
    /// What holds for all bytes.
    pub promise: &'static str,
    /// Longer inputs are not tried.
    pub longest: usize,
    run: fn(&[u8]),
}

impl Target {
    /// Tries one input.
    ///
    /// # Panics
    /// If the promise does not hold.
    pub fn run(&self, input: &[u8]) {
        (self.run)(input);
    }
}

/// The target of that name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Every target.
pub static TARGETS: [Target; 12] = [
    Target {
        name: "source",
        promise: "a pair is taken as it is or refused with a reason, and no message depends on a value",
        longest: 512,
        run: targets::source::source,
    },
    Target {
        name: "key_id",
        promise: "an access key ID is taken if and only if it has the form of one",
        longest: 160,
        run: targets::source::key_id,
    },
    Target {
        name: "account",
        promise: "the account in an ID is what another decoder finds, and what an encoder put in",
        longest: 64,
        run: targets::account::account,
    },
    Target {
        name: "arn_pin",
        promise: "a pin is what the schema takes, and matches what a search through all ways matches",
        longest: 512,
        run: targets::arn_pin::arn_pin,
    },
    Target {
        name: "region",
        promise: "a region is what the schema takes, and its host is one of AWS for two foreign parsers",
        longest: 96,
        run: targets::region::region,
    },
    Target {
        name: "endpoint",
        promise: "an endpoint is HTTPS or loopback, and the same host for a foreign parser",
        longest: 128,
        run: targets::region::endpoint,
    },
    Target {
        name: "layouts",
        promise: "files and JSON are read back by foreign parsers as what was meant, or refused",
        longest: 256,
        run: targets::layouts::layouts,
    },
    Target {
        name: "credentials_file",
        promise: "a pair is taken from a file only if every other reader finds the same pair in the file",
        longest: 512,
        run: targets::credentials_file::credentials_file,
    },
    Target {
        name: "sts_reply",
        promise: "a pair is accepted or refused only if a foreign parser reads the same in the reply",
        longest: 4096,
        run: targets::sts_reply::sts_reply,
    },
    Target {
        name: "custom_resource",
        promise: "what the schema takes is parsed, and what is parsed keeps the schema's bounds",
        longest: 4096,
        run: targets::custom_resource::custom_resource,
    },
    Target {
        name: "manifests",
        promise: "a Secret is what the types of Kubernetes make of it, and no message shows a value",
        longest: 2048,
        run: targets::manifests::manifests,
    },
    Target {
        name: "world",
        promise: "whatever happens in whatever order, no rule of the design is broken, and then all rests",
        longest: 160,
        run: targets::world::world,
    },
];
