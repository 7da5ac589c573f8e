//! Manifests as people and pipelines write them: the Secrets and resources in them. Pure; no message repeats the
//! text, which holds key material.

use std::{collections::BTreeSet, sync::LazyLock};

use kube::api::ObjectMeta;
use serde_json::{Map, Value};

use super::{
    fields::{metadata, unknown},
    secret::RawSecret,
    spec, stream,
};
use crate::api::{self, StaticAwsCredentials};

/// What a stream of manifests holds.
#[derive(Default)]
pub struct Manifests {
    /// Secrets, not read yet: errors in a Secret that is not selected do not matter.
    pub secrets: Vec<RawSecret>,
    /// Resources of our kind, not read yet either.
    pub resources: Vec<RawResource>,
    /// Classes as they were written.
    pub classes: Vec<Map<String, Value>>,
    others: BTreeSet<String>,
}

/// A resource as it was written.
pub struct RawResource {
    /// Its metadata.
    pub metadata: ObjectMeta,
    object: Map<String, Value>,
}

type Result<T> = std::result::Result<T, String>;

/// Reads a stream of YAML or JSON documents, including lists.
///
/// # Errors
/// A sentence about what the input is instead.
pub fn parse(bytes: &[u8]) -> Result<Manifests> {
    let text = stream::text(bytes)?;
    let mut manifests = Manifests::default();
    for document in stream::documents(&text)? {
        manifests.take(document)?;
    }
    Ok(manifests)
}

/// The items of a list. Items of a list of one kind may omit kind and version.
fn items(object: &mut Map<String, Value>) -> Option<Vec<Value>> {
    let kind = field(object, "kind")?.strip_suffix("List")?.to_owned();
    let version = object.get("apiVersion").cloned();
    let mut items = match object.remove("items")? {
        Value::Array(items) => items,
        _ => Vec::new(),
    };
    let known = version.filter(|_| !kind.is_empty());
    for item in items.iter_mut().filter_map(Value::as_object_mut) {
        if let Some(version) = &known {
            item.entry("kind").or_insert_with(|| kind.clone().into());
            item.entry("apiVersion").or_insert_with(|| version.clone());
        }
    }
    Some(items)
}

fn field<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

impl Manifests {
    fn take(&mut self, document: Value) -> Result<()> {
        let Value::Object(mut object) = document else {
            return no_manifest(&document);
        };
        let Some(items) = items(&mut object) else {
            return self.add(object);
        };
        for item in items {
            match item {
                Value::Object(object) if object.contains_key("items") => {
                    return Err(
                        "it holds a list within a list, which kubectl does not expand".to_owned(),
                    );
                }
                Value::Object(object) => self.add(object)?,
                item => no_manifest(&item)?,
            }
        }
        Ok(())
    }

    fn add(&mut self, object: Map<String, Value>) -> Result<()> {
        let (Some(version), Some(kind)) = (field(&object, "apiVersion"), field(&object, "kind"))
        else {
            return Err(
                "it is not a Kubernetes manifest: apiVersion or kind is missing".to_owned(),
            );
        };
        match (version, kind) {
            ("v1", "Secret") => self.secrets.push(RawSecret::new(object)?),
            (api::API_VERSION, api::KIND) => self.resources.push(RawResource::new(object)?),
            (api::API_VERSION, api::CLASS_KIND) => self.classes.push(object),
            _ if is_meant(version, kind) => {
                return Err(format!(
                    "it holds a resource with a wrong apiVersion or kind, whose rules would be ignored: write \
                     apiVersion: {}, kind: {}",
                    api::API_VERSION,
                    api::KIND
                ));
            }
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

/// An empty document is allowed.
fn no_manifest(value: &Value) -> Result<()> {
    if value.is_null() {
        Ok(())
    } else {
        Err("it is not a Kubernetes manifest".to_owned())
    }
}

/// Whether a kind or a version is probably meant to be ours.
fn is_meant(version: &str, kind: &str) -> bool {
    let group = version.split('/').next().unwrap_or_default();
    let kind = kind.to_ascii_lowercase();
    group == api::GROUP || kind.contains("staticawscredential")
}

impl RawResource {
    fn new(object: Map<String, Value>) -> Result<Self> {
        let metadata = metadata(&object, api::KIND)?;
        Ok(Self { metadata, object })
    }

    /// The resource. An unknown field is rejected as `kubectl` rejects it: a pin that is misspelt, or that stands
    /// beside the spec, would be no pin at all.
    ///
    /// # Errors
    /// It cannot be read, or has an unknown field.
    pub fn read(self) -> Result<StaticAwsCredentials> {
        self.has_nothing_beside_its_spec()?;
        let kind = api::KIND;
        let mut object = self.object;
        // Only the operator writes the status, and the API server ignores it at a creation.
        object.remove("status");
        let mut written = Value::Object(object);
        without_nulls(&mut written);
        if let Some(problem) = number_for_text(&written) {
            return Err(format!("no API server accepts the {kind} in it: {problem}"));
        }
        // The error's own text repeats a value that stands in the wrong place.
        let read = serde_json::from_value(written.clone());
        let resource: StaticAwsCredentials = read.map_err(|_| {
            format!("the {kind} in it cannot be read; `kubectl apply --dry-run=server` says why")
        })?;
        let spec = serde_json::to_value(&resource.spec).unwrap_or_default();
        let unknown = written
            .get("spec")
            .and_then(|written| unknown(written, &spec, "spec"));
        if let Some(field) = unknown {
            return Err(format!("the {kind} in it has an unknown field {field}"));
        }
        match spec::refused(&resource) {
            Some(why) => Err(format!("no API server accepts the {kind} in it: {why}")),
            None => Ok(resource),
        }
    }

    fn has_nothing_beside_its_spec(&self) -> Result<()> {
        const FIELDS: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];
        let kind = api::KIND;
        let mut names = self.object.keys().map(String::as_str);
        match names.find(|name| !FIELDS.contains(name)) {
            None => Ok(()),
            Some(name) if is_field_of_spec(name) => Err(format!(
                "the {kind} in it has {name} beside spec; move it into spec"
            )),
            Some(_) => Err(format!("the {kind} in it has an unknown field beside spec")),
        }
    }
}

/// Whether the shipped definition has the field directly in the spec.
fn is_field_of_spec(name: &str) -> bool {
    const FIELDS: &str = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
    static DEFINITION: LazyLock<Value> =
        LazyLock::new(|| serde_saphyr::from_str(api::MANIFEST).unwrap_or_default());
    let fields = DEFINITION.pointer(FIELDS);
    fields.is_some_and(|fields| fields.get(name).is_some())
}

/// YAML reads an account ID without quotes as a number, and drops a 0 at its beginning.
fn number_for_text(written: &Value) -> Option<&'static str> {
    let account = written.pointer("/spec/validation/accountId");
    let is_number = account.is_some_and(Value::is_number);
    is_number.then_some("spec.validation.accountId is a number; put it in quotes")
}

/// The API server drops nulls before it applies defaults.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|_, value| !value.is_null());
            object.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}
