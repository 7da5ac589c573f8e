//! The published pair of a resource, and which pods surely started after it had reached every pod that starts.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;

use super::{Pod, Workload, overlap::propagated_at, restart_annotation_key};
use crate::api::Published;

/// The published pair of a resource, as the age of pods is measured against it.
#[derive(Clone, Copy, Debug)]
pub struct Publication<'a> {
    /// What the status says of it.
    pub published: &'a Published,
    /// The UID of the resource.
    pub uid: &'a str,
    /// The sync period of the kubelets.
    pub kubelet_sync_period: Duration,
}

impl Publication<'_> {
    /// By when every pod that starts gets the pair.
    #[must_use]
    pub fn propagated_at(&self) -> Timestamp {
        propagated_at(self.published, self.kubelet_sync_period)
    }

    /// The value of the restart annotation. The revision alone is not unique: after a withdrawal, it starts at 1 again.
    #[must_use]
    pub fn restart_annotation_value(&self) -> String {
        format!("{}@{}", self.published.revision, self.published.time.0)
    }

    /// Whether the workload was restarted for the pair.
    #[must_use]
    pub fn restarted(&self, workload: &Workload) -> bool {
        workload.restarted_for(self.uid) == Some(&self.restart_annotation_value())
    }

    /// Whether the pod was made from a template that the operator restarted for the pair. Such a pod is newer, also
    /// if the clock of its node is behind: the operator restarts a workload after the pair has reached every node.
    #[must_use]
    pub fn made(&self, pod: &Pod) -> bool {
        let annotations = pod.metadata.annotations.as_ref();
        let value = annotations.and_then(|all| all.get(&restart_annotation_key(self.uid)));
        value == Some(&self.restart_annotation_value())
    }
}
