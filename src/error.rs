//! Failures of the cluster, the network or the code. The outcome of a decision, or "not yet", is not an error.

use std::time::Duration;

use kube::core::Status;

use crate::domain::{reconcile::Failure, words};

/// How long a rejected status is not sent again.
pub const STATUS_PAUSE: Duration = Duration::from_mins(5);

/// Why a reconcile did not finish.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A Secret could not be read.
    #[error("failed to read Secret {name}")]
    ReadSecret {
        /// Name of the object.
        name: String,
        /// The cause.
        source: Box<kube::Error>,
    },
    /// A resource could not be read.
    #[error("failed to read StaticAwsCredentials {name}")]
    ReadResource {
        /// Name of the object.
        name: String,
        /// The cause.
        source: Box<kube::Error>,
    },
    /// The pods could not be listed.
    #[error("failed to list the pods of the namespace")]
    ListPods(#[source] Box<kube::Error>),
    /// A workload could not be read.
    #[error("failed to read {name}")]
    ReadWorkload {
        /// Kind and name of the workload.
        name: String,
        /// The cause.
        source: Box<kube::Error>,
    },
    /// A workload could not be restarted.
    #[error("failed to restart {name}")]
    RestartWorkload {
        /// Kind and name of the workload.
        name: String,
        /// The cause.
        source: Box<kube::Error>,
    },
    /// The target could not be written.
    #[error("failed to write Secret {name}")]
    WriteSecret {
        /// Name of the object.
        name: String,
        /// The cause.
        source: Box<kube::Error>,
    },
    /// Every attempt to write the target met a newer version.
    #[error("Secret {name} changes faster than it can be written")]
    Contended {
        /// Name of the object.
        name: String,
    },
    /// The status could not be written.
    #[error("failed to write the status")]
    WriteStatus(#[source] Box<kube::Error>),
    /// The API server rejects the status as invalid.
    #[error("the API server refuses the status")]
    StatusRefused(#[source] Box<kube::Error>),
    /// The same, after an earlier rejection for this generation.
    #[error("the API server refused the status of this generation before")]
    StatusRefusedBefore,
    /// The API server took too long.
    #[error("the API server did not answer within {} s", .0.as_secs())]
    Deadline(Duration),
    /// The objects that the reconcile has read are outdated.
    #[error("the resource or its source changed while AWS was asked about other pairs")]
    Overtaken,
    /// This replica has lost leadership, and another replica may lead.
    #[error("this replica is no longer the leader")]
    NotLeading,
    /// The reconcile panicked, which is a bug.
    #[error("the reconcile panicked; this is a bug")]
    Panic,
    /// The decision took more steps than a reconcile may have.
    #[error("the decision requests the same effect repeatedly")]
    StepLimitExceeded,
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Contended(name) => Self::Contended { name },
            Failure::DecisionLimit => Self::StepLimitExceeded,
        }
    }
}

impl Error {
    /// The kind of failure, for metrics and logs.
    #[must_use]
    pub fn category(&self) -> &'static str {
        match self {
            Self::ReadSecret { .. } => "read_secret",
            Self::ReadResource { .. } => "read_resource",
            Self::ListPods(_) => "list_pods",
            Self::ReadWorkload { .. } => "read_workload",
            Self::RestartWorkload { .. } => "restart_workload",
            Self::WriteSecret { .. } => "write_secret",
            Self::Contended { .. } => "contended",
            Self::WriteStatus(_) => "write_status",
            Self::StatusRefused(_) => "status_refused",
            Self::StatusRefusedBefore => "status_refused_before",
            Self::Deadline(_) => "deadline",
            Self::Overtaken => "overtaken",
            Self::NotLeading => "not_leading",
            Self::Panic => "panic",
            Self::StepLimitExceeded => "endless",
        }
    }

    /// Whether another client changed the resource or its source first. The watch delivers that change.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        let raced = |status: &kube::core::Status| status.is_conflict() || status.is_not_found();
        match self {
            Self::Overtaken => true,
            Self::WriteStatus(error) => {
                matches!(&**error, kube::Error::Api(status) if raced(status))
            }
            _ => false,
        }
    }

    /// Whether the operator has no right to read pods or workloads.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        let (Self::ListPods(error) | Self::ReadWorkload { source: error, .. }) = self else {
            return false;
        };
        matches!(&**error, kube::Error::Api(status) if status.code == 403)
    }

    /// The message of the API server if it rejects a restart for good, so that a retry does not help.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        let Self::RestartWorkload { source, .. } = self else {
            return None;
        };
        match &**source {
            kube::Error::Api(status) if matches!(status.code, 400 | 403 | 422) => {
                Some(words::foreign(&status.message))
            }
            _ => None,
        }
    }

    /// The pause before the next attempt, after this number of failures in a row.
    #[must_use]
    pub fn backoff(&self, failures: u32) -> Duration {
        if matches!(self, Self::StatusRefused(_) | Self::StatusRefusedBefore) {
            return STATUS_PAUSE;
        }
        Duration::from_millis(250)
            .saturating_mul(1 << failures.min(10))
            .min(Duration::from_secs(30))
    }
}

/// A failure and its causes as one sentence.
#[must_use]
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut sentence = text_of(error);
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = text_of(inner);
        // Some libraries repeat their cause in their own text.
        if !sentence.contains(&text) {
            sentence = format!("{sentence}: {text}");
        }
        cause = inner.source();
    }
    sentence
}

/// The text of one error. kube prints the whole status of the API server, and again as the source of its error;
/// only the message of the status is of use.
fn text_of(error: &(dyn std::error::Error + 'static)) -> String {
    let boxed = error.downcast_ref::<Box<kube::Error>>().map(AsRef::as_ref);
    let status = match error.downcast_ref::<kube::Error>().or(boxed) {
        Some(kube::Error::Api(status)) => Some(status),
        _ => error.downcast_ref::<Box<Status>>(),
    };
    match status {
        Some(status) => words::foreign(&status.message),
        None => words::foreign(&error.to_string()),
    }
}
