//! The beginning of a reconcile, and what is asked of one in progress.

use std::time::Duration;

use super::{Observation, Reconcile, RuntimeState, Surroundings};
use crate::{
    api::{Restart, StaticAwsCredentials, StaticAwsCredentialsStatus},
    domain::{
        decide::{Inputs, InputsHash, SourcePair, Step},
        index::{Observed, View},
        resource::ValidatedCredentials,
    },
};

/// What all reconciles of a process share, and the random number of one.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct Settings {
    /// The decision, which tests replace to break or to count it.
    pub decide: fn(&Inputs<'_>) -> Step,
    /// Whether one custom endpoint replaces those of all regions.
    pub endpoint_replaced: bool,
    /// Whether requests to AWS go through a proxy.
    pub proxied: bool,
    /// Whether pods are listed to find the consumers of a previous key pair.
    pub lists_consumers: bool,
    /// Whether workloads are restarted after a rotation.
    pub restarts_consumers: bool,
    /// How long the kubelet takes to update a changed Secret in the pods of its node.
    pub kubelet_sync_period: Duration,
    /// A random number from 0 to 1.
    pub jitter: f64,
}

/// The state of the resource at the beginning of a reconcile.
pub struct Begin {
    status: StaticAwsCredentialsStatus,
    version: String,
    /// Whether leftovers are due, so that the reconcile has work although its inputs are unchanged. An open question
    /// to STS must then keep no inputs hash.
    pub leftovers_due: bool,
    /// The name after which the leftovers of this reconcile start.
    pub leftovers_after: String,
}

impl Begin {
    /// Takes the status from the watch, or the one that this process wrote last if the watch has not delivered it yet.
    #[must_use]
    pub fn new(
        object: &StaticAwsCredentials,
        resource: &ValidatedCredentials,
        around: &mut Surroundings<'_>,
    ) -> Self {
        let state = &mut *around.state;
        state.reset_if_stale(around.epoch);
        let leftovers_due = state.leftovers.is_due(around.now);
        if leftovers_due {
            state.memory.look = None;
        }
        let stored_version = object.metadata.resource_version.clone().unwrap_or_default();
        state.keep_written_after(&stored_version, resource.generation, around.epoch);
        let (status, version) = match state.written.as_deref() {
            Some(written) => (written.status.clone(), written.version.to_string()),
            None => (object.status.clone().unwrap_or_default(), stored_version),
        };
        Self {
            status,
            version,
            leftovers_due,
            leftovers_after: state.leftovers.after().to_owned(),
        }
    }
}

impl RuntimeState {
    /// Drops a written status that the watch has delivered, or that is about another spec: a list may return an older
    /// spec than the one that the status is about.
    fn keep_written_after(&mut self, stored_version: &str, generation: i64, epoch: u64) {
        let stored: Option<u64> = stored_version.parse().ok();
        self.written.take_if(|written| {
            let is_newer = written.status.observed_generation == generation
                && written.epoch == epoch
                && stored.is_some_and(|stored| stored < written.version);
            !is_newer
        });
    }
}

impl<'a> Reconcile<'a> {
    /// A reconcile of a resource, with the view of the index.
    #[must_use]
    pub fn new(
        begin: Begin,
        view: View,
        resource: &'a ValidatedCredentials,
        restart: Option<&'a Restart>,
        settings: Settings,
    ) -> Self {
        Self {
            view: as_mentioned(view, &begin.status, resource),
            resource,
            restart,
            settings,
            status: begin.status,
            version: begin.version,
            source: None,
            targets: Vec::new(),
            answers: Vec::new(),
            control: None,
            awaited: None,
            decisions: 0,
            conflicts: 0,
            acting: None,
            observations: Vec::new(),
        }
    }

    /// The resource.
    #[must_use]
    pub fn resource(&self) -> &'a ValidatedCredentials {
        self.resource
    }

    /// The status, as last written.
    #[must_use]
    pub fn status(&self) -> &StaticAwsCredentialsStatus {
        &self.status
    }

    /// The resource version that a write of the status replaces.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What was observed of the source.
    #[must_use]
    pub fn observed_source(&self) -> &Observed {
        &self.view.source
    }

    /// The source's pair, once it was read and is well-formed.
    #[must_use]
    pub fn pair(&self) -> Option<&SourcePair> {
        self.source.as_ref()?.pair()
    }

    /// The answers of STS in this reconcile, by region.
    #[must_use]
    pub fn answers(&self) -> &[(String, crate::domain::verdict::Answer)] {
        &self.answers
    }

    /// The random number of this reconcile.
    #[must_use]
    pub fn jitter(&self) -> f64 {
        self.settings.jitter
    }

    /// The restart of workloads that the spec asks for.
    #[must_use]
    pub fn restart(&self) -> Option<&'a Restart> {
        self.restart
    }

    /// What is known of the Secrets, as the next reconcile will find it.
    #[must_use]
    pub fn known(&self) -> View {
        as_mentioned(self.view.clone(), &self.status, self.resource)
    }

    /// Hash of what this reconcile has seen.
    #[must_use]
    pub fn inputs_hash(&self) -> InputsHash {
        InputsHash::of(self.resource, &self.known(), &self.status)
    }

    /// The changes of what is known of Secrets since the last call.
    pub fn take_observations(&mut self) -> Vec<Observation> {
        std::mem::take(&mut self.observations)
    }
}

/// The index view, corrected for a status write of our own that the watch has not delivered yet.
fn as_mentioned(
    mut view: View,
    status: &StaticAwsCredentialsStatus,
    resource: &ValidatedCredentials,
) -> View {
    let published = status.published.as_ref();
    if published.is_none_or(|published| published.secret_name == resource.target) {
        view.published = Observed::Unknown;
    }
    view
}
