//! The port of /metrics, as the command line configures it.

use std::sync::Arc;

use tokio::net::TcpListener;

use super::ProcessError;
use crate::{
    cli::{
        args::RunArgs,
        server::{self, Access, Certificate},
    },
    ops::health::Health,
    runtime::context::ProcessContext,
};

/// The port of /metrics, and the certificate for TLS, if there is one.
pub(super) fn port(args: &RunArgs) -> Result<(TcpListener, Option<Certificate>), ProcessError> {
    let listener = server::bind(args.bind);
    let listener = listener.map_err(|error| ProcessError::Bind(args.bind, error))?;
    let files = args.metrics_tls_cert_file.as_ref();
    let files = files.zip(args.metrics_tls_key_file.as_ref());
    let certificate = files.map(|(certificate, key)| Certificate::read(certificate, key));
    Ok((listener, certificate.transpose()?))
}

pub(super) fn serve_metrics(
    args: &RunArgs,
    (listener, certificate): (TcpListener, Option<Certificate>),
    shared: &Arc<ProcessContext>,
    health: &Arc<Health>,
) -> impl Future<Output = ()> + use<> {
    let access = args
        .metrics_authentication
        .then(|| Access::new(shared.client.clone()));
    let router = server::all(Arc::clone(shared), Arc::clone(health), access);
    server::serve(listener, router, certificate)
}
