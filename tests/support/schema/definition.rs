//! The shipped definition as a JSON tree, and its parts.

use anyhow::{Context, Result};
use serde_json::Value;
use static_aws_credentials::api::{class_crd, crd};

/// A schema with the path of the field that it describes: `spec.target.keys`, `status.conditions[]`.
pub struct Node {
    pub path: String,
    pub schema: Value,
}

/// The whole definition.
pub fn definition() -> Result<Value> {
    Ok(serde_json::to_value(crd())?)
}

/// The whole definition of the class.
pub fn class_definition() -> Result<Value> {
    Ok(serde_json::to_value(class_crd())?)
}

/// The schema of the only version.
pub fn schema() -> Result<Value> {
    schema_of(&definition()?)
}

fn schema_of(definition: &Value) -> Result<Value> {
    definition
        .pointer("/spec/versions/0/schema/openAPIV3Schema")
        .cloned()
        .context("the definition has no schema")
}

/// Every schema in the tree, the root with an empty path.
pub fn nodes() -> Result<Vec<Node>> {
    let mut nodes = Vec::new();
    collect(String::new(), &schema()?, &mut nodes);
    Ok(nodes)
}

/// The same of the definition of the class.
pub fn class_nodes() -> Result<Vec<Node>> {
    let mut nodes = Vec::new();
    collect(String::new(), &schema_of(&class_definition()?)?, &mut nodes);
    Ok(nodes)
}

/// The message of every CEL rule in the tree.
pub fn messages() -> Result<Vec<String>> {
    let rules = |node: Node| node.schema["x-kubernetes-validations"].as_array().cloned();
    nodes()?
        .into_iter()
        .filter_map(rules)
        .flatten()
        .map(|rule| {
            Ok(rule["message"]
                .as_str()
                .context("a rule has no message")?
                .to_owned())
        })
        .collect()
}

fn collect(path: String, schema: &Value, nodes: &mut Vec<Node>) {
    let properties = schema["properties"].as_object().into_iter().flatten();
    for (name, property) in properties {
        let dot = if path.is_empty() { "" } else { "." };
        collect(format!("{path}{dot}{name}"), property, nodes);
    }
    for (keyword, suffix) in [("items", "[]"), ("additionalProperties", "{}")] {
        if let Some(below) = schema.get(keyword) {
            collect(format!("{path}{suffix}"), below, nodes);
        }
    }
    nodes.push(Node {
        path,
        schema: schema.clone(),
    });
}
