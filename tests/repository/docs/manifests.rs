//! The manifests in the documentation: each document of each block.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::pages::{Block, blocks};

/// Groups with kinds of this repository or of Kubernetes; other manifests are only parsed.
const KNOWN: [&str; 9] = [
    "v1",
    "apps/v1",
    "batch/v1",
    "policy/v1",
    "networking.k8s.io/v1",
    "rbac.authorization.k8s.io/v1",
    "admissionregistration.k8s.io/v1",
    "coordination.k8s.io/v1",
    "awscredentials.dev/v1alpha1",
];

#[test]
fn every_manifest_parses_and_has_a_name() -> Result<()> {
    let all = manifests()?;
    ensure!(all.len() > 7, "manifests are found: {}", all.len());
    for (place, object) in all {
        let kind = object["kind"].as_str().unwrap_or_default();
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        ensure!(!kind.is_empty(), "{place}: no kind in {object}");
        let nameless = kind == "Kustomization" && object["metadata"].is_null();
        ensure!(nameless || !name.is_empty(), "{place}: no name in {object}");
    }
    Ok(())
}

/// Every object with the place of its block.
pub fn manifests() -> Result<Vec<(String, Value)>> {
    let mut all = Vec::new();
    for block in blocks()?.iter().filter(|block| block.language == "yaml") {
        let place = place(block);
        if !block.text.contains("apiVersion:") {
            continue;
        }
        let objects: Vec<Value> =
            serde_saphyr::from_multiple(&block.text).with_context(|| place.clone())?;
        let objects = objects
            .into_iter()
            .filter(|object| object.get("apiVersion").is_some());
        all.extend(objects.map(|object| (place.clone(), object)));
    }
    Ok(all)
}

/// Objects that this API server can validate.
pub fn judged() -> Result<Vec<(String, Value)>> {
    let all = manifests()?.into_iter();
    let known = |object: &Value| {
        let version = object["apiVersion"].as_str().unwrap_or_default();
        KNOWN.contains(&version)
    };
    Ok(all.filter(|(_, object)| known(object)).collect())
}

fn place(block: &Block) -> String {
    let first = block.text.lines().next().unwrap_or_default();
    format!(
        "{}, the block that begins with {first:?}",
        block.page.display()
    )
}
