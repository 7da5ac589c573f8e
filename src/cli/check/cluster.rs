//! Reads what is judged from the cluster of the kubeconfig, or from the pod's own cluster.

use std::time::Duration;

use super::{
    class,
    rules::Rules,
    subject::{Obstacle, Subject},
};
use crate::{
    cli::{args::check::CheckArgs, kube_client},
    domain::{fingerprint::FingerprintKey, index::NamespacedName},
    error::{Error, chain},
    runtime::observe,
};

/// A request that takes longer is assumed to hang.
const DEADLINE: Duration = Duration::from_secs(15);

/// Reads the named resource and its source, or the named Secret.
///
/// # Errors
/// There is no such resource, or the API server does not answer.
pub async fn find(args: &CheckArgs, key: &FingerprintKey) -> Result<Subject, Obstacle> {
    let client = kube_client::client(args.context.as_deref()).await;
    let client = client.map_err(|error| Obstacle::Unusable(chain(&error)))?;
    let default = client.default_namespace().to_owned();
    let namespace = args.namespace.clone().unwrap_or(default);
    let secret = args.secret.clone().unwrap_or_default();
    let object = match &args.resource {
        None => None,
        Some(name) => {
            let key = NamespacedName::new(&namespace, name);
            let object = in_time(observe::resource(&client, &key)).await?;
            Some(object.ok_or_else(|| {
                let problem =
                    format!("no StaticAwsCredentials \"{name}\" in namespace {namespace}");
                Obstacle::Unusable(problem)
            })?)
        }
    };
    let mut rules = Rules::new(args, object, &secret).map_err(Obstacle::Unusable)?;
    rules.resource.key.namespace = namespace.into();
    if let Some(name) = rules.class.clone() {
        let class = match &args.class_file {
            Some(_) => {
                Some(class::in_manifests(args, &name, Vec::new()).map_err(Obstacle::Unusable)?)
            }
            None => in_time(observe::class(&client, &name)).await?,
        };
        rules.resolve(&name, class.as_ref());
    }
    let source = in_time(observe::source(&client, &rules.resource, key)).await?;
    Ok(Subject { rules, source })
}

async fn in_time<T>(request: impl Future<Output = Result<T, Error>>) -> Result<T, Obstacle> {
    let late = |_| Error::Deadline(DEADLINE);
    let answered = tokio::time::timeout(DEADLINE, request).await.map_err(late);
    answered
        .and_then(|answered| answered)
        .map_err(|error| Obstacle::Unreadable(chain(&error)))
}
