//! The generated `CustomResourceDefinition`, mended where the derive falls short.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

use super::StaticAwsCredentials;

/// The definition as it is shipped in `crds/`.
#[must_use]
pub fn crd() -> CustomResourceDefinition {
    StaticAwsCredentials::crd()
}
