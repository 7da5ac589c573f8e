//! Generates docs/api.md from the definition and from doc comments of the code.

use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use static_aws_credentials::api::{ConditionType, Presence, Reason};
use strum::{EnumMessage, VariantArray};

use super::pages::written;
use crate::schema::definition::{Node, class_definition, class_nodes, definition, nodes};

const OPENING: &str = "\
# API reference

<!-- Written by `UPDATE_DOCS=1 cargo test --test repository docs::` from the definition and the code. -->

`awscredentials.dev/v1alpha1`, kind `StaticAwsCredentials`: namespaced, plural and singular
`staticawscredentials`, short name `awscreds`, category `aws-credentials`. `kubectl explain awscreds.spec`
shows the fields in a terminal.

";

const CLASS: &str = "\
## AwsCredentialsClass

`awscredentials.dev/v1alpha1`, kind `AwsCredentialsClass`: of the cluster, plural `awscredentialsclasses`, short name
`awsclass`, category `aws-credentials`. [Stores](stores.md) explains its use.

";

#[test]
fn the_reference_is_what_the_definition_says() -> Result<()> {
    let nodes = nodes()?;
    let mut text = OPENING.to_owned();
    for (title, part) in [("Spec", "spec"), ("Status", "status")] {
        writeln!(text, "## {title}\n\n{}", fields(&nodes, part)?)?;
    }
    writeln!(text, "## Rules\n\n{}", rules(&nodes)?)?;
    let definition = definition()?;
    writeln!(text, "## Columns\n\n{}", columns(&definition)?)?;
    let selectable = definition.pointer("/spec/versions/0/selectableFields");
    let selectable = selectable.and_then(Value::as_array).context("none")?;
    let selectable: Vec<String> = selectable
        .iter()
        .filter_map(|field| field["jsonPath"].as_str())
        .map(|path| format!("`{}`", path.trim_start_matches('.')))
        .collect();
    writeln!(text, "Field selectors: {}.\n", selectable.join(", "))?;
    writeln!(text, "## Conditions\n\n{}", conditions()?)?;
    writeln!(text, "## Reasons\n\n{}", reasons()?)?;
    let class = class_nodes()?;
    writeln!(text, "{CLASS}{}", fields(&class, "spec")?)?;
    writeln!(text, "### Rules of a class\n\n{}", rules(&class)?)?;
    let columns = columns(&class_definition()?)?;
    write!(text, "### Columns of a class\n\n{columns}")?;
    written("docs/api.md", &text)
}

fn fields(nodes: &[Node], part: &str) -> Result<String> {
    let mut table = "| field | type | default | |\n|---|---|---|---|\n".to_owned();
    let inside = |node: &&Node| node.path.starts_with(&format!("{part}."));
    let mut inside: Vec<&Node> = nodes.iter().filter(inside).collect();
    // A field comes before the fields in it.
    inside.sort_by(|one, other| one.path.cmp(&other.path));
    ensure!(inside.len() > 9, "{part} has {} fields", inside.len());
    for Node { path, schema } in inside {
        let default = schema.get("default");
        let default = default.map(|value| format!("`{value}`"));
        writeln!(
            table,
            "| `{path}` | {} | {} | {} |",
            kind(nodes, path, schema),
            default.unwrap_or_default(),
            cell(schema["description"].as_str().unwrap_or_default())
        )?;
    }
    Ok(table)
}

fn kind(nodes: &[Node], path: &str, schema: &Value) -> String {
    let name = schema["type"].as_str().unwrap_or_default();
    let mut kind = match schema["enum"].as_array() {
        Some(values) => {
            let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            format!("`{}`", values.join("`, `"))
        }
        None if schema["format"] == "date-time" => "time".to_owned(),
        None => name.to_owned(),
    };
    let bounds = [
        ("maxLength", "at most", "characters"),
        ("maxItems", "at most", "items"),
        ("maxProperties", "at most", "keys"),
    ];
    for (keyword, how, what) in bounds {
        if let Some(limit) = schema[keyword].as_u64() {
            let _ = write!(kind, ", {how} {limit} {what}");
        }
    }
    let above = path.rsplit_once('.').map_or("", |(above, _)| above);
    let last = path.rsplit('.').next().unwrap_or_default();
    let above = nodes.iter().find(|node| node.path == above);
    let required = above.and_then(|node| node.schema["required"].as_array());
    if required.is_some_and(|names| names.iter().any(|name| name == last)) {
        kind += ", **required**";
    }
    kind
}

fn rules(nodes: &[Node]) -> Result<String> {
    let mut list =
        "The API server rejects what violates a rule, with one of these messages.\n\n".to_owned();
    for node in nodes {
        let rules = node.schema["x-kubernetes-validations"].as_array();
        for rule in rules.into_iter().flatten() {
            let message = rule["message"].as_str().context("no message")?;
            writeln!(list, "- `{message}`")?;
        }
    }
    Ok(list)
}

fn columns(definition: &Value) -> Result<String> {
    let columns = definition.pointer("/spec/versions/0/additionalPrinterColumns");
    let columns = columns.and_then(Value::as_array).context("no columns")?;
    let mut table = "| column | shown | |\n|---|---|---|\n".to_owned();
    for column in columns {
        let shown = match column["priority"].as_u64() {
            Some(1..) => "`-o wide`",
            _ => "always",
        };
        let text = |key: &str| column[key].as_str().unwrap_or_default();
        writeln!(
            table,
            "| {} | {shown} | {} |",
            text("name"),
            text("description")
        )?;
    }
    Ok(table)
}

fn conditions() -> Result<String> {
    let mut table = "| type | True means | good | present |\n|---|---|---|---|\n".to_owned();
    for kind in ConditionType::VARIANTS {
        let present = match kind.presence() {
            Presence::Always => "always",
            Presence::WhileTrue => "while True",
            Presence::AfterRotation => "after a rotation, if the operator lists consumers",
            Presence::AfterRotationWithRestarts => {
                "after a rotation, if the spec has workloads restarted"
            }
        };
        let (name, good) = (kind.as_str(), kind.polarity().good_status());
        writeln!(
            table,
            "| `{name}` | {} | {good} | {present} |",
            meaning(kind)?
        )?;
    }
    let note = "\nAt most one of Ready=True, Reconciling and Stalled is present at a time. kstatus (Flux, Helm 4) \
        evaluates the conditions correctly; Argo CD needs a [script](gitops.md#argo-cd).\n";
    Ok(table + note)
}

fn reasons() -> Result<String> {
    let mut table =
        "[troubleshooting.md](troubleshooting.md) lists what to do about each reason.\n\n\
        | reason | meaning |\n|---|---|\n"
            .to_owned();
    for reason in Reason::VARIANTS {
        writeln!(table, "| `{}` | {} |", reason.as_str(), meaning(reason)?)?;
    }
    Ok(table)
}

/// The doc comment of a variant.
fn meaning(variant: &impl EnumMessage) -> Result<String> {
    let comment = variant.get_documentation().context("no doc comment")?;
    Ok(cell(comment.trim_end()))
}

/// Escapes a text for a table cell.
fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}
