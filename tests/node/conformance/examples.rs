//! The examples of docs/sdks.md: for each layout a resource and a Deployment that uses its target.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::conformance::{pairs::SOURCES, sdk::SDKS, way::Way};

const PAGE: &str = include_str!("../../../docs/sdks.md");

/// Lifetime of an expiring pair in the examples, in seconds: as written on the page, and as used by the tests.
const LIFETIME_WRITTEN: &str = "1080";
pub const LIFETIME: u64 = 20;

/// The example of a way.
pub struct Example {
    /// The name of the resource.
    pub resource: String,
    /// All objects except the Deployment.
    pub objects: Vec<Value>,
    /// The Deployment.
    pub deployment: Value,
}

/// The example under the heading of the way.
pub fn of(way: Way) -> Result<Example> {
    let heading = format!("\n## {}\n", way.heading());
    let example = PAGE.split_once(&heading).and_then(|(_, rest)| {
        let section = rest
            .split_once("\n## ")
            .map_or(rest, |(section, _)| section);
        let block = section.split_once("```yaml\n")?.1;
        Some(block.split_once("\n```")?.0)
    });
    let text = example.with_context(|| format!("docs/sdks.md has no example of {way}"))?;
    let mut objects = Vec::new();
    // kubectl reads file modes with a leading zero as octal.
    let options = serde_saphyr::options! { legacy_octal_numbers: true };
    for document in text.split("\n---\n") {
        let read = serde_saphyr::from_str_with_options::<Value>(document, options.clone());
        objects.push(read.with_context(|| format!("the example of {way} is no YAML"))?);
    }
    if let Some(resource) = objects.first_mut() {
        resource["spec"]["secretRef"]["name"] = json!(SOURCES.of(way));
    }
    let deployment = objects.pop().filter(|last| last["kind"] == "Deployment");
    let resource = objects
        .first()
        .and_then(|first| first["metadata"]["name"].as_str());
    Ok(Example {
        resource: resource.context("the first object has no name")?.to_owned(),
        deployment: deployment.context("the last object is no Deployment")?,
        objects,
    })
}

impl Example {
    /// The spec of the Deployment's pods.
    pub fn pod_spec(&self) -> &Value {
        &self.deployment["spec"]["template"]["spec"]
    }

    /// The annotations of the Deployment's pods.
    pub fn pod_annotations(&self) -> &Value {
        &self.deployment["spec"]["template"]["metadata"]["annotations"]
    }

    /// All objects except the Deployment, as manifests for a namespace.
    pub fn manifests(&self, namespace: &str) -> String {
        let within = |object: &Value| {
            let mut object = object.clone();
            object["metadata"]["namespace"] = json!(namespace);
            let lifetime = LIFETIME.to_string();
            object.to_string().replace(LIFETIME_WRITTEN, &lifetime)
        };
        let all: Vec<String> = self.objects.iter().map(within).collect();
        all.join("\n---\n")
    }
}

/// Fails unless each layout has an example, and a program that reads it.
pub fn cover_every_layout() -> Result<()> {
    for way in Way::all() {
        of(way)?;
        let is_read = SDKS.iter().any(|sdk| sdk.ways.contains(&way));
        ensure!(is_read, "no program reads {way}");
    }
    Ok(())
}
