//! Rules of the `CustomResourceDefinition` that the Rust types do not enforce. The API server evaluates all of them;
//! here are the ones that people break.

use super::secret::is_subdomain;
use crate::api::{StaticAwsCredentialsSpec, ValidationLevel};

/// Why an API server rejects a spec.
pub fn refused(spec: &StaticAwsCredentialsSpec) -> Option<&'static str> {
    let target = &spec.target;
    let mut seen = Vec::new();
    let twice = target.layouts.iter().any(|layout| {
        let twice = seen.contains(&layout);
        seen.push(layout);
        twice
    });
    if spec.region.is_none() && spec.validation.level == ValidationLevel::Identity {
        Some("spec.region must be set when spec.validation.level is Identity")
    } else if !is_subdomain(&spec.secret_ref.name) {
        Some(
            "spec.secretRef.name must be the name of a Secret: lower-case letters, digits, - and .",
        )
    } else if target
        .name
        .as_deref()
        .is_some_and(|name| !is_subdomain(name))
    {
        Some("spec.target.name must be the name of a Secret: lower-case letters, digits, - and .")
    } else if target.name.as_ref() == Some(&spec.secret_ref.name) {
        Some("spec.target.name must differ from spec.secretRef.name")
    } else if twice {
        Some("spec.target.layouts must name each layout once")
    } else if target.layouts.is_empty() && target.keys.is_empty() {
        Some(
            "spec.target.layouts must name at least one layout, or spec.target.keys the keys of a pair",
        )
    } else {
        None
    }
}
