//! Marks of Helm on the objects that the demo installs in its own cluster. The chart has objects of the same names: the
//! CRD, the service account, the `ClusterRole` and its binding. Without the marks, `helm install` in a cluster that was
//! kept is refused; with them, Helm takes the objects over.

use serde_json::{Value, json};

/// Name and namespace of the release that the documentation installs.
pub(crate) const RELEASE: &str = "static-aws-credentials";
/// The field manager of Helm 4. With another one, a release with other values would conflict.
pub(crate) const FIELD_MANAGER: &str = "helm";

/// Marks an object as one of the release.
pub(crate) fn mark(object: &mut Value) {
    let metadata = &mut object["metadata"];
    metadata["labels"]["app.kubernetes.io/managed-by"] = json!("Helm");
    let annotations = &mut metadata["annotations"];
    annotations["meta.helm.sh/release-name"] = json!(RELEASE);
    annotations["meta.helm.sh/release-namespace"] = json!(RELEASE);
}
