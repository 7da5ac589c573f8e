//! The objects that tests start from: pairs, Secrets, resources.

use std::collections::BTreeMap;

use k8s_openapi::{ByteString, api::core::v1::Secret};
use serde_json::json;
use static_aws_credentials::{
    api::StaticAwsCredentials,
    domain::pair::{KeyPair, SecretText},
};

/// Name of the source of the resource `orders`.
pub const SOURCE: &str = "orders-key-pair";
/// Name of the target of the resource `orders`.
pub const TARGET: &str = "orders-credentials";
/// The account of the pairs `alpha` and `beta`.
pub const DEFAULT_ACCOUNT: u64 = 123_456_789_012;
const OTHER_ACCOUNT: u64 = 210_987_654_321;

/// A key pair and its identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    pub id: String,
    pub secret: String,
    pub account: u64,
    pub arn: String,
}

/// The pair that most tests begin with.
pub fn alpha() -> Pair {
    pair(DEFAULT_ACCOUNT, 1, "user/connectors/alpha")
}

/// Another user's pair of the same account.
pub fn beta() -> Pair {
    pair(DEFAULT_ACCOUNT, 2, "user/connectors/beta")
}

/// A pair of another account.
pub fn foreign_account() -> Pair {
    pair(OTHER_ACCOUNT, 3, "user/gamma")
}

/// A root user's pair.
pub fn root() -> Pair {
    pair(DEFAULT_ACCOUNT, 4, "root")
}

/// All pairs.
pub fn universe() -> [Pair; 4] {
    [alpha(), beta(), foreign_account(), root()]
}

/// The ARN that AWS returns for an access key ID.
pub fn arn_of(id: &str) -> Option<String> {
    let pair = universe().into_iter().find(|pair| pair.id == id);
    pair.map(|pair| pair.arn)
}

fn pair(account: u64, serial: u32, user: &str) -> Pair {
    Pair {
        id: access_key_id(account, serial),
        secret: format!("{serial}secret/of+the/pair+number/{serial}/abcdefghij{serial}"),
        account,
        arn: format!("arn:aws:iam::{account:012}:{user}"),
    }
}

/// An ID of the present generation: a set bit, the account, and a number for each key.
fn access_key_id(account: u64, serial: u32) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let tail = u128::from(serial.wrapping_mul(0x9E37_79B9));
    let bits = (1_u128 << 79) | (u128::from(account) << 39) | tail;
    let letter = |at: u32| char::from(ALPHABET[((bits >> (75 - 5 * at)) & 31) as usize]);
    format!("AKIA{}", (0..16).map(letter).collect::<String>())
}

impl Pair {
    /// The same ID with a wrong secret.
    pub fn with_wrong_secret(mut self) -> Self {
        self.secret = self.secret.replace("secret", "wrongs");
        self
    }

    /// The characters of the ID that may be shown.
    pub fn suffix(&self) -> &str {
        &self.id[self.id.len() - 4..]
    }

    /// The content of a source.
    pub fn data(&self) -> BTreeMap<String, ByteString> {
        data(&[
            ("AWS_ACCESS_KEY_ID", &self.id),
            ("AWS_SECRET_ACCESS_KEY", &self.secret),
        ])
    }
}

/// A pair as the operator holds it.
pub fn key_pair(pair: &Pair) -> KeyPair {
    KeyPair {
        access_key_id: SecretText::new(pair.id.clone()),
        secret_access_key: SecretText::new(pair.secret.clone()),
    }
}

/// Data of a Secret.
pub fn data(entries: &[(&str, &str)]) -> BTreeMap<String, ByteString> {
    let entry =
        |(key, value): &(&str, &str)| ((*key).to_owned(), ByteString((*value).as_bytes().to_vec()));
    entries.iter().map(entry).collect()
}

/// A Secret with some data.
pub fn secret(name: &str, data: BTreeMap<String, ByteString>) -> Secret {
    let mut secret = Secret {
        data: Some(data),
        type_: Some("Opaque".to_owned()),
        ..Secret::default()
    };
    secret.metadata.name = Some(name.to_owned());
    secret
}

/// A resource as a user writes it, with all defaults.
pub fn resource(name: &str) -> StaticAwsCredentials {
    let spec = json!({
        "secretRef": { "name": format!("{name}-key-pair") },
        "region": "eu-west-1",
    });
    let spec = serde_json::from_value(spec).expect("the spec is valid");
    StaticAwsCredentials::new(name, spec)
}
