//! What may be done to a request on its way.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::watch;

use super::head::RequestHead;

/// Decides over each request before it is sent on.
pub type Hook = Box<dyn Fn(&RequestHead) -> Fault + Send + Sync>;

/// Turns one line of a stream (an event of a watch, with its newline) into any number of bytes.
pub type Rewrite = Box<dyn FnMut(&[u8]) -> Vec<u8> + Send>;

/// Is told that a request has got as far as it was to get.
pub type Tell = Box<dyn FnOnce() + Send>;

/// How far a request gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// It has arrived, and is not sent on.
    Arrived,
    /// The API server has carried it out, and the answer is not passed on.
    Committed,
    /// Its answer has been passed on; of a watch, the answer's head.
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

    /// What an API server answers that does not let a watch begin with what is there.
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

/// What becomes of a request.
#[derive(Default)]
pub enum Fault {
    /// It goes through.
    #[default]
    Pass,
    /// It is answered here and never reaches the API server.
    Answer(Answer),
    /// It goes through after this time.
    Delay(Duration),
    /// Its connection is closed and the API server never sees it.
    CutBefore,
    /// The API server carries it out, then the connection is closed instead of answered.
    CutAfterCommit,
    /// The API server carries it out, and the client is told something else.
    AnswerAfterCommit(Answer),
    /// It is neither sent on nor answered, and its connection stays open.
    Hang,
    /// It goes through once this is true, though its client may be gone by then.
    Hold(watch::Receiver<bool>),
    /// It goes through, and its answer ends properly after this time, finished or not.
    EndAfter(Duration),
    /// It goes through, and each line of its answer is rewritten.
    Lines(Rewrite),
    /// The same, until after a line this is true: then its answer ends properly.
    LinesUntil(Rewrite, Arc<AtomicBool>),
    /// It gets as far as this moment, then somebody is told. One that is not answered by then never
    /// is, and its connection stays open.
    StopAt(Moment, Tell),
    /// It is sent on with another query.
    Query(String),
    /// It goes through, and each line of its answer goes to the first. What comes out of the second
    /// is passed on instead, and ends with it.
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
