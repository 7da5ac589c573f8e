//! A Secret as it was written, and as an API server would store it. Pure; no message repeats a value.

use std::collections::BTreeMap;

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{GeneralPurpose, GeneralPurposeConfig},
};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::api::ObjectMeta;
use serde_json::{Map, Value};

use super::{
    fields::{metadata, shown},
    placeholder,
};
use crate::api::SecretRef;

/// Go's decoder, which API servers use, ignores leftover bits in the last character.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);
/// The most that a Secret holds.
const MOST: usize = 1024 * 1024;
const FIELDS: [&str; 7] = [
    "apiVersion",
    "kind",
    "metadata",
    "data",
    "stringData",
    "type",
    "immutable",
];
/// Keys that API servers require for some types.
const DEMANDED: [(&str, &[&str]); 4] = [
    ("kubernetes.io/tls", &["tls.crt", "tls.key"]),
    ("kubernetes.io/ssh-auth", &["ssh-privatekey"]),
    ("kubernetes.io/dockercfg", &[".dockercfg"]),
    ("kubernetes.io/dockerconfigjson", &[".dockerconfigjson"]),
];

/// A Secret as it was written.
pub struct RawSecret {
    /// Its metadata.
    pub metadata: ObjectMeta,
    object: Map<String, Value>,
}

type Result<T> = std::result::Result<T, String>;

impl RawSecret {
    pub(super) fn new(object: Map<String, Value>) -> Result<Self> {
        let metadata = metadata(&object, "Secret")?;
        Ok(Self { metadata, object })
    }

    /// The Secret as the API server would store it: `stringData` over `data`, `data` decoded.
    ///
    /// # Errors
    /// The API server would reject it, or it is encrypted. A key is named only if the source names it too: a
    /// person may have written a value in the place of a key.
    pub fn read(mut self, source: &SecretRef) -> Result<Secret> {
        if self.object.contains_key("sops") {
            return Err(
                "the Secret is encrypted with SOPS; decrypt it first: sops decrypt FILE | \
                        static-aws-credentials check -f -"
                    .to_owned(),
            );
        }
        self.is_a_secret()?;
        let data = self.data(source)?;
        let type_ = self.object.get("type").and_then(Value::as_str);
        let type_ = type_.map(str::to_owned);
        has_what_its_type_demands(type_.as_deref(), &data)?;
        Ok(Secret {
            metadata: self.metadata,
            data: Some(data),
            type_,
            ..Secret::default()
        })
    }

    /// Rejects errors outside of the data.
    fn is_a_secret(&self) -> Result<()> {
        let unknown = self
            .object
            .iter()
            .find(|(name, value)| !FIELDS.contains(&name.as_str()) && !value.is_null());
        if let Some((name, _)) = unknown {
            return Err(format!("the Secret has an unknown field {}", shown(name)));
        }
        let text = |name: &str| self.object.get(name).filter(|value| !value.is_null());
        if text("type").is_some_and(|value| !value.is_string()) {
            return Err("type of the Secret is not text; put it in quotes".to_owned());
        }
        if text("immutable").is_some_and(|value| !value.is_boolean()) {
            return Err("immutable of the Secret must be true or false, without quotes".to_owned());
        }
        match &self.metadata.name {
            None => Err("the Secret has no name; give it metadata.name".to_owned()),
            Some(name) if !is_subdomain(name) => Err(
                "metadata.name of the Secret must consist of lower case letters, digits, - and ."
                    .to_owned(),
            ),
            Some(_) => Ok(()),
        }
    }

    fn data(&mut self, source: &SecretRef) -> Result<BTreeMap<String, ByteString>> {
        let mut data = BTreeMap::new();
        for (key, value) in map(self.object.remove("data"), "data")? {
            let text = text(value, "data", &key, source)?;
            let decoded = decoded(&text).ok_or_else(|| not_base64(&text, &key, source))?;
            data.insert(key, ByteString(decoded));
        }
        for (key, value) in map(self.object.remove("stringData"), "stringData")? {
            let text = text(value, "stringData", &key, source)?;
            data.insert(key, ByteString(text.into_bytes()));
        }
        if data.keys().any(|key| !is_data_key(key)) {
            return Err(
                "a key of the Secret's data has characters other than letters, digits, -, _ and ."
                    .to_owned(),
            );
        }
        if data.values().map(|value| value.0.len()).sum::<usize>() > MOST {
            return Err("the Secret holds more than 1 MiB".to_owned());
        }
        Ok(data)
    }
}

fn has_what_its_type_demands(
    type_: Option<&str>,
    data: &BTreeMap<String, ByteString>,
) -> Result<()> {
    let demanded = DEMANDED.iter().find(|(of, _)| Some(*of) == type_);
    let missing = demanded.and_then(|(_, keys)| keys.iter().find(|key| !data.contains_key(**key)));
    if let Some(key) = missing {
        return Err(format!(
            "the type of the Secret requires the key {key}; leave the type out, or write Opaque"
        ));
    }
    let basic = ["username", "password"];
    if type_ == Some("kubernetes.io/basic-auth") && !basic.iter().any(|key| data.contains_key(*key))
    {
        return Err(
            "the type of the Secret requires the key username or password; leave the type out, or write Opaque"
                .to_owned(),
        );
    }
    Ok(())
}

fn not_base64(text: &str, key: &str, source: &SecretRef) -> String {
    let place = place("data", key, source);
    if placeholder::is_value(text) {
        return format!(
            "{place} is the value itself and data takes base64; put it under stringData as it is"
        );
    }
    format!(
        "{place} is not base64, so no API server accepts the Secret; encode it, or put it under stringData as it is"
    )
}

fn map(value: Option<Value>, field: &str) -> Result<Map<String, Value>> {
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(map)) => Ok(map),
        Some(_) => Err(format!(
            "{field} of the Secret is not a map of keys and values"
        )),
    }
}

fn text(value: Value, field: &str, key: &str, source: &SecretRef) -> Result<String> {
    match value {
        Value::String(text) => Ok(text),
        // The API server takes null for an empty text.
        Value::Null => Ok(String::new()),
        _ => {
            let place = place(field, key, source);
            Err(format!(
                "{place} is not text, so no API server accepts the Secret; put it in quotes"
            ))
        }
    }
}

fn place(field: &str, key: &str, source: &SecretRef) -> String {
    if source.keys().any(|read| read == key) {
        format!("{field}.{key} of the Secret")
    } else {
        format!("another value under {field} of the Secret")
    }
}

/// The API server ignores line breaks in base64, which block scalars and `base64` add.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let bytes: Vec<u8> = text
        .bytes()
        .filter(|byte| !b"\r\n".contains(byte))
        .collect();
    BASE64.decode(bytes).ok()
}

pub(super) fn is_data_key(key: &str) -> bool {
    let sign = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=253).contains(&key.len()) && key.bytes().all(sign) && key != "." && !key.starts_with("..")
}

pub(super) fn is_subdomain(name: &str) -> bool {
    let sign = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let label = |label: &str| {
        let inner = |byte: u8| sign(byte) || byte == b'-';
        let ends = |byte: Option<u8>| byte.is_some_and(sign);
        label.bytes().all(inner) && ends(label.bytes().next()) && ends(label.bytes().next_back())
    };
    name.len() <= 253 && name.split('.').all(label)
}
