//! What failed: the cluster, the network or the code. Never an outcome, never "not yet".

use std::time::Duration;

use kube::core::Status;

use crate::words;

/// How long a status that was refused is not sent again.
pub const STATUS_PAUSE: Duration = Duration::from_mins(5);

/// Why a run did not finish.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A Secret could not be read.
    #[error("failed to read Secret {name}")]
    ReadSecret {
        /// Its name.
        name: String,
        /// Why.
        source: Box<kube::Error>,
    },
    /// A resource could not be read.
    #[error("failed to read StaticAwsCredentials {name}")]
    ReadResource {
        /// Its name.
        name: String,
        /// Why.
        source: Box<kube::Error>,
    },
    /// The pods could not be listed.
    #[error("failed to list the pods of the namespace")]
    ListPods(#[source] Box<kube::Error>),
    /// A workload could not be read.
    #[error("failed to read {name}")]
    ReadWorkload {
        /// Its kind and name.
        name: String,
        /// Why.
        source: Box<kube::Error>,
    },
    /// A workload could not be restarted.
    #[error("failed to restart {name}")]
    RestartWorkload {
        /// Its kind and name.
        name: String,
        /// Why.
        source: Box<kube::Error>,
    },
    /// The target could not be written.
    #[error("failed to write Secret {name}")]
    WriteSecret {
        /// Its name.
        name: String,
        /// Why.
        source: Box<kube::Error>,
    },
    /// The target changed under every attempt.
    #[error("Secret {name} changes faster than it can be written")]
    Contended {
        /// Its name.
        name: String,
    },
    /// The status could not be written.
    #[error("failed to write the status")]
    WriteStatus(#[source] Box<kube::Error>),
    /// The API server finds the status invalid.
    #[error("the API server refuses the status")]
    StatusRefused(#[source] Box<kube::Error>),
    /// The same, for a generation of which that is known.
    #[error("the API server refused the status of this generation before")]
    StatusRefusedBefore,
    /// The API server took too long.
    #[error("the API server did not answer within {} s", .0.as_secs())]
    Deadline(Duration),
    /// What the run had read is not the last word any more.
    #[error("the resource or its source changed while AWS was asked about other pairs")]
    Overtaken,
    /// Another replica may lead by now.
    #[error("this replica does not lead any more")]
    NotLeading,
    /// The code is wrong.
    #[error("the run panicked; this is a bug")]
    Panic,
    /// The decision never came to an end.
    #[error("the decision asks for the same again and again")]
    StepLimitExceeded,
}

impl Error {
    /// What kind of failure it is, for metrics and logs.
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

    /// Whether somebody else was faster. The watch tells what they did.
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

    /// Whether the operator has no right to see what it asked for.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        let (Self::ListPods(error) | Self::ReadWorkload { source: error, .. }) = self else {
            return false;
        };
        matches!(&**error, kube::Error::Api(status) if status.code == 403)
    }

    /// The words of the API server, if it refuses to change a workload, now and later.
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

    /// How long to wait before the next try, after so many failures in a row.
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

/// The client prints the whole status that the API server sent; its message is what it says. The status is
/// the client error's own cause, too, and says no more.
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
