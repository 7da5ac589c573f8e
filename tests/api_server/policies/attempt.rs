//! An account that sends requests, and the answers of the API server.

use anyhow::Result;
use kube::{
    Api, Client,
    api::{ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

/// A value that must not occur in a message.
pub const SECRET_VALUE: &str = "wSecretOfTheFirstPair+wSecretOfTheFirst1";

/// Answer of the API server.
pub type Answer = Result<DynamicObject, kube::Error>;

/// Kinds of objects that a test writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Things {
    Secrets,
    ConfigMaps,
    Pods,
    Deployments,
    StatefulSets,
    DaemonSets,
    ServiceAccounts,
    CoreEvents,
    Events,
    Leases,
    Resources,
}

impl Things {
    pub fn api_resource(self) -> ApiResource {
        let (group, version, kind, plural) = match self {
            Self::Secrets => ("", "v1", "Secret", "secrets"),
            Self::ConfigMaps => ("", "v1", "ConfigMap", "configmaps"),
            Self::Pods => ("", "v1", "Pod", "pods"),
            Self::Deployments => ("apps", "v1", "Deployment", "deployments"),
            Self::StatefulSets => ("apps", "v1", "StatefulSet", "statefulsets"),
            Self::DaemonSets => ("apps", "v1", "DaemonSet", "daemonsets"),
            Self::ServiceAccounts => ("", "v1", "ServiceAccount", "serviceaccounts"),
            Self::CoreEvents => ("", "v1", "Event", "events"),
            Self::Events => ("events.k8s.io", "v1", "Event", "events"),
            Self::Leases => ("coordination.k8s.io", "v1", "Lease", "leases"),
            Self::Resources => (
                "awscredentials.dev",
                "v1alpha1",
                "StaticAwsCredentials",
                "staticawscredentials",
            ),
        };
        let kind = kube::api::GroupVersionKind::gvk(group, version, kind);
        ApiResource::from_gvk_with_plural(&kind, plural)
    }
}

/// An account in a namespace.
pub struct Attempt {
    client: Client,
    namespace: String,
    dry_run: bool,
}

impl Attempt {
    pub fn new(client: &Client, namespace: &str) -> Self {
        Self {
            client: client.clone(),
            namespace: namespace.to_owned(),
            dry_run: false,
        }
    }

    /// An account whose requests are dry runs. Admission treats these like others.
    pub fn dry(client: &Client, namespace: &str) -> Self {
        Self {
            dry_run: true,
            ..Self::new(client, namespace)
        }
    }

    pub fn api(&self, things: Things) -> Api<DynamicObject> {
        let resource = things.api_resource();
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
    }

    fn post(&self) -> PostParams {
        PostParams {
            dry_run: self.dry_run,
            field_manager: Some("attempt".to_owned()),
        }
    }

    fn patch_params(&self) -> PatchParams {
        PatchParams {
            dry_run: self.dry_run,
            field_manager: Some("attempt".to_owned()),
            ..PatchParams::default()
        }
    }

    fn delete_params(&self) -> DeleteParams {
        DeleteParams {
            dry_run: self.dry_run,
            ..DeleteParams::default()
        }
    }

    pub async fn create(&self, things: Things, manifest: &Value) -> Answer {
        let object = object(things, manifest);
        self.api(things).create(&self.post(), &object).await
    }

    pub async fn replace(&self, things: Things, manifest: &Value) -> Answer {
        let object = object(things, manifest);
        let name = object.metadata.name.clone().unwrap_or_default();
        self.api(things).replace(&name, &self.post(), &object).await
    }

    pub async fn merge(&self, things: Things, name: &str, patch: &Value) -> Answer {
        let parameters = self.patch_params();
        let api = self.api(things);
        api.patch(name, &parameters, &Patch::Merge(patch)).await
    }

    pub async fn merge_status(&self, things: Things, name: &str, patch: &Value) -> Answer {
        let parameters = self.patch_params();
        let api = self.api(things);
        api.patch_status(name, &parameters, &Patch::Merge(patch))
            .await
    }

    /// Server-side apply with `force`.
    pub async fn apply(&self, things: Things, manifest: &Value) -> Answer {
        let object = object(things, manifest);
        let name = object.metadata.name.clone().unwrap_or_default();
        let parameters = PatchParams {
            force: true,
            ..self.patch_params()
        };
        let api = self.api(things);
        api.patch(&name, &parameters, &Patch::Apply(&object)).await
    }

    pub async fn delete(&self, things: Things, name: &str) -> Result<(), kube::Error> {
        let deleted = self.api(things).delete(name, &self.delete_params()).await;
        deleted.map(drop)
    }

    pub async fn delete_all(&self, things: Things, labels: &str) -> Result<(), kube::Error> {
        let parameters = ListParams::default().labels(labels);
        let deleted = self
            .api(things)
            .delete_collection(&self.delete_params(), &parameters)
            .await;
        deleted.map(drop)
    }
}

fn object(things: Things, manifest: &Value) -> DynamicObject {
    let resource = things.api_resource();
    let mut whole = json!({ "apiVersion": resource.api_version, "kind": resource.kind });
    merge(&mut whole, manifest.clone());
    serde_json::from_value(whole).unwrap_or_else(|error| panic!("{error}: {manifest}"))
}

/// Merges objects; null removes a field.
pub fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                if value.is_null() {
                    into.remove(&key);
                } else {
                    merge(into.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        (into, from) => *into = from,
    }
}

/// A StaticAwsCredentials; `spec` is merged over a spec with the source `pair`.
pub fn resource(name: &str, spec: Value) -> Value {
    let mut object = json!({
        "metadata": { "name": name },
        "spec": { "secretRef": { "name": "pair" }, "region": "eu-west-1" },
    });
    merge(&mut object["spec"], spec);
    object
}

/// A pod with one container `app`; `spec` is merged over its spec.
pub fn pod(annotations: &Value, spec: Value) -> Value {
    let mut object = json!({
        "metadata": { "name": "pod", "annotations": annotations },
        "spec": { "containers": [{ "name": "app", "image": "app" }] },
    });
    merge(&mut object["spec"], spec);
    object
}

/// Whether one of our policies rejected the request.
pub fn is_refused_by<T>(answer: &Result<T, kube::Error>, policy: &str) -> bool {
    let sign = format!("ValidatingAdmissionPolicy 'static-aws-credentials-{policy}'");
    matches!(answer, Err(kube::Error::Api(status)) if status.message.contains(&sign))
}

/// Fails unless the policy rejected the request with these words, and without the value of a Secret.
#[track_caller]
pub fn assert_refused<T: std::fmt::Debug>(
    answer: &Result<T, kube::Error>,
    policy: &str,
    words: &str,
    what: &str,
) {
    assert!(is_refused_by(answer, policy), "{what}: {answer:?}");
    let Err(kube::Error::Api(status)) = answer else {
        return;
    };
    assert!(
        status.message.contains(words),
        "{what}: not {words:?} but {}",
        status.message
    );
    assert!(!status.message.contains(SECRET_VALUE), "{what}");
}

/// Fails if the request was rejected.
#[track_caller]
pub fn assert_passes<T: std::fmt::Debug>(answer: &Result<T, kube::Error>, what: &str) {
    assert!(answer.is_ok(), "{what}: {answer:?}");
}

/// The operator's metadata on a Secret of the resource with this name and UID.
pub struct Marks<'a> {
    pub name: &'a str,
    pub uid: &'a str,
}

impl Marks<'_> {
    /// The owner reference to the resource.
    pub fn controller(&self) -> Value {
        json!({
            "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
            "name": self.name, "uid": self.uid, "controller": true,
        })
    }

    /// A target that is deleted with its resource.
    pub fn target(&self, name: &str) -> Value {
        let mut secret = self.retained(name);
        secret["metadata"]["ownerReferences"] = json!([self.controller()]);
        secret
    }

    /// A target that outlives its resource.
    pub fn retained(&self, name: &str) -> Value {
        json!({
            "metadata": {
                "name": name,
                "labels": {
                    "app.kubernetes.io/managed-by": "static-aws-credentials",
                    "awscredentials.dev/uid": self.uid,
                },
                "annotations": { "awscredentials.dev/adopt-by": self.name },
            },
            "type": "Opaque",
            "stringData": { "AWS_SECRET_ACCESS_KEY": SECRET_VALUE },
        })
    }
}
