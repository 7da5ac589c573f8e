//! The faults that can be injected into a request.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::watch;

use super::head::RequestHead;

/// Decides on each request before it is sent on.
pub type Hook = Box<dyn Fn(&RequestHead) -> Fault + Send + Sync>;

/// Turns one line of a stream (an event of a watch, with its newline) into any number of bytes.
pub type Rewrite = Box<dyn FnMut(&[u8]) -> Vec<u8> + Send>;

/// Called when a request has reached its moment.
pub type Callback = Box<dyn FnOnce() + Send>;

/// How far a request gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// The request has arrived, and is not sent on.
    Arrived,
    /// The API server has carried out the request, and the answer is not passed on.
    Committed,
    /// The answer has been passed on; for a watch, its head.
    Answered,
}

/// An answer that the API server did not give.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// Headers by name.
    pub headers: Vec<(String, String)>,
}

impl Answer {
    /// A `Status` object as the API server would send it.
    #[must_use]
    pub fn status(code: u16, reason: &str, message: &str) -> Self {
        let body = serde_json::json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "code": code, "reason": reason, "message": message,
        });
        Self {
            status: code,
            body: body.to_string().into_bytes(),
            headers: vec![("content-type".into(), "application/json".into())],
        }
    }

    /// The answer of an API server that does not let a watch begin with the existing objects.
    #[must_use]
    pub fn no_watch_list() -> Self {
        let message =
            "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
        Self::status(422, "Invalid", message)
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// What the proxy does with a request.
#[derive(Default)]
pub enum Fault {
    /// The request goes through.
    #[default]
    Pass,
    /// The proxy answers, and the request never reaches the API server.
    Answer(Answer),
    /// The request goes through after this time.
    Delay(Duration),
    /// The connection is closed, and the request never reaches the API server.
    CutBefore,
    /// The API server carries out the request; then the connection is closed without an answer.
    CutAfterCommit,
    /// The API server carries out the request; the client gets this answer instead.
    AnswerAfterCommit(Answer),
    /// The request is neither sent on nor answered, and its connection stays open.
    Hang,
    /// The request goes through once this is true, even if its client has gone by then.
    Hold(watch::Receiver<bool>),
    /// The request goes through, and its answer ends properly after this time, complete or not.
    EndAfter(Duration),
    /// The request goes through, and each line of its answer is rewritten.
    Lines(Rewrite),
    /// The same, until this is true after a line: then the answer ends properly.
    LinesUntil(Rewrite, Arc<AtomicBool>),
    /// The request proceeds to this moment, then the function is called. If the request is not answered by then,
    /// it never is, and its connection stays open.
    StopAt(Moment, Callback),
    /// The request is sent on with another query.
    Query(String),
    /// The request goes through, and each line of its answer goes to the sender. The receiver's messages are
    /// passed on instead, and the answer ends with the last of them.
    Between(UnboundedSender<Vec<u8>>, UnboundedReceiver<Vec<u8>>),
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("Pass"),
            Self::Answer(answer) => write!(f, "Answer({})", answer.status),
            Self::Delay(time) => write!(f, "Delay({time:?})"),
            Self::CutBefore => f.write_str("CutBefore"),
            Self::CutAfterCommit => f.write_str("CutAfterCommit"),
            Self::AnswerAfterCommit(answer) => write!(f, "AnswerAfterCommit({})", answer.status),
            Self::Hang => f.write_str("Hang"),
            Self::Hold(_) => f.write_str("Hold"),
            Self::EndAfter(time) => write!(f, "EndAfter({time:?})"),
            Self::Lines(_) => f.write_str("Lines"),
            Self::LinesUntil(..) => f.write_str("LinesUntil"),
            Self::StopAt(moment, _) => write!(f, "StopAt({moment:?})"),
            Self::Query(query) => write!(f, "Query({query})"),
            Self::Between(..) => f.write_str("Between"),
        }
    }
}
