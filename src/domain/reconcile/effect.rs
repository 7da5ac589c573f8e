//! The effects of a reconcile, and their results.

use std::{ops::ControlFlow, time::Duration};

use crate::{
    api::StaticAwsCredentialsStatus,
    domain::{
        decide::{
            Awaited, Cause, InputsHash, Leftover, Query, Requeue, Source, Target, TargetWrite,
        },
        index::Observed,
        place::Place,
        verdict::{Answer, Control, Finding},
    },
};

/// The next effect, or the end of a reconcile.
pub type Progress = ControlFlow<Result<Done, Failure>, Effect>;

/// An effect on the cluster or AWS.
#[derive(Debug)]
pub enum Effect {
    /// Read the source.
    ReadSource,
    /// Read the Secret of this name.
    ReadTarget(String),
    /// Ask about the source's pair where it is proven.
    Ask(Query),
    /// Send control requests for other pairs to the same endpoint.
    Control(Place),
    /// Confirm by a dry run of a status write that the resource has not changed.
    Confirm,
    /// Change the target.
    Write(Box<TargetWrite>),
    /// Delete or release a leftover.
    Remove(Leftover),
    /// Write the status.
    WriteStatus(Box<StaticAwsCredentialsStatus>),
}

/// The end of a reconcile.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    /// The pause before the next planned reconcile, and its cause; `None` if only a change leads to one.
    pub pause: Option<(Duration, Cause)>,
    /// What was decided about the next reconcile.
    pub next: Requeue,
    /// What becomes of the pending request to STS.
    pub question: PendingQuestion,
}

/// What becomes of the pending request to STS at the end of a reconcile.
#[derive(Clone, Copy, Debug, Default)]
pub enum PendingQuestion {
    /// Nothing changes.
    #[default]
    Keep,
    /// The request continues. The inputs hash is `None` if the reconcile leaves work to do.
    Await(Option<InputsHash>),
    /// The answer is not needed.
    Cancel,
}

/// Why a reconcile cannot go on.
#[derive(Clone, Debug)]
pub enum Failure {
    /// Every attempt to change the Secret of this name met a newer version.
    Contended(String),
    /// The decision does not end.
    DecisionLimit,
}

/// The result of an effect.
#[derive(Debug)]
pub enum Event {
    /// The reconcile begins.
    Begun,
    /// The source, and the answers to a request that an earlier reconcile made about its pair.
    Source(Source, Vec<(String, Answer)>),
    /// The Secret of this name.
    Target(String, Target),
    /// The answer of a place, by its key.
    Answer(String, Answer),
    /// STS has not answered yet.
    Awaits(Awaited),
    /// The result of the control requests.
    Control(Control),
    /// The resource has not changed.
    Confirmed,
    /// How the change of the target ended.
    Written(WriteOutcome),
    /// How the removal of a leftover ended.
    Removed(Removed),
    /// The status was written; its version, if the response has one.
    StatusWritten(Box<StaticAwsCredentialsStatus>, Option<u64>),
}

/// How a change of the target ended.
#[derive(Debug)]
pub enum WriteOutcome {
    /// The change is done, and this is what was observed of the Secret.
    Applied(String, Observed),
    /// The Secret of this name has changed since the decision.
    Conflict(String),
    /// The API server rejects the change.
    Rejected(Finding),
    /// The namespace is terminating, with everything in it.
    NamespaceTerminating,
}

/// How the removal of a leftover ended.
#[derive(Debug)]
pub enum Removed {
    /// The removal is done, and this is what was observed of the Secret.
    Done(Observed),
    /// The Secret has changed since the decision, or its namespace is terminating.
    Changed,
    /// The API server rejects the removal. The text is our own, since the server's message may quote the Secret.
    Refused(String),
    /// The API server does not answer; further removals would not be answered either.
    Unanswered(String),
}

/// A change of what is known of a Secret, for the index.
pub struct Observation {
    /// Name of the Secret.
    pub name: String,
    /// What was known before.
    pub before: Observed,
    /// What is known now.
    pub after: Observed,
}
