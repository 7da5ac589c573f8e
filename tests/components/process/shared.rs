//! State that the scopes of a process share.

use std::{sync::Arc, time::Duration};

use clap::Parser;
use futures::{
    FutureExt,
    future::{BoxFuture, pending},
};
use kube::Client;
use static_aws_credentials::{
    cli::args::Cli,
    domain::fingerprint::FingerprintKey,
    ops::metrics::{Metrics, Policies},
    runtime::{
        context::ProcessContext,
        events::EventQueue,
        guards::Guards,
        leader::{Candidate, Leader},
        queue::WorkQueue,
        scopes::Scopes,
    },
    sts::{CallerIdentityReply, CallerIdentityRequest, Sts},
};

struct Nobody;

impl Sts for Nobody {
    fn get_caller_identity(&self, _: CallerIdentityRequest) -> BoxFuture<'_, CallerIdentityReply> {
        pending().boxed()
    }
}

/// The context of a process without other replicas, whose STS never answers.
pub fn shared(client: Client) -> ProcessContext {
    let metrics = Metrics::default();
    ProcessContext {
        client,
        leader: Leader::alone(),
        sts: Arc::new(Nobody),
        endpoint: None,
        proxied: false,
        lists_consumers: false,
        restarts_consumers: false,
        kubelet_sync_period: Duration::from_secs(90),
        credential_process_ttl: 1080,
        copied_labels: Vec::new(),
        key: FingerprintKey::random().unwrap(),
        queue: WorkQueue::new(1, metrics.queue.clone()),
        scopes: Scopes::of(&[None]),
        classes: Arc::default(),
        events: EventQueue::default(),
        guards: guards(),
        metrics,
    }
}

/// The context of a process that leads only while the candidate holds the lease.
pub fn elected(client: Client) -> (Candidate, Arc<ProcessContext>) {
    let (lease, identity) = ("lease".to_owned(), "me".to_owned());
    let (candidate, leader) = Candidate::new(client.clone(), "shop", lease, identity);
    let context = ProcessContext {
        leader,
        ..shared(client)
    };
    (candidate, Arc::new(context))
}

/// The install has no policies, and requires none.
fn guards() -> Arc<Guards> {
    let args = Cli::parse_from(["static-aws-credentials"]).run;
    Arc::new(Guards::new(
        &args.expected_policies("default"),
        Policies::default(),
    ))
}
