//! The process: what `main` wires, from the command line to the exit code.

use std::{io, sync::Arc, time::Duration};

use futures::{FutureExt, future::OptionFuture};
use kube::Client;
use tokio::sync::{oneshot, watch};

use crate::{
    cli::{args::RunArgs, kube_client, server, sts_client},
    domain::{fingerprint::FingerprintKey, managers},
    ops::{
        health::Health,
        metrics::Metrics,
        telemetry::{self, TelemetryError},
    },
    runtime::{
        classes::Classes,
        context::ProcessContext,
        controller::{self, WatchEnded},
        events::{self, EventQueue},
        guards::Guards,
        leader::{Candidate, Leader},
        provers::Provers,
        queue::WorkQueue,
        scopes::Scopes,
    },
    sts::{CachedSts, Rate},
};
use metrics_port::{port, serve_metrics};
use stop::{Stop, drain};

mod announcement;
mod metrics_port;
mod stop;

/// Why the process ends with an error.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// Logging cannot be set up.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The client of the API server.
    #[error(transparent)]
    Kube(#[from] kube_client::KubeClientError),
    /// The client of STS.
    #[error(transparent)]
    Sts(#[from] sts_client::StsClientError),
    /// A label that is never copied.
    #[error("--copy-label: \"{0}\" {1}")]
    CopyLabel(String, &'static str),
    /// The address of /metrics.
    #[error("--bind: {0} cannot be used")]
    Bind(std::net::SocketAddr, #[source] io::Error),
    /// The address of probes.
    #[error("--probe-bind: {0} cannot be used")]
    ProbeBind(std::net::SocketAddr, #[source] io::Error),
    /// The certificate of /metrics.
    #[error(transparent)]
    Tls(#[from] server::TlsError),
    /// Randomness.
    #[error("the system provides no random bytes")]
    Randomness(#[from] getrandom::Error),
    /// Signals.
    #[error("signals cannot be received")]
    Signals(#[source] io::Error),
    /// The server.
    #[error("the server of /metrics ended")]
    Server,
    /// The task that checks the admission policies.
    #[error("the task that checks the admission policies ended, which is a bug")]
    Guards,
    /// The task that publishes events.
    #[error("the task that publishes events ended, which is a bug")]
    Events,
    /// A watch ended.
    #[error("the process cannot continue")]
    Watch(#[source] WatchEnded),
}

/// Events that are not published by then are lost.
const LAST_EVENTS: Duration = Duration::from_secs(3);

/// Runs the operator until a signal stops it.
///
/// # Errors
/// It cannot start, or a task that runs forever ended. Other failures are retried.
pub async fn run(args: RunArgs) -> Result<(), ProcessError> {
    telemetry::init(args.log_format, &args.log)?;
    let stop = Stop::on_signals()?;
    let metrics = Metrics::default();
    let client = kube_client::counted(&metrics).await?;
    let port = port(&args)?;
    announcement::announce(&args, port.0.local_addr().unwrap_or(args.bind));
    let health = Arc::new(Health::default());
    server::serve_probes(args.probe_bind, Arc::clone(&health))
        .map_err(|error| ProcessError::ProbeBind(args.probe_bind, error))?;
    let (candidate, leader) = election(&args, &client)?;
    let shared = shared(&args, client.clone(), leader, metrics)?;
    let (drained, until_drained) = oneshot::channel::<()>();
    let tenure = candidate.map(|candidate| {
        health.add_check(candidate.health());
        let (shared, stop) = (Arc::clone(&shared), until_drained.map(drop));
        tokio::spawn(async move { candidate.run(&shared.metrics, stop).await })
    });
    let (ended, until_ended) = oneshot::channel::<()>();
    health.shows(Arc::clone(&shared.guards) as _);
    let guards = Arc::clone(&shared.guards);
    let guards = tokio::spawn(guards.watch(client.clone(), shared.leader.clone()));
    let publisher = publish(client, Arc::clone(&shared), until_ended.map(drop));
    let mut publisher = tokio::spawn(publisher).fuse();
    let server = tokio::spawn(serve_metrics(&args, port, &shared, &health));
    let work = serve(&shared, &health, scopes(&args.namespaces), &stop);
    let result = tokio::select! {
        result = drain(work, &stop, &health) => result,
        _ = server => Err(ProcessError::Server),
        _ = guards => Err(ProcessError::Guards),
        _ = &mut publisher => Err(ProcessError::Events),
    };
    drop((ended, drained));
    let last_events = tokio::time::timeout(LAST_EVENTS, publisher);
    // The election can only have panicked, and the lease then expires by itself.
    let (all_sent, _) = tokio::join!(last_events, OptionFuture::from(tenure));
    if all_sent.is_err() {
        tracing::warn!("the last events could not be published in time and are lost");
    }
    tracing::info!("stopped");
    result
}

/// Publishes the events of all scopes until `end`.
async fn publish(client: Client, shared: Arc<ProcessContext>, end: impl Future<Output = ()>) {
    let is_busy = || shared.queue.is_busy();
    events::publish(client, &shared.events, is_busy, end).await;
}

/// Serves the scopes.
async fn serve(
    shared: &Arc<ProcessContext>,
    health: &Arc<Health>,
    namespaces: Vec<Option<String>>,
    stop: &watch::Sender<Option<Stop>>,
) {
    let mut stopped = stop.subscribe();
    let told = async move {
        // The sender lives for as long as the process.
        let _ = stopped.wait_for(Option::is_some).await;
    };
    let (shared, health) = (Arc::clone(shared), Arc::clone(health));
    if let Err(WatchEnded) = controller::run(shared, health, namespaces, told).await {
        tracing::error!("a watch ended, which is a bug; the process exits to be restarted");
        Stop::WatchEnded.set(stop);
    }
}

fn scopes(namespaces: &[String]) -> Vec<Option<String>> {
    if namespaces.is_empty() {
        return vec![None];
    }
    let mut scopes: Vec<Option<String>> = namespaces.iter().cloned().map(Some).collect();
    scopes.sort();
    scopes.dedup();
    scopes
}

fn election(args: &RunArgs, client: &Client) -> Result<(Option<Candidate>, Leader), ProcessError> {
    if !args.leader_election {
        return Ok((None, Leader::alone()));
    }
    let own = client.default_namespace();
    let namespace = args.lease_namespace.as_deref().unwrap_or(own);
    let (candidate, leader) = Candidate::new(
        client.clone(),
        namespace,
        args.lease_name.clone(),
        identity()?,
    );
    Ok((Some(candidate), leader))
}

/// The host name identifies the pod. It is not enough: a restarted container keeps it.
fn identity() -> Result<String, getrandom::Error> {
    let host = ["POD_NAME", "HOSTNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok());
    let host = host.unwrap_or_else(|| "static-aws-credentials".to_owned());
    Ok(format!("{host}_{:08x}", getrandom::u32()?))
}

fn shared(
    args: &RunArgs,
    client: Client,
    leader: Leader,
    mut metrics: Metrics,
) -> Result<Arc<ProcessContext>, ProcessError> {
    let sts = sts_client::of_run(args)?;
    let proxied = sts.is_proxied();
    let sts = metrics.calls.of(sts);
    let rate = Rate::per_second(args.sts_rate);
    let prover = Arc::new(CachedSts::new(sts, rate)?);
    let home = client.default_namespace();
    let guards = args.expected_policies(home);
    let guards = Arc::new(Guards::new(&guards, metrics.policies.clone()));
    let classes = Arc::<Classes>::default();
    let calls = metrics.calls.clone();
    let provers = Arc::new(Provers::new(prover, rate, calls, Arc::clone(&classes)));
    metrics.asked(&provers);
    metrics.runs.at_most(args.concurrency.into());
    Ok(Arc::new(ProcessContext {
        client,
        leader,
        sts: provers,
        endpoint: args.sts_endpoint.clone(),
        proxied,
        lists_consumers: args.list_consumers,
        restarts_consumers: args.restart_consumers,
        kubelet_sync_period: args.kubelet_sync_period,
        credential_process_ttl: args.credential_process_ttl,
        copied_labels: managers::copied(&args.copy_labels)
            .map_err(|(key, why)| ProcessError::CopyLabel(key, why))?,
        key: FingerprintKey::random()?,
        guards,
        queue: WorkQueue::new(args.concurrency.into(), metrics.queue.clone()),
        scopes: Scopes::of(&scopes(&args.namespaces)),
        classes,
        events: EventQueue::new(metrics.lost_events()),
        metrics,
    }))
}
