//! Manifests as people and pipelines write them: which Secrets and resources are in them. Pure; no
//! message repeats the text, which holds key material.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, engine::general_purpose::STANDARD};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::api::ObjectMeta;
use serde_json::{Map, Value};

use crate::{
    api::{self, SecretRef, StaticAwsCredentials},
    yaml,
};

/// What a stream of manifests holds.
#[derive(Default)]
pub struct Manifests {
    /// Secrets, unread as yet: what is wrong with one that nobody asks for is nobody's concern.
    pub secrets: Vec<RawSecret>,
    /// Resources of our kind.
    pub resources: Vec<StaticAwsCredentials>,
    others: BTreeSet<String>,
}

/// A Secret as it was written.
pub struct RawSecret {
    /// Its metadata.
    pub metadata: ObjectMeta,
    object: Map<String, Value>,
}

type Result<T> = std::result::Result<T, String>;

/// Reads a stream of YAML or JSON documents, lists among them.
///
/// # Errors
/// A sentence about what it is instead.
pub fn parse(bytes: &[u8]) -> Result<Manifests> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    let documents = yaml::documents(text)?;
    let mut manifests = Manifests::default();
    let mut open = documents;
    open.reverse();
    while let Some(document) = open.pop() {
        match document {
            Value::Null => {}
            Value::Object(mut object) if is_list(&object) => {
                if let Some(Value::Array(items)) = object.remove("items") {
                    open.extend(items.into_iter().rev());
                }
            }
            Value::Object(object) => manifests.add(object)?,
            _ => return Err("it is not a Kubernetes manifest".to_owned()),
        }
    }
    Ok(manifests)
}

fn is_list(object: &Map<String, Value>) -> bool {
    field(object, "apiVersion") == Some("v1") && field(object, "kind") == Some("List")
}

fn field<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

impl Manifests {
    fn add(&mut self, object: Map<String, Value>) -> Result<()> {
        let (Some(version), Some(kind)) = (field(&object, "apiVersion"), field(&object, "kind"))
        else {
            return Err(
                "it is not a Kubernetes manifest: apiVersion or kind is missing".to_owned(),
            );
        };
        match (version, kind) {
            ("v1", "Secret") => self.secrets.push(RawSecret::new(object)?),
            (api::API_VERSION, api::KIND) => self.resources.push(resource(object)?),
            _ => {
                let kind: String = kind.chars().filter(char::is_ascii_alphanumeric).collect();
                self.others.insert(kind);
            }
        }
        Ok(())
    }

    /// The other kinds in it, for messages.
    #[must_use]
    pub fn others(&self) -> String {
        let others: Vec<&str> = self.others.iter().map(String::as_str).collect();
        others.join(", ")
    }
}

/// A field that is no part of the spec is refused as `kubectl` refuses it: a pin that is misspelt
/// would be no pin at all.
fn resource(object: Map<String, Value>) -> Result<StaticAwsCredentials> {
    let written = Value::Object(object);
    // The error's own text repeats a value that stands in the wrong place.
    let resource: StaticAwsCredentials = serde_json::from_value(written.clone()).map_err(|_| {
        let kind = api::KIND;
        format!("the {kind} in it cannot be read; `kubectl apply --dry-run=server` says why")
    })?;
    let spec = serde_json::to_value(&resource.spec).unwrap_or_default();
    let unknown = written
        .get("spec")
        .and_then(|written| unknown(written, &spec, "spec"));
    unknown.map_or(Ok(resource), |field| {
        Err(format!(
            "the {} in it has an unknown field {field}",
            api::KIND
        ))
    })
}

/// The path of the first field that is written and not known, within maps and lists too.
fn unknown(written: &Value, known: &Value, path: &str) -> Option<String> {
    match (written, known) {
        (Value::Object(written), Value::Object(known)) => {
            written.iter().find_map(|(name, value)| {
                let is_name =
                    name.len() <= 32 && name.bytes().all(|byte| byte.is_ascii_alphabetic());
                let path = format!("{path}.{}", if is_name { name } else { "…" });
                let empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
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

impl RawSecret {
    fn new(mut object: Map<String, Value>) -> Result<Self> {
        let metadata = object.remove("metadata").unwrap_or_default();
        let metadata: ObjectMeta = serde_json::from_value(metadata)
            .map_err(|_| "the metadata of a Secret in it cannot be read".to_owned())?;
        Ok(Self { metadata, object })
    }

    /// The Secret as the API server would store it: `stringData` over `data`, `data` decoded.
    ///
    /// # Errors
    /// The API server would refuse it, or it is encrypted. A key is named only if it is one of
    /// those that the source names: somebody may have written a value in a key's place.
    pub fn read(self, source: &SecretRef) -> Result<Secret> {
        let Self {
            metadata,
            mut object,
        } = self;
        if object.contains_key("sops") {
            return Err(
                "the Secret is encrypted with SOPS; decrypt it first: sops decrypt FILE | \
                        static-aws-credentials check -f -"
                    .to_owned(),
            );
        }
        let mut data = BTreeMap::new();
        for (key, value) in map(object.remove("data"), "data")? {
            let text = text(value, "data", &key, source)?;
            let decoded = decoded(&text).ok_or_else(|| {
                let place = place("data", &key, source);
                format!(
                    "{place} is not base64, so no API server takes the Secret; encode it, or put it \
                     under stringData as it is"
                )
            })?;
            data.insert(key, ByteString(decoded));
        }
        for (key, value) in map(object.remove("stringData"), "stringData")? {
            let text = text(value, "stringData", &key, source)?;
            data.insert(key, ByteString(text.into_bytes()));
        }
        let type_ = object
            .get("type")
            .and_then(Value::as_str)
            .map(str::to_owned);
        Ok(Secret {
            metadata,
            data: Some(data),
            type_,
            ..Secret::default()
        })
    }
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
        // As the API server takes it.
        Value::Null => Ok(String::new()),
        _ => {
            let place = place(field, key, source);
            Err(format!(
                "{place} is not text, so no API server takes the Secret; put it in quotes"
            ))
        }
    }
}

fn place(field: &str, key: &str, source: &SecretRef) -> String {
    if key == source.access_key_id_key || key == source.secret_access_key_key {
        format!("{field}.{key} of the Secret")
    } else {
        format!("another value under {field} of the Secret")
    }
}

/// The API server passes over line breaks in base64, which block scalars and `base64` bring along.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let bytes: Vec<u8> = text
        .bytes()
        .filter(|byte| !b"\r\n".contains(byte))
        .collect();
    STANDARD.decode(bytes).ok()
}
