//! The blocks of docs/quickstart.md, each under a comment with its mark.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::marked;

const PAGE: &str = include_str!("../../../docs/quickstart.md");

/// Marks of the blocks that the test runs, in their order.
const TRIED: [&str; 6] = ["certificate", "moto", "helm", "pair", "resource", "pod"];
/// Marks of the other blocks, which need kind, k3d, AWS or public images.
const NOT_TRIED: [&str; 5] = ["kind", "k3d", "rollout", "own-pair", "remove"];

/// Fails unless each block of commands has its mark, and `texts` are on the page.
pub fn is_as_expected(texts: &[&str]) -> Result<()> {
    marked::are_marked(PAGE, &TRIED, &NOT_TRIED)?;
    for text in texts {
        ensure!(PAGE.contains(*text), "the page has no {text:?}");
    }
    Ok(())
}

/// The commands with this mark.
pub fn commands(mark: &str) -> Result<&'static str> {
    marked::commands(PAGE, mark)
}

/// What the commands with this mark print.
pub fn output(mark: &str) -> Result<&'static str> {
    marked::block(PAGE, &format!("<!-- printed: {mark} -->\n```\n"))
}

/// The manifests that the commands with this mark pass to kubectl.
pub fn manifests(mark: &str) -> Result<Vec<Value>> {
    let rest = commands(mark)?.split_once("<<'END'\n");
    let inside = rest.and_then(|(_, rest)| rest.split_once("\nEND\n"));
    let (inside, _) = inside.with_context(|| format!("the block {mark} has no manifests"))?;
    Ok(serde_saphyr::from_multiple(inside)?)
}

/// The one container of this name in a spec of pods.
pub fn container<'a>(spec: &'a Value, name: &str) -> Result<&'a Value> {
    let containers = spec["containers"].as_array();
    let mut containers = containers.into_iter().flatten();
    let found = containers.find(|container| container["name"] == name);
    found.with_context(|| format!("no container {name} in {spec}"))
}

/// The image of a container.
pub fn image(container: &Value) -> Result<&str> {
    container["image"].as_str().context("no image")
}

/// The variables of a container.
pub fn variables(container: &Value) -> Result<Vec<(String, String)>> {
    let entries = container["env"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let pair = |entry: &Value| text(&entry["name"]).zip(text(&entry["value"]));
    let pairs = entries.map(|entry| pair(entry).with_context(|| format!("no text: {entry}")));
    pairs.collect()
}
