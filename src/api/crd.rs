//! The generated `CustomResourceDefinition`s, mended where the derive falls short.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube::CustomResourceExt;
use serde_json::json;

use super::{AwsCredentialsClass, ConditionType, Reason, StaticAwsCredentials};

const HEADER: &str = "\
# Generated from the types in src/api; `UPDATE_CRDS=1 cargo test --test repository shipped` writes it again.
";

/// The definition of the resource as it is shipped: one YAML document under a comment.
pub const MANIFEST: &str = include_str!("../../crds/staticawscredentials.awscredentials.dev.yaml");
/// The definition of the class, likewise.
pub const CLASS_MANIFEST: &str =
    include_str!("../../crds/awscredentialsclasses.awscredentials.dev.yaml");

/// The definition of the resource as the types have it. The program prints [`MANIFEST`]; what generates it from the
/// types would be a twentieth of the program.
#[must_use]
pub fn crd() -> CustomResourceDefinition {
    mended(StaticAwsCredentials::crd())
}

/// The definition of the class as the types have it.
#[must_use]
pub fn class_crd() -> CustomResourceDefinition {
    mended(AwsCredentialsClass::crd())
}

fn mended(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    for version in &mut crd.spec.versions {
        let schema = version.schema.as_mut();
        if let Some(root) = schema.and_then(|schema| schema.open_api_v3_schema.as_mut()) {
            mend(root);
        }
    }
    crd
}

/// A definition as a file, which [`MANIFEST`] and [`CLASS_MANIFEST`] are to be.
///
/// # Errors
/// If the definition cannot be written as YAML.
pub fn crd_yaml(crd: &CustomResourceDefinition) -> Result<String, serde_saphyr::ser::Error> {
    Ok(format!("{HEADER}{}", serde_saphyr::to_string(crd)?))
}

fn mend(root: &mut JSONSchemaProps) {
    walk(root, &|schema| schema.nullable = None);
    let properties = root.properties.as_mut();
    if let Some(status) = properties.and_then(|properties| properties.get_mut("status")) {
        // Rust reads a partial status as a whole one. A writer of a partial status is to see it so.
        walk(status, &|schema| schema.default = None);
        status.default = Some(JSON(pending()));
    }
}

/// What tools that wait for a resource see before the operator does: neither finished nor failed.
fn pending() -> serde_json::Value {
    json!({
        "observedGeneration": -1,
        "conditions": [{
            "type": ConditionType::Ready.as_str(),
            "status": "Unknown",
            "reason": Reason::Pending.as_str(),
            "message": "The operator has not looked at this resource yet.",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
        }],
    })
}

/// Visits a schema and all below it, in the few forms that a structural schema of ours takes.
fn walk(schema: &mut JSONSchemaProps, visit: &impl Fn(&mut JSONSchemaProps)) {
    visit(schema);
    for property in schema
        .properties
        .iter_mut()
        .flat_map(|map| map.values_mut())
    {
        walk(property, visit);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = schema.items.as_mut() {
        walk(items, visit);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = schema.additional_properties.as_mut() {
        walk(values, visit);
    }
}
