//! One target under libFuzzer, built with the instrumentation of `instrument`. An environment
//! variable names the target, since libFuzzer takes the command line.
#![no_main]
#![allow(
    unsafe_code,
    reason = "libFuzzer calls in by a symbol that is not mangled"
)]

use std::sync::OnceLock;

use fuzz::{TARGET_VARIABLE, Target, target};

static CHOSEN: OnceLock<&Target> = OnceLock::new();

fn choose() {
    let name = std::env::var(TARGET_VARIABLE).unwrap_or_default();
    let chosen = target(&name).unwrap_or_else(|| panic!("{TARGET_VARIABLE} names no target"));
    assert!(CHOSEN.set(chosen).is_ok(), "it is chosen once");
}

libfuzzer_sys::fuzz_target!(
    init: choose(),
    |input: &[u8]| {
        if let Some(chosen) = CHOSEN.get() {
            chosen.run(input);
        }
    }
);
