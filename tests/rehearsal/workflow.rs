//! The job `publish` of the workflow: its steps with commands, in their order.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

const WORKFLOW: &str = include_str!("../../.github/workflows/release.yaml");

/// Actions whose results `publish.rs` lays out: the sources, Go, files of other jobs, cosign.
const LAID_OUT: [&str; 4] = [
    "actions/checkout",
    "actions/setup-go",
    "actions/download-artifact",
    "sigstore/cosign-installer",
];
/// Actions that are left out, since only the forge can attest where a file comes from.
const LEFT_OUT: [&str; 1] = ["actions/attest-build-provenance"];
/// The value of `github.token`, which crane's registry does not check.
const TOKEN: &str = "no-token";

/// The outputs of each step that has an ID.
pub type Outputs = BTreeMap<String, BTreeMap<String, String>>;

/// A step that runs commands.
pub struct Step {
    pub name: String,
    pub id: Option<String>,
    pub run: String,
    env: Vec<(String, String)>,
}

/// The steps with commands. Fails if the job has something that the rehearsal does not know.
pub fn steps() -> Result<Vec<Step>> {
    let workflow: Value = serde_saphyr::from_str(WORKFLOW)?;
    let job = &workflow["jobs"]["publish"];
    for key in ["env", "defaults", "container"] {
        ensure!(job[key].is_null(), "the job has {key}: {}", job[key]);
    }
    let steps = job["steps"].as_array().context("the job has no steps")?;
    let mut found = Vec::new();
    for step in steps {
        let Some(used) = step["uses"].as_str() else {
            found.push(Step::read(step)?);
            continue;
        };
        let action = used.split('@').next().unwrap_or_default();
        let is_known = LAID_OUT.contains(&action) || LEFT_OUT.contains(&action);
        ensure!(is_known, "the rehearsal does not know {action}");
    }
    Ok(found)
}

impl Step {
    fn read(step: &Value) -> Result<Self> {
        let fields = step.as_object().context("a step is no object")?;
        for key in fields.keys() {
            let is_known = ["name", "id", "env", "run"].contains(&key.as_str());
            ensure!(is_known, "the rehearsal does not know {key} of {step}");
        }
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let run = text(&step["run"]).with_context(|| format!("no commands: {step}"))?;
        ensure!(!run.contains("${{"), "an expression in commands: {run}");
        let mut env = Vec::new();
        for (name, value) in step["env"].as_object().into_iter().flatten() {
            let value = text(value).with_context(|| format!("{name} is no text"))?;
            env.push((name.clone(), value));
        }
        Ok(Self {
            name: text(&step["name"]).with_context(|| format!("no name: {step}"))?,
            id: text(&step["id"]),
            run,
            env,
        })
    }

    /// The variables of the step, after the steps with these outputs.
    pub fn variables(&self, outputs: &Outputs) -> Result<Vec<(String, String)>> {
        let mut variables = Vec::new();
        for (name, value) in &self.env {
            variables.push((name.clone(), evaluated(value, outputs)?));
        }
        Ok(variables)
    }
}

/// The value of an expression, or the text itself if the text has no expression.
fn evaluated(text: &str, outputs: &Outputs) -> Result<String> {
    let inside = text
        .strip_prefix("${{")
        .and_then(|rest| rest.strip_suffix("}}"));
    let Some(expression) = inside.map(str::trim) else {
        ensure!(!text.contains("${{"), "the rehearsal cannot read {text}");
        return Ok(text.to_owned());
    };
    if expression == "github.token" {
        return Ok(TOKEN.to_owned());
    }
    let output = expression
        .strip_prefix("steps.")
        .and_then(|rest| rest.split_once(".outputs."));
    let Some((step, key)) = output else {
        bail!("the rehearsal cannot evaluate {expression}");
    };
    let value = outputs.get(step).and_then(|outputs| outputs.get(key));
    let value = value.with_context(|| format!("step {step} has no output {key}"))?;
    Ok(value.clone())
}
