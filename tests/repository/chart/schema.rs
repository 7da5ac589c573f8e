//! The schema of the values: it contains exactly the existing values.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{readme::leaves, render::CHART};

#[test]
fn it_knows_every_value() -> Result<()> {
    let schema = schema()?;
    for leaf in leaves()? {
        let mut place = &schema;
        for part in leaf.path.split('.') {
            let properties = &resolved(&schema, place)["properties"];
            place = properties.get(part).with_context(|| leaf.path.clone())?;
        }
    }
    Ok(())
}

#[test]
fn it_knows_no_other_values() -> Result<()> {
    // Kubernetes' own types, which the API server validates; `global` is Helm's, for all charts of a tree.
    let open = [
        "/properties/global",
        "/properties/podSecurityContext",
        "/properties/resources/properties/claims/items",
        "/properties/affinity/properties/nodeAffinity",
        "/properties/affinity/properties/podAffinity",
        "/properties/affinity/properties/podAntiAffinity",
        "/properties/topologySpreadConstraints/items",
        "/properties/extraEnv/items/properties/valueFrom",
        "/definitions/monitor/properties/endpoint",
        "/definitions/peers/items/properties/namespaceSelector",
        "/definitions/peers/items/properties/podSelector",
    ];
    let mut found = Vec::new();
    collect_open(&schema()?, "", &mut found);
    found.sort();
    let mut open = open.map(str::to_owned).to_vec();
    open.sort();
    ensure!(found == open, "{found:#?}");
    Ok(())
}

fn schema() -> Result<Value> {
    let text = fs::read_to_string(format!("{CHART}/values.schema.json"))?;
    Ok(serde_json::from_str(&text)?)
}

fn resolved<'a>(schema: &'a Value, place: &'a Value) -> &'a Value {
    match place["$ref"].as_str() {
        Some(reference) => schema
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or(&Value::Null),
        None => place,
    }
}

/// Objects that accept any key with any value.
fn collect_open(place: &Value, path: &str, found: &mut Vec<String>) {
    if place["type"] == "object" && place.get("additionalProperties").is_none() {
        found.push(path.to_owned());
    }
    for key in ["properties", "definitions"] {
        for (name, inner) in place[key].as_object().into_iter().flatten() {
            collect_open(inner, &format!("{path}/{key}/{name}"), found);
        }
    }
    if let Some(items) = place.get("items") {
        collect_open(items, &format!("{path}/items"), found);
    }
}
