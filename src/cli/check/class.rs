//! The class that the rules name: from a manifest of its own, from the stream of manifests, or from the cluster.

use std::sync::Arc;

use kube::ResourceExt;
use serde_json::{Map, Value};

use super::{manifest, stream};
use crate::{
    api::CLASS_KIND,
    cli::args::check::CheckArgs,
    domain::{
        class::{Class, not_found, undecodable},
        place::Store,
        verdict::Finding,
    },
    runtime::watched_class::WatchedClass,
};

/// The class of this name in the manifest of `--class-file`, or in a stream of manifests.
///
/// # Errors
/// The manifest cannot be read, or has no such class.
pub fn in_manifests(
    args: &CheckArgs,
    name: &str,
    stream: Vec<Map<String, Value>>,
) -> Result<WatchedClass, String> {
    let (classes, shown) = match &args.class_file {
        None => (stream, "the manifests".to_owned()),
        Some(path) => {
            let shown = path.display().to_string();
            let bytes = stream::read(path).map_err(|problem| format!("{shown}: {problem}"))?;
            let read = manifest::parse(&bytes).map_err(|problem| format!("{shown}: {problem}"))?;
            (read.classes, shown)
        }
    };
    let of_name = |class: &Map<String, Value>| {
        class
            .get("metadata")
            .and_then(|metadata| metadata.get("name"))
            == Some(&name.into())
    };
    let Some(class) = classes.into_iter().find(of_name) else {
        return Err(format!(
            "spec.classRef: {shown} has no {CLASS_KIND} \"{name}\"; name a manifest that has it with --class-file"
        ));
    };
    serde_json::from_value(Value::Object(class)).map_err(|_| {
        format!(
            "the {CLASS_KIND} \"{name}\" in {shown} cannot be read; `kubectl apply --dry-run=server` says why"
        )
    })
}

/// The store of a class, as a resource of a namespace may use it. The namespace of a manifest may be unknown.
///
/// # Errors
/// The class cannot be used, or does not allow the namespace.
pub fn resolve(
    class: Option<&WatchedClass>,
    name: &str,
    namespace: &str,
) -> Result<Arc<Store>, Finding> {
    let class = class.ok_or_else(|| not_found(name))?;
    let class = class.0.as_ref();
    let parsed = Class::parse(class.map_err(|invalid| undecodable(name, &invalid.error))?)?;
    if namespace.is_empty() {
        return Ok(parsed.store);
    }
    parsed.for_namespace(namespace)
}

/// A note about a namespace that is not known.
#[must_use]
pub fn note(class: &WatchedClass, namespace: &str) -> Option<String> {
    namespace.is_empty().then(|| {
        format!(
            "whether {CLASS_KIND} \"{}\" allows the namespace was not checked: the manifests name none",
            class.name_any()
        )
    })
}
