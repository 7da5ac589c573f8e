//! Unknown fields of a manifest and of its metadata. Pure.

use kube::api::ObjectMeta;
use serde_json::{Map, Value};

/// The path of the first unknown field, within maps and lists too.
pub fn unknown(written: &Value, known: &Value, path: &str) -> Option<String> {
    match (written, known) {
        (Value::Object(written), Value::Object(known)) => {
            written.iter().find_map(|(name, value)| {
                let path = format!("{path}.{}", shown(name));
                let empty = value.is_null() || is_empty(value);
                match known.get(name) {
                    Some(known) => unknown(value, known, &path),
                    None => (!empty).then_some(path),
                }
            })
        }
        (Value::Array(written), Value::Array(known)) => {
            let mut items = written.iter().zip(known).enumerate();
            items.find_map(|(at, (written, known))| {
                unknown(written, known, &format!("{path}[{at}]"))
            })
        }
        _ => None,
    }
}

/// The metadata of an object of a kind, without unknown fields.
pub fn metadata(object: &Map<String, Value>, of: &str) -> Result<ObjectMeta, String> {
    let written = match object.get("metadata") {
        None | Some(Value::Null) => Value::Object(Map::new()),
        Some(written) => written.clone(),
    };
    let read: Result<ObjectMeta, _> = serde_json::from_value(written.clone());
    let metadata = read.map_err(|_| format!("the metadata of a {of} in it cannot be read"))?;
    let known = serde_json::to_value(&metadata).unwrap_or_default();
    match unknown(&written, &known, "metadata") {
        None => Ok(metadata),
        Some(field) => Err(format!("a {of} in it has an unknown field {field}")),
    }
}

/// A name for a message, unless it may be a value in the place of a name.
pub fn shown(name: &str) -> &str {
    let is_name = name.len() <= 32 && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_name { name } else { "…" }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}
