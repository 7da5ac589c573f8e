//! One file for each kind of bytes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

pub mod account;
pub mod arn_pin;
pub mod credentials_file;
pub mod custom_resource;
pub mod layouts;
pub mod manifests;
pub mod region;
pub mod source;
pub mod sts_reply;
pub mod world;

/// Two texts in one input: before the first `|`, and after it, if there is one.
fn halves(input: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = input.splitn(2, |byte| *byte == b'|');
    (parts.next().unwrap_or_default(), parts.next())
}

/// A message that depends on a value would differ from value to value, and soon exceed the number of
/// messages in the code.
fn is_one_of_few(kind: &'static str, message: String) {
    const FEW: usize = 20;
    static SEEN: Mutex<BTreeMap<&str, BTreeSet<String>>> = Mutex::new(BTreeMap::new());
    assert!(message.len() <= 512, "{message}");
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let messages = seen.entry(kind).or_default();
    messages.insert(message);
    assert!(messages.len() <= FEW, "{messages:?}");
}
