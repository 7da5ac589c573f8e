//! Writes to the API server. A plan is executed in this order: the target, the leftovers, the status.

use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{Patch, PatchParams, PostParams},
    core::{Request, Status},
};
use serde_json::{Value, json};

use crate::{
    api::{Reason, StaticAwsCredentials, StaticAwsCredentialsStatus, WorkloadReference},
    domain::{
        decide::{DesiredSecret, TargetWrite},
        index::{NamespacedName, Observed, SecretVersion},
        pair::KeyPair,
        reconcile::WriteOutcome,
        rotation::Workload,
        target::{FIELD_MANAGER, ZeroizingSecret},
        verdict::Finding,
        words,
    },
    error::Error,
    runtime::partial_meta::PartialMeta,
};

mod leftovers;
mod rehearse;
mod review;

pub use leftovers::remove;
pub use rehearse::{dry_run_create, may};
pub use review::{authenticated, may_get};

/// Creates, replaces or deletes the target. To replace or delete requires the UID and version of the decision.
///
/// # Errors
/// The API server does not answer.
pub async fn change(
    client: &Client,
    namespace: &str,
    change: &TargetWrite,
) -> Result<WriteOutcome, Error> {
    let (draft, replaced) = match change {
        TargetWrite::Delete(name, seen) => {
            return match leftovers::delete(client, namespace, name, seen).await {
                Ok(observed) => Ok(WriteOutcome::Applied(name.clone(), observed)),
                Err(error) => refused(name, error),
            };
        }
        TargetWrite::Create(draft) => (draft, None),
        TargetWrite::Replace(draft, seen) => (draft, Some(seen)),
    };
    let name = draft_name(draft);
    match write(client, namespace, draft, replaced).await {
        Ok(written) => Ok(match SecretVersion::of(written.meta()) {
            Some(seen) => WriteOutcome::Applied(name.to_owned(), Observed::Found(seen)),
            None => WriteOutcome::Conflict(name.to_owned()),
        }),
        Err(error) => refused(name, without_pair(error, &draft.pair)),
    }
}

/// Decodes only the metadata of the response, since the response contains the pair.
async fn write(
    client: &Client,
    namespace: &str,
    draft: &DesiredSecret,
    replaced: Option<&SecretVersion>,
) -> kube::Result<PartialMeta> {
    let secret = secret(draft, replaced);
    send(
        client,
        namespace,
        draft_name(draft),
        &secret,
        replaced.is_some(),
    )
    .await
}

async fn send(
    client: &Client,
    namespace: &str,
    name: &str,
    secret: &ZeroizingSecret,
    replaces: bool,
) -> kube::Result<PartialMeta> {
    let body = serde_json::to_vec(&secret.0).map_err(kube::Error::SerdeError)?;
    let secrets = Request::new(Secret::url_path(&(), Some(namespace)));
    let parameters = PostParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PostParams::default()
    };
    let request = if replaces {
        secrets.replace(name, &parameters, body)
    } else {
        secrets.create(&parameters, body)
    };
    client
        .request(request.map_err(kube::Error::BuildRequest)?)
        .await
}

/// Checks by a dry run that a resource still has this version, and thus is not being deleted.
///
/// # Errors
/// The resource has another version or is gone, or the API server does not answer.
pub async fn dry_run_precondition(
    client: &Client,
    key: &NamespacedName,
    version: &str,
) -> Result<(), Error> {
    let patch = json!({ "metadata": { "resourceVersion": version } });
    let parameters = PatchParams {
        dry_run: true,
        ..merge_patch_params()
    };
    let confirmed = status_api(client, key)
        .patch_status(&key.name, &parameters, &Patch::Merge(&patch))
        .await;
    let failed = |error| Error::WriteStatus(Box::new(error));
    confirmed.map(drop).map_err(failed)
}

fn status_api(client: &Client, key: &NamespacedName) -> Api<PartialMeta<StaticAwsCredentials>> {
    Api::namespaced(client.clone(), &key.namespace)
}

fn draft_name(draft: &DesiredSecret) -> &str {
    draft.metadata.name.as_deref().unwrap_or_default()
}

fn secret(draft: &DesiredSecret, replaces: Option<&SecretVersion>) -> ZeroizingSecret {
    let mut secret = ZeroizingSecret::new(draft.metadata.clone(), &draft.data);
    secret.0.metadata.uid = replaces.map(|seen| seen.uid.to_string());
    secret.0.metadata.resource_version = replaces.map(|seen| seen.version.to_string());
    secret
}

/// Removes the pair from an error, which may quote the Secret and is repeated in a status and in logs.
fn without_pair(error: kube::Error, pair: &KeyPair) -> kube::Error {
    let kube::Error::Api(mut status) = error else {
        return error;
    };
    status.message = words::about(&status.message, pair);
    for cause in status
        .details
        .iter_mut()
        .flat_map(|details| &mut details.causes)
    {
        cause.message.clear();
    }
    kube::Error::Api(status)
}

fn refused(name: &str, error: kube::Error) -> Result<WriteOutcome, Error> {
    match error {
        kube::Error::Api(status)
            if status.is_conflict() || status.is_already_exists() || status.is_not_found() =>
        {
            if namespace_is_gone(&status) {
                Ok(WriteOutcome::NamespaceTerminating)
            } else {
                Ok(WriteOutcome::Conflict(name.to_owned()))
            }
        }
        kube::Error::Api(status) if namespace_is_gone(&status) => {
            Ok(WriteOutcome::NamespaceTerminating)
        }
        kube::Error::Api(status) if matches!(status.code, 400 | 403 | 413 | 422) => {
            let message = format!(
                "the API server refuses to write Secret \"{name}\": {}",
                words::foreign(&status.message)
            );
            Ok(WriteOutcome::Rejected(Finding::new(
                Reason::TargetWriteRefused,
                message,
            )))
        }
        source => Err(Error::WriteSecret {
            name: name.to_owned(),
            source: Box::new(source),
        }),
    }
}

fn namespace_is_gone(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let namespace = status
        .details
        .as_ref()
        .is_some_and(|details| details.kind == "namespaces");
    causes
        .into_iter()
        .any(|cause| cause.reason == "NamespaceTerminating")
        || status.code == 404 && namespace
}

/// Restarts a workload by an annotation of its pod template. Returns false if the workload changed since `seen`.
///
/// # Errors
/// The API server rejects the patch or does not answer.
pub async fn restart(
    client: &Client,
    namespace: &str,
    reference: &WorkloadReference,
    seen: &Workload,
    (annotation, value): (&str, &str),
) -> Result<bool, Error> {
    let patch = json!({
        "metadata": { "resourceVersion": seen.metadata.resource_version },
        "spec": { "template": { "metadata": { "annotations": { annotation: value } } } },
    });
    let workloads: Api<PartialMeta<Workload>> =
        Api::namespaced_with(client.clone(), namespace, &reference.kind);
    let patched = workloads
        .patch(
            &reference.name,
            &merge_patch_params(),
            &Patch::Merge(&patch),
        )
        .await;
    match patched {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.is_conflict() || status.is_not_found() => Ok(false),
        Err(source) => Err(Error::RestartWorkload {
            name: reference.to_string(),
            source: Box::new(source),
        }),
    }
}

/// Writes the status if the resource still has this version, and returns the new version. A UID as the
/// precondition would not do: the API server ignores a wrong UID in a patch of a status.
///
/// # Errors
/// The API server rejects the patch or does not answer.
pub async fn status(
    client: &Client,
    key: &NamespacedName,
    version: &str,
    before: &StaticAwsCredentialsStatus,
    status: &StaticAwsCredentialsStatus,
) -> Result<Option<String>, Error> {
    let value = |status| serde_json::to_value(status).unwrap_or_default();
    let mut status_patch = value(status);
    null_removed_fields(&value(before), &mut status_patch);
    let patch = json!({ "metadata": { "resourceVersion": version }, "status": status_patch });
    match status_api(client, key)
        .patch_status(&key.name, &merge_patch_params(), &Patch::Merge(&patch))
        .await
    {
        Ok(written) => Ok(written.resource_version()),
        // The resource is gone, and its status with it.
        Err(kube::Error::Api(error)) if error.is_not_found() => Ok(None),
        Err(kube::Error::Api(error)) if error.code == 422 => {
            Err(Error::StatusRefused(Box::new(kube::Error::Api(error))))
        }
        Err(error) => Err(Error::WriteStatus(Box::new(error))),
    }
}

fn merge_patch_params() -> PatchParams {
    PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    }
}

/// Sets removed fields to null at every depth: a merge patch keeps each field that is absent from the patch.
fn null_removed_fields(before: &Value, after: &mut Value) {
    let (Value::Object(before), Value::Object(after)) = (before, after) else {
        return;
    };
    for (name, old) in before {
        match after.get_mut(name) {
            Some(new) => null_removed_fields(old, new),
            None => {
                after.insert(name.clone(), Value::Null);
            }
        }
    }
}
