//! Deletes or releases leftovers.

use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client, Resource,
    api::{DeleteParams, Preconditions},
};

use super::{namespace_is_gone, send};
use crate::{
    domain::{
        decide::{Disposal, Leftover},
        index::{Observed, SecretVersion},
        reconcile::Removed,
        target::{self, ZeroizingSecret},
    },
    runtime::partial_meta::PartialMeta,
};

/// Deletes a leftover or removes its owner reference, if its UID and resource version are unchanged.
pub async fn remove(client: &Client, namespace: &str, leftover: &Leftover) -> Removed {
    let Leftover {
        name,
        seen,
        disposal,
    } = leftover;
    let removed = match disposal {
        Disposal::Delete => delete(client, namespace, name, seen).await.map(Some),
        Disposal::Release => release(client, namespace, name, seen).await,
    };
    match removed {
        Ok(Some(observed)) => Removed::Done(observed),
        Ok(None) => Removed::Changed,
        Err(kube::Error::Api(status))
            if status.is_conflict() || status.is_not_found() || namespace_is_gone(&status) =>
        {
            Removed::Changed
        }
        Err(kube::Error::Api(status)) => {
            Removed::Refused(format!("{} {}", status.code, status.reason))
        }
        Err(_) => Removed::Unanswered("the API server does not answer".to_owned()),
    }
}

/// Deletes a Secret, if its UID and resource version are unchanged.
pub(super) async fn delete(
    client: &Client,
    namespace: &str,
    name: &str,
    seen: &SecretVersion,
) -> kube::Result<Observed> {
    let secrets: Api<PartialMeta> = Api::namespaced(client.clone(), namespace);
    let preconditions = Preconditions {
        uid: Some(seen.uid.to_string()),
        resource_version: Some(seen.version.to_string()),
    };
    match secrets
        .delete(name, &DeleteParams::default().preconditions(preconditions))
        .await
    {
        Ok(_) => Ok(Observed::NotFound),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(Observed::NotFound),
        Err(error) => Err(error),
    }
}

/// Removes our owner reference by an update, since the operator needs no right to patch Secrets then.
async fn release(
    client: &Client,
    namespace: &str,
    name: &str,
    seen: &SecretVersion,
) -> kube::Result<Option<Observed>> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let Some(secret) = secrets.get_opt(name).await? else {
        return Ok(Some(Observed::NotFound));
    };
    let mut secret = ZeroizingSecret(secret);
    if SecretVersion::of(&secret.0.metadata).as_ref() != Some(seen) {
        return Ok(None);
    }
    let metadata = &mut secret.0.metadata;
    metadata.managed_fields = None;
    let ours = target::our_controller(metadata).map(|owner| owner.uid.clone());
    if let Some(owners) = &mut metadata.owner_references {
        owners.retain(|owner| Some(&owner.uid) != ours.as_ref());
    }
    let written = send(client, namespace, name, &secret, true).await?;
    Ok(SecretVersion::of(written.meta()).map(Observed::Found))
}
