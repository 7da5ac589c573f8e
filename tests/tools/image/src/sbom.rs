//! The bill of materials: CycloneDX in JSON, without a random number and with the image's time.

use anyhow::Result;
use serde_json::{Value, json};

use crate::{
    cargo::HELPER,
    oci::digest,
    origin::Origin,
    parts::{Kind, Part},
};

/// Writes the bill. It has the SHA-256 of each binary; the helper's crates are a subset of the operator's.
pub(crate) fn text(
    parts: &[Part],
    binary: &[u8],
    helper: &[u8],
    origin: &Origin,
) -> Result<String> {
    let operator = parts.iter().find(|part| part.kind == Kind::Operator);
    let others = parts.iter().filter(|part| part.kind != Kind::Operator);
    let components: Vec<Value> = others.map(component).collect();
    let mut main = operator.map_or(Value::Null, component);
    main["type"] = json!("application");
    main["hashes"] = hashes(digest(binary).trim_start_matches("sha256:"));
    main["components"] = json!([{
        "type": "application",
        "bom-ref": HELPER,
        "name": HELPER,
        "version": main["version"],
        "licenses": main["licenses"],
        "hashes": hashes(digest(helper).trim_start_matches("sha256:")),
    }]);
    let dependencies: Vec<Value> = parts.iter().map(|part| dependency(part, parts)).collect();
    let mut bom = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "timestamp": origin.created, "component": main },
        "components": components,
        "dependencies": dependencies,
    });
    let number = uuid(&digest(&serde_json::to_vec(&bom)?));
    bom["serialNumber"] = json!(format!("urn:uuid:{number}"));
    Ok(format!("{}\n", serde_json::to_string(&bom)?))
}

fn component(part: &Part) -> Value {
    let kind = if matches!(part.kind, Kind::Data { .. }) {
        "data"
    } else {
        "library"
    };
    let mut component = json!({
        "type": kind,
        "bom-ref": part.purl(),
        "name": part.name,
        "version": part.version,
        "purl": part.purl(),
        "licenses": [{ "expression": part.license }],
    });
    if let Kind::Crate { sha256: Some(sum) } | Kind::Data { sha256: Some(sum) } = &part.kind {
        component["hashes"] = hashes(sum);
    }
    if let Some(repository) = &part.repository {
        component["externalReferences"] = json!([{ "type": "vcs", "url": repository }]);
    }
    component
}

/// The operator also depends on the parts that are not crates.
fn dependency(part: &Part, parts: &[Part]) -> Value {
    let named = part.depends_on.iter().filter_map(|place| parts.get(*place));
    let mut on: Vec<String> = named.map(Part::purl).collect();
    if part.kind == Kind::Operator {
        let beside = |part: &&Part| matches!(part.kind, Kind::Library | Kind::Data { .. });
        on.extend(parts.iter().filter(beside).map(Part::purl));
    }
    json!({ "ref": part.purl(), "dependsOn": on })
}

fn hashes(sha256: &str) -> Value {
    json!([{ "alg": "SHA-256", "content": sha256 }])
}

/// A UUID of version 8, of which all but six bits are free: here bits of a hash.
fn uuid(digest: &str) -> String {
    let hex: String = digest
        .trim_start_matches("sha256:")
        .chars()
        .take(30)
        .collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
    let (a, b, c) = (part(0, 8), part(8, 12), part(12, 15));
    format!("{a}-{b}-8{c}-8{}-{}", part(15, 18), part(18, 30))
}
