//! What the log says at the start.

use std::net::SocketAddr;

use crate::{cli::args::RunArgs, domain::layout::LEAST_TTL};

/// Logs the settings at the start, with the address of /metrics that was bound, and warns of those that should change.
pub(super) fn announce(args: &RunArgs, bound: SocketAddr) {
    let serves = match args.namespaces.as_slice() {
        [] => "all namespaces".to_owned(),
        namespaces => namespaces.join(", "),
    };
    tracing::info!(version = env!("CARGO_PKG_VERSION"), bind = %bound, serves, "starting");
    if args.unguarded {
        tracing::warn!(
            "no admission policy guards the resources: anyone who may create a StaticAwsCredentials can have any key pair of its namespace published; install the chart's policies"
        );
    }
    if args.credential_process_ttl < LEAST_TTL {
        tracing::warn!(
            seconds = args.credential_process_ttl,
            "--credential-process-ttl is below {LEAST_TTL}: boto3 starts a process for each request of a pod that follows rotations"
        );
    }
}
