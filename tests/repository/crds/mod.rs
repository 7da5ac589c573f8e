//! The shipped definition is up to date, and its schema keeps the promises of the API.

#![allow(
    clippy::indexing_slicing,
    reason = "a key that a JSON value lacks reads as null"
)]

mod cel;
mod class;
mod meta;
mod reserved;

use std::{env, fs};

use anyhow::{Context, Result};
use kube::core::cel::apply_defaults;
use serde_json::{Value, json};
use static_aws_credentials::api::{StaticAwsCredentials, class_crd, crd, crd_yaml};

use crate::schema::{
    bounds::{KEYWORDS, bounds},
    defaulted_spec,
    definition::{Node, class_definition, class_nodes, definition, nodes},
    valid,
};

#[test]
fn the_shipped_definition_is_fresh() -> Result<()> {
    for crd in [crd(), class_crd()] {
        let fresh = crd_yaml(&crd)?;
        let name = crd.metadata.name.context("a name")?;
        let file = format!("crds/{name}.yaml");
        if env::var_os("UPDATE_CRDS").is_some() {
            fs::write(&file, &fresh)?;
        }
        let shipped = fs::read_to_string(&file).with_context(|| file.clone())?;
        assert!(
            shipped == fresh,
            "{file} is stale: `UPDATE_CRDS=1 cargo test --test repository shipped` writes it again"
        );
    }
    Ok(())
}

#[test]
fn the_shipped_definition_is_one_document_under_a_comment() -> Result<()> {
    for (crd, whole) in [(crd(), definition()?), (class_crd(), class_definition()?)] {
        let yaml = crd_yaml(&crd)?;
        assert!(yaml.starts_with("# Generated from the types in src/api;"));
        assert!(yaml.lines().all(|line| line != "---"), "a separator");
        assert!(yaml.ends_with('\n'));
        let read: Value = serde_saphyr::from_str(&yaml)?;
        assert_eq!(read, whole);
    }
    Ok(())
}

#[test]
fn every_field_is_described() -> Result<()> {
    for Node { path, schema } in nodes()?.into_iter().chain(class_nodes()?) {
        let text = schema["description"].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "no description: {path}");
        assert!(!text.contains("Auto-generated"), "{path}: {text}");
    }
    Ok(())
}

#[test]
fn every_string_list_and_map_is_bounded() -> Result<()> {
    for Node { path, schema } in nodes()?.into_iter().chain(class_nodes()?) {
        let bounded = match schema["type"].as_str() {
            Some("string") => {
                schema["maxLength"].is_u64()
                    || schema["enum"].is_array()
                    || schema["format"] == "date-time"
            }
            Some("array") => schema["maxItems"].is_u64() && schema["items"].is_object(),
            Some("object") => schema["properties"].is_object() != schema["maxProperties"].is_u64(),
            Some("boolean" | "integer") => true,
            other => anyhow::bail!("{path} has the type {other:?}"),
        };
        assert!(bounded, "unbounded: {path}");
    }
    Ok(())
}

/// A structural schema has no keyword for the keys of a map: a CEL rule on the map bounds them.
#[test]
fn every_key_of_a_map_is_bounded() -> Result<()> {
    let maps: Vec<Node> = nodes()?
        .into_iter()
        .filter(|node| node.schema["additionalProperties"].is_object())
        .collect();
    assert!(maps.iter().any(|node| node.path == "spec.target.keys"));
    for Node { path, schema } in maps {
        let rules = schema["x-kubernetes-validations"].as_array();
        let bounds = rules.into_iter().flatten().any(|rule| {
            let text = rule["rule"].as_str().unwrap_or_default();
            let limit = text
                .strip_prefix("self.all(k, k.size() <= ")
                .and_then(|rest| rest.strip_suffix(')'));
            limit.is_some_and(|limit| limit.parse::<u16>().is_ok())
        });
        assert!(bounds, "no bound for its keys: {path}");
    }
    Ok(())
}

#[test]
fn nothing_is_nullable_and_no_format_is_unknown_to_the_api_server() -> Result<()> {
    for Node { path, schema } in nodes()?.into_iter().chain(class_nodes()?) {
        assert!(schema.get("nullable").is_none(), "nullable: {path}");
        assert!(
            schema.get("x-kubernetes-preserve-unknown-fields").is_none(),
            "{path}"
        );
        let format = schema["format"].as_str();
        assert!(
            matches!(format, None | Some("int32" | "int64" | "date-time")),
            "{path}: {format:?}"
        );
    }
    Ok(())
}

#[test]
fn every_pattern_is_anchored() -> Result<()> {
    for Node { path, schema } in nodes()?.into_iter().chain(class_nodes()?) {
        if let Some(pattern) = schema["pattern"].as_str() {
            assert!(
                pattern.starts_with('^') && pattern.ends_with('$'),
                "{path}: {pattern}"
            );
        }
        for rule in schema["x-kubernetes-validations"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let rule = rule["rule"].as_str().context("a rule without text")?;
            let opened = rule.matches(".matches('").count();
            assert_eq!(
                opened,
                rule.matches(".matches('^").count(),
                "{path}: {rule}"
            );
            assert_eq!(opened, rule.matches("$')").count(), "{path}: {rule}");
        }
    }
    Ok(())
}

#[test]
fn every_bound_has_a_row_and_every_row_a_bound() -> Result<()> {
    let mut found = Vec::new();
    for Node { path, schema } in nodes()? {
        let of_node = KEYWORDS
            .iter()
            .filter_map(|keyword| Some((*keyword, schema.get(*keyword)?.clone())));
        found.extend(of_node.map(|(keyword, limit)| format!("{path} {keyword} {limit}")));
    }
    let mut rows: Vec<String> = bounds()
        .into_iter()
        .map(|row| format!("{} {} {}", row.path, row.keyword, row.limit))
        .collect();
    found.sort();
    rows.sort();
    assert_eq!(found, rows);
    Ok(())
}

#[test]
fn only_rules_that_need_the_name_of_the_resource_sit_at_the_root() -> Result<()> {
    let root = nodes()?
        .into_iter()
        .find(|node| node.path.is_empty())
        .context("no root")?;
    for rule in root.schema["x-kubernetes-validations"]
        .as_array()
        .context("no rules")?
    {
        let text = rule["rule"].as_str().unwrap_or_default();
        assert!(text.contains("self.metadata.name"), "{text}");
    }
    Ok(())
}

#[test]
fn defaults_are_written_out_in_full() -> Result<()> {
    let defaults = |path: &str| -> Result<Value> {
        let node = nodes()?
            .into_iter()
            .find(|node| node.path == path)
            .context("no such field")?;
        let properties = node.schema["properties"].as_object().context("no object")?;
        let nested = properties
            .iter()
            .filter_map(|(name, property)| Some((name.clone(), property.get("default")?.clone())))
            .collect();
        assert_eq!(node.schema["default"], Value::Object(nested), "{path}");
        Ok(node.schema["default"].clone())
    };
    for part in ["validation", "target"] {
        let path = format!("spec.{part}");
        assert_eq!(defaults(&path)?, defaulted_spec()[part], "{path}");
    }
    Ok(())
}

#[test]
fn a_new_object_is_neither_ready_nor_failed() -> Result<()> {
    let nodes = nodes()?;
    let defaults: Vec<_> = nodes
        .iter()
        .filter(|node| node.path.starts_with("status") && node.schema.get("default").is_some())
        .collect();
    let [status] = defaults.as_slice() else {
        anyhow::bail!("status has {} defaults", defaults.len());
    };
    assert_eq!(
        status.schema["default"],
        json!({
            "observedGeneration": -1,
            "conditions": [{
                "type": "Ready",
                "status": "Unknown",
                "reason": "Pending",
                "message": "The operator has not looked at this resource yet.",
                "lastTransitionTime": "1970-01-01T00:00:00Z",
            }],
        })
    );
    Ok(())
}

#[test]
fn lists_merge_as_they_must_under_server_side_apply() -> Result<()> {
    for Node { path, schema } in nodes()?.into_iter().chain(class_nodes()?) {
        let kind = schema["x-kubernetes-list-type"].as_str();
        match path.as_str() {
            "spec.target.layouts"
            | "status.consumers.hot.names"
            | "status.consumers.restartNeeded.names"
            | "status.consumers.unknown.names"
            | "status.consumers.otherResources"
            | "status.previous.olderKeys"
            | "status.previous.secretNames"
            | "status.published.formerSecretNames"
            | "status.restarts.pending"
            | "status.restarts.restarting" => assert_eq!(kind, Some("atomic")),
            "status.conditions" => {
                assert_eq!(kind, Some("map"));
                assert_eq!(schema["x-kubernetes-list-map-keys"], json!(["type"]));
            }
            "spec.allowedNamespaces.names" => assert_eq!(kind, Some("set")),
            "spec.rotation.restart.workloads" => {
                assert_eq!(kind, Some("map"));
                assert_eq!(
                    schema["x-kubernetes-list-map-keys"],
                    json!(["kind", "name"])
                );
            }
            _ => assert!(
                schema["type"] != "array",
                "a list without a decision: {path}"
            ),
        }
    }
    Ok(())
}

#[test]
fn the_operator_and_the_api_server_fill_in_the_same_defaults() -> Result<()> {
    let read: StaticAwsCredentials = serde_json::from_value(valid())?;
    let mut defaulted = apply_defaults(&crate::schema::definition::schema()?, &valid());
    defaulted
        .as_object_mut()
        .context("no object")?
        .remove("status");
    assert_eq!(defaulted["spec"], defaulted_spec());
    assert_eq!(serde_json::to_value(read)?, defaulted);
    Ok(())
}
