//! The objects of the demo.

use cluster::{
    moto::KeyPair,
    shipped::{CLASS_RULES, CRD, RULES},
};
use serde_json::{Value, json};

use crate::helm;

/// The name of the CRD.
pub(crate) const CRD_NAME: &str = "staticawscredentials.awscredentials.dev";
/// The source.
pub(crate) const SOURCE: &str = "orders-s3-key-pair";
/// The resource.
pub(crate) const RESOURCE: &str = "orders-s3";
/// The target.
pub(crate) const TARGET: &str = "orders-s3-credentials";
/// The pod.
pub(crate) const POD: &str = "s3-reader";
/// The pod's container.
pub(crate) const CONTAINER: &str = "s3client";
/// The image of the pod.
pub(crate) const IMAGE: &str = "demo.test/s3client:1";
/// The operator's account, role and binding.
pub(crate) const OPERATOR: &str = "static-aws-credentials";

/// The scope of the operator's permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Cluster,
    Namespace,
}

/// The CRD; for the demo's own cluster with the marks of Helm, and with that of classes. A user's cluster gets no more than
/// the demo needs.
pub(crate) fn definition(scope: Scope) -> anyhow::Result<String> {
    let mut definitions: Vec<Value> = serde_saphyr::from_multiple(CRD)?;
    match scope {
        Scope::Cluster => definitions.iter_mut().for_each(helm::mark),
        Scope::Namespace => definitions.truncate(1),
    }
    Ok(json!({ "apiVersion": "v1", "kind": "List", "items": definitions }).to_string())
}

/// The namespaces of the demo and the operator, which admit only pods of Pod Security level `restricted`, and the
/// operator's service account, with the permissions of the chart.
pub(crate) fn setting(namespace: &str, operators: &str, scope: Scope) -> anyhow::Result<String> {
    let mut items = vec![namespace_object(namespace)];
    if operators != namespace {
        items.push(namespace_object(operators));
    }
    items.extend(operator(operators, scope)?);
    // One document: some versions of kubectl accept JSON as YAML only up to the first separator.
    Ok(json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string())
}

fn namespace_object(name: &str) -> Value {
    let labels = json!({
        "app.kubernetes.io/managed-by": "static-aws-credentials-demo",
        "pod-security.kubernetes.io/enforce": "restricted",
    });
    let metadata = json!({ "name": name, "labels": labels });
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata })
}

fn operator(namespace: &str, scope: Scope) -> anyhow::Result<[Value; 3]> {
    const GROUP: &str = "rbac.authorization.k8s.io";
    let mut rules: Vec<Value> = serde_saphyr::from_str(RULES)?;
    if scope == Scope::Cluster {
        rules.extend(serde_saphyr::from_str::<Vec<Value>>(CLASS_RULES)?);
    }
    let local = json!({ "name": OPERATOR, "namespace": namespace });
    let (prefix, metadata) = match scope {
        Scope::Cluster => ("Cluster", json!({ "name": OPERATOR })),
        Scope::Namespace => ("", local.clone()),
    };
    let role = format!("{prefix}Role");
    let version = format!("{GROUP}/v1");
    let mut objects = [
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": local }),
        json!({ "apiVersion": version, "kind": role, "metadata": metadata, "rules": rules }),
        json!({
            "apiVersion": version,
            "kind": format!("{role}Binding"),
            "metadata": metadata,
            "roleRef": { "apiGroup": GROUP, "kind": role, "name": OPERATOR },
            "subjects": [{ "kind": "ServiceAccount", "name": OPERATOR, "namespace": namespace }],
        }),
    ];
    if scope == Scope::Cluster {
        objects.iter_mut().for_each(helm::mark);
    }
    Ok(objects)
}

/// The source and the resource, with `pair` in the place of the two values.
pub(crate) fn request(namespace: &str, region: &str, pair: (&str, &str)) -> String {
    let (id, secret) = pair;
    format!(
        "\
apiVersion: v1
kind: Secret
metadata: {{name: {SOURCE}, namespace: {namespace}}}
stringData:
  AWS_ACCESS_KEY_ID: {id}
  AWS_SECRET_ACCESS_KEY: {secret}
---
apiVersion: awscredentials.dev/v1alpha1
kind: StaticAwsCredentials
metadata: {{name: {RESOURCE}, namespace: {namespace}}}
spec:
  secretRef: {{name: {SOURCE}}}
  region: {region}
"
    )
}

/// The values as quoted YAML, which no character can break.
pub(crate) fn quoted(pair: &KeyPair) -> (String, String) {
    (json!(pair.id).to_string(), json!(pair.secret).to_string())
}

/// The part of a key ID that may be shown.
pub(crate) fn suffix(pair: &KeyPair) -> &str {
    let start = pair.id.char_indices().rev().nth(3);
    start.and_then(|(at, _)| pair.id.get(at..)).unwrap_or("")
}

/// A pod that lists the bucket at `endpoint`.
pub(crate) fn pod(namespace: &str, bucket: &str, endpoint: &str) -> String {
    format!(
        "\
apiVersion: v1
kind: Pod
metadata: {{name: {POD}, namespace: {namespace}}}
spec:
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 1
  securityContext:
    runAsNonRoot: true
    fsGroup: 65532
    seccompProfile: {{type: RuntimeDefault}}
  containers:
  - name: {CONTAINER}
    image: {IMAGE}
    imagePullPolicy: Never
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: {{drop: [ALL]}}
    env:
    - {{name: BUCKET, value: {bucket}}}
    - {{name: AWS_ENDPOINT_URL, value: \"{endpoint}\"}}
    - {{name: AWS_CONFIG_FILE, value: /aws/config}}
    - {{name: AWS_SHARED_CREDENTIALS_FILE, value: /aws/credentials}}
    volumeMounts: [{{name: aws, mountPath: /aws, readOnly: true}}]
  volumes: [{{name: aws, secret: {{secretName: {TARGET}, defaultMode: 0440}}}}]
"
    )
}

/// The lines of the pod's manifest that give it its credentials.
pub(crate) fn mounts(pod: &str) -> &str {
    let found = pod.find("    - {name: AWS_CONFIG_FILE");
    found.and_then(|at| pod.get(at..)).unwrap_or(pod)
}
