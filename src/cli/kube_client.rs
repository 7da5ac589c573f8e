//! The client of the API server.

use std::time::Duration;

use kube::{Client, Config, client::ClientBuilder};

use crate::{cli::kubeconfig, ops::metrics::Metrics, runtime::watch::IDLE_TIMEOUT};

/// Why there is no client of the API server.
#[derive(Debug, thiserror::Error)]
pub enum KubeClientError {
    /// The configuration for the API server.
    #[error(transparent)]
    Kubeconfig(#[from] kubeconfig::Unusable),
    /// The client of the API server.
    #[error("the client of the API server cannot be built")]
    Client(#[source] Box<kube::Error>),
}

const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

/// A client of the cluster that a context of the kubeconfig names; without one, of its current context or of the
/// pod's own cluster.
///
/// # Errors
/// There is no such cluster.
pub async fn client(context: Option<&str>) -> Result<Client, KubeClientError> {
    let client = Client::try_from(config(context).await?);
    client.map_err(|error| KubeClientError::Client(Box::new(error)))
}

/// The client of the operator, whose requests are counted in the metrics.
///
/// # Errors
/// There is no cluster.
pub(super) async fn counted(metrics: &Metrics) -> Result<Client, KubeClientError> {
    let config = config(None).await?;
    let counting = metrics.requests.to(&config.cluster_url);
    let client = ClientBuilder::try_from(config);
    let client = client.map_err(|error| KubeClientError::Client(Box::new(error)))?;
    Ok(client.with_layer(&counting).build())
}

async fn config(context: Option<&str>) -> Result<Config, KubeClientError> {
    let mut config = kubeconfig::load(context).await?;
    // One call must not hold a reconcile for minutes: reconciles are retried as a whole, with a pause.
    config.default_retry = false;
    config.write_timeout = Some(REQUEST_TIMEOUT);
    // Otherwise a connection that died unnoticed is used again, and a request on it hangs.
    config.read_timeout = Some(IDLE_TIMEOUT);
    config.reset_reader_on_write = true;
    Ok(config)
}
