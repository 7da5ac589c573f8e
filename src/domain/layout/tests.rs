//! What every layout writes, and the values that AWS's own parser and others read from it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod bytes;
#[path = "../../../tests/support/layouts.rs"]
mod expected;
mod helper;
mod key_id;
mod keys;
mod readers;
mod refused;

use std::collections::BTreeMap;

use crate::{
    api::{Layout, TargetValue},
    domain::{
        layout::{Request, render},
        pair::{KeyPair, SecretText},
        verdict::Finding,
    },
};
use expected::{ID, REGION, SECRET, TTL};

/// Target data as written in a table.
type Entries<'a> = &'a [(&'a str, &'a str)];

/// Target data as text, for comparison.
type Data = BTreeMap<String, String>;

fn pair(id: &str, secret: &str) -> KeyPair {
    KeyPair {
        access_key_id: SecretText::new(id.to_owned()),
        secret_access_key: SecretText::new(secret.to_owned()),
    }
}

fn render_layouts(
    layouts: &[Layout],
    extra: &[(&str, TargetValue)],
    region: Option<&str>,
    pair: &KeyPair,
) -> Result<Data, Finding> {
    let keys = extra
        .iter()
        .map(|(key, value)| ((*key).to_owned(), *value))
        .collect();
    let request = Request {
        layouts,
        keys: &keys,
        region,
        ttl: TTL,
    };
    let data = render(&request, pair)?;
    Ok(data
        .into_iter()
        .map(|(key, bytes)| {
            (
                key,
                String::from_utf8(bytes.expose_secret().to_vec()).unwrap(),
            )
        })
        .collect())
}

fn render_layout(layout: Layout, region: Option<&str>) -> Data {
    render_layouts(&[layout], &[], region, &pair(ID, SECRET)).unwrap()
}

fn data(entries: Entries) -> Data {
    entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}
