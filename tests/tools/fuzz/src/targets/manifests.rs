//! A stream of manifests, as `check -f` reads it.

use std::collections::BTreeMap;

use k8s_openapi::{ByteString, api::core::v1::Secret};
use serde_json::Value;
use static_aws_credentials::{
    api::{MANIFEST, SecretRef},
    cli::check::manifest::{Manifests, parse},
};

pub fn manifests(input: &[u8]) {
    let read = parse(input);
    let messages = match read {
        Ok(manifests) => judged(manifests),
        Err(message) => vec![message],
    };
    let objects = objects(input);
    let values = objects.iter().flat_map(values).collect::<Vec<_>>();
    for message in messages {
        let shown = values.iter().find(|value| message.contains(value.as_str()));
        assert_eq!(shown, None, "{message}");
    }
    for object in objects {
        assert_read_alike(object);
    }
}

fn judged(manifests: Manifests) -> Vec<String> {
    let resources = manifests.resources.into_iter();
    let resources = resources.filter_map(|resource| resource.read().err());
    let secrets = manifests.secrets.into_iter();
    let secrets = secrets.filter_map(|secret| secret.read(&source()).err());
    resources.chain(secrets).collect()
}

fn source() -> SecretRef {
    SecretRef::of("pair")
}

/// The objects of a JSON text, read by the JSON parser alone.
fn objects(input: &[u8]) -> Vec<Value> {
    let objects = serde_json::Deserializer::from_slice(input).into_iter::<Value>();
    let objects: Vec<Value> = objects.map_while(Result::ok).collect();
    objects.into_iter().filter(Value::is_object).collect()
}

/// Values that may be key material. A word of a sentence has no digit.
fn values(object: &Value) -> Vec<String> {
    let fields = ["data", "stringData"].map(|field| object[field].as_object());
    let values = fields
        .into_iter()
        .flatten()
        .flat_map(|field| field.values());
    let values = values
        .filter_map(Value::as_str)
        // The messages of the definition have examples.
        .filter(|value| !MANIFEST.contains(value))
        .filter(|value| value.len() >= 12 && value.bytes().any(|byte| byte.is_ascii_digit()));
    values.map(str::to_owned).collect()
}

/// A Secret that both parsers accept has the same content for the types of Kubernetes.
fn assert_read_alike(object: Value) {
    let text = object.to_string();
    let Some(ours) = content(text.as_bytes()) else {
        return;
    };
    let Ok(secret) = serde_json::from_value::<Secret>(object) else {
        return;
    };
    let mut theirs = secret.data.unwrap_or_default();
    let plain = secret.string_data.into_iter().flatten();
    theirs.extend(plain.map(|(key, value)| (key, ByteString(value.into_bytes()))));
    assert_eq!(ours, theirs, "{text}");
}

/// The content of the only Secret, if it is accepted.
fn content(text: &[u8]) -> Option<BTreeMap<String, ByteString>> {
    let mut secrets = parse(text).ok()?.secrets;
    let secret = secrets.pop().filter(|_| secrets.is_empty())?;
    secret.read(&source()).ok()?.data
}
