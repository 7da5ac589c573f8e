//! Reads from the API server, without a cache, for one reconcile: resources, Secrets, pods and workloads.

use k8s_openapi::api::core::v1::{self, Secret};
use kube::{Api, Client, Resource as _, api::ListParams};
use serde::de::DeserializeOwned;

use crate::{
    api::{StaticAwsCredentials, WorkloadKind, WorkloadReference},
    domain::{
        decide::{FoundTarget, Source, Target, examine},
        fingerprint::FingerprintKey,
        index::{NamespacedName, Observed, SecretVersion},
        resource::ValidatedCredentials,
        rotation::{Pod, Workload},
    },
    error::Error,
    runtime::{pages::page, partial_meta::PartialMeta, watched_class::WatchedClass},
};

/// Objects per page of a list.
const PAGE: u32 = 100;

/// Reads the source.
///
/// # Errors
/// The API server does not answer.
pub async fn source(
    client: &Client,
    resource: &ValidatedCredentials,
    key: &FingerprintKey,
) -> Result<Source, Error> {
    Ok(
        match read(client, &resource.key.namespace, &resource.source.name).await? {
            None => Source::Absent,
            Some((secret, seen)) => Source::Found(examine(secret, seen, resource, key)),
        },
    )
}

/// Reads a resource.
///
/// # Errors
/// The API server does not answer.
pub async fn resource(
    client: &Client,
    key: &NamespacedName,
) -> Result<Option<StaticAwsCredentials>, Error> {
    let resources: Api<StaticAwsCredentials> = Api::namespaced(client.clone(), &key.namespace);
    let read = resources.get_opt(&key.name).await;
    read.map_err(|error| Error::ReadResource {
        name: key.name.to_string(),
        source: Box::new(error),
    })
}

/// Reads a class.
///
/// # Errors
/// The API server does not answer.
pub async fn class(client: &Client, name: &str) -> Result<Option<WatchedClass>, Error> {
    let classes: Api<WatchedClass> = Api::all(client.clone());
    let read = classes.get_opt(name).await;
    read.map_err(|error| Error::ReadResource {
        name: name.to_owned(),
        source: Box::new(error),
    })
}

/// Reads the Secret that has a target's name.
///
/// # Errors
/// The API server does not answer.
pub async fn target(
    client: &Client,
    resource: &ValidatedCredentials,
    name: &str,
) -> Result<Target, Error> {
    Ok(match read(client, &resource.key.namespace, name).await? {
        None => Target::Absent,
        Some((secret, seen)) => Target::Found(Box::new(FoundTarget::new(secret, seen))),
    })
}

/// Reads only the metadata of a Secret.
///
/// # Errors
/// The API server does not answer.
pub async fn secret_metadata(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<Observed, Error> {
    let secrets: Api<PartialMeta> = Api::namespaced(client.clone(), namespace);
    let read = secrets.get_opt(name).await;
    let secret = read.map_err(|error| read_error(name, error))?;
    let seen = secret.and_then(|secret| SecretVersion::of(secret.meta()));
    Ok(seen.map_or(Observed::NotFound, Observed::Found))
}

async fn read(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<Option<(Secret, SecretVersion)>, Error> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let read = secrets.get_opt(name).await;
    let secret = read.map_err(|error| read_error(name, error))?;
    Ok(secret.and_then(|secret| {
        let seen = SecretVersion::of(&secret.metadata)?;
        Some((secret, seen))
    }))
}

/// Calls `visit` for each pod of a namespace. Pods are decoded one at a time, and only `visit` may keep parts of them.
///
/// # Errors
/// The API server does not list them.
pub async fn pods(client: &Client, namespace: &str, visit: impl FnMut(&Pod)) -> Result<(), Error> {
    let pods: Api<v1::Pod> = Api::namespaced(client.clone(), namespace);
    let listed = for_each_page(&pods, visit).await;
    listed.map_err(|error| Error::ListPods(Box::new(error)))
}

/// Calls `visit` for each workload of a kind in a namespace, likewise.
///
/// # Errors
/// The API server does not list them.
pub async fn workloads(
    client: &Client,
    namespace: &str,
    kind: WorkloadKind,
    visit: impl FnMut(&Workload),
) -> Result<(), Error> {
    let workloads: Api<Workload> = Api::namespaced_with(client.clone(), namespace, &kind);
    let listed = for_each_page(&workloads, visit).await;
    listed.map_err(|error| Error::ReadWorkload {
        name: format!("{}s", kind.as_str()),
        source: Box::new(error),
    })
}

/// Reads a workload.
///
/// # Errors
/// The API server does not answer.
pub async fn workload(
    client: &Client,
    namespace: &str,
    reference: &WorkloadReference,
) -> Result<Option<Workload>, Error> {
    let workloads: Api<Workload> = Api::namespaced_with(client.clone(), namespace, &reference.kind);
    let read = workloads.get_opt(&reference.name).await;
    read.map_err(|error| Error::ReadWorkload {
        name: reference.to_string(),
        source: Box::new(error),
    })
}

async fn for_each_page<A, K>(objects: &Api<A>, mut visit: impl FnMut(&K)) -> Result<(), kube::Error>
where
    A: kube::Resource + Clone,
    K: DeserializeOwned + Send + 'static,
{
    let mut parameters = ListParams::default().limit(PAGE);
    loop {
        let page = page(objects, &parameters, |object: K| visit(&object)).await?;
        if page.next.is_empty() {
            return Ok(());
        }
        parameters.continue_token = Some(page.next);
    }
}

fn read_error(name: &str, error: kube::Error) -> Error {
    Error::ReadSecret {
        name: name.to_owned(),
        source: Box::new(error),
    }
}
