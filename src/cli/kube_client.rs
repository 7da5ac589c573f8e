//! The client of the API server.

use std::time::Duration;

use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper_timeout::TimeoutConnector;
use hyper_util::{client::legacy, rt::TokioExecutor};
use kube::{
    Client, Config,
    client::{Body, ClientBuilder, ConfigExt},
};
use tower::{BoxError, Service, ServiceBuilder};

use crate::{
    cli::{kubeconfig, route::Route},
    ops::metrics::Metrics,
    runtime::watch::IDLE_TIMEOUT,
};

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
    Ok(builder(&config(context).await?)?.build())
}

/// The client of the operator, whose requests are counted in the metrics.
///
/// # Errors
/// There is no cluster.
pub(super) async fn counted(metrics: &Metrics) -> Result<Client, KubeClientError> {
    let config = config(None).await?;
    let counting = metrics.requests.to(&config.cluster_url);
    Ok(builder(&config)?.with_layer(&counting).build())
}

/// kube's own builder has a client for each kind of proxy, which take 0.2 MB of the image, and logs each failed
/// request, which its caller reports too.
fn builder(
    config: &Config,
) -> Result<
    ClientBuilder<
        impl Service<Request<Body>, Response = Response<Incoming>, Error = BoxError, Future: Send>
        + Send
        + use<>,
    >,
    KubeClientError,
> {
    let failed = |error| KubeClientError::Client(Box::new(error));
    let route = Route::new(config).map_err(failed)?;
    let secure = config.rustls_https_connector_with_connector(route);
    let mut connector = TimeoutConnector::new(secure.map_err(failed)?);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    connector.set_reset_reader_on_write(config.reset_reader_on_write);
    let client = legacy::Client::builder(TokioExecutor::new()).build(connector);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer().map_err(failed)?)
        .layer(config.extra_headers_layer().map_err(failed)?)
        .map_err(BoxError::from)
        .service(client);
    Ok(ClientBuilder::new(
        service,
        config.default_namespace.clone(),
    ))
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
