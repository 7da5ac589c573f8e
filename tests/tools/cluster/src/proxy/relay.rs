//! The answer on its way back: passed on frame by frame, so that a watch is not delayed.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::Sleep;

use super::Link;
use super::fault::{Callback, Rewrite};
use super::record::Entry;
use crate::http_server::Cut;

/// What is done to the frames.
pub(super) enum Treatment {
    Plain,
    EndAfter(Pin<Box<Sleep>>),
    Lines(Rewrite, Vec<u8>, Arc<AtomicBool>),
    Between(Between),
}

/// The channels of a test between the two ends of a stream.
pub(super) struct Between {
    to: Option<UnboundedSender<Vec<u8>>>,
    from: UnboundedReceiver<Vec<u8>>,
    rest: Vec<u8>,
}

impl Treatment {
    pub(super) fn end_after(time: Duration) -> Self {
        Self::EndAfter(Box::pin(tokio::time::sleep(time)))
    }

    pub(super) fn lines(rewrite: Rewrite, end: Arc<AtomicBool>) -> Self {
        Self::Lines(rewrite, Vec::new(), end)
    }

    pub(super) fn between(to: UnboundedSender<Vec<u8>>, from: UnboundedReceiver<Vec<u8>>) -> Self {
        Self::Between(Between {
            to: Some(to),
            from,
            rest: Vec::new(),
        })
    }

    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }
}

impl Between {
    fn poll(&mut self, upstream: &mut Incoming, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        while let Some(to) = &self.to {
            match Pin::new(&mut *upstream).poll_frame(cx) {
                Poll::Pending => break,
                Poll::Ready(Some(Ok(frame))) => {
                    self.rest.extend(frame.into_data().unwrap_or_default());
                    while let Some(line) = whole_line(&mut self.rest) {
                        let _ = to.send(line);
                    }
                }
                Poll::Ready(None | Some(Err(_))) => self.to = None,
            }
        }
        self.from.poll_recv(cx).map(|line| line.map(Bytes::from))
    }
}

/// Calls the function shortly after the end of the value that contains it: the last bytes are sent by then.
pub(super) struct Afterwards(pub(super) Option<Callback>);

const GONE: Duration = Duration::from_millis(20);

impl Drop for Afterwards {
    fn drop(&mut self) {
        if let Some(callback) = self.0.take() {
            tokio::spawn(async {
                tokio::time::sleep(GONE).await;
                callback();
            });
        }
    }
}

/// The body of an answer; `entry` closes with it.
pub(super) struct Relay {
    pub(super) from: Incoming,
    pub(super) treatment: Treatment,
    pub(super) link: Link,
    pub(super) _afterwards: Option<Afterwards>,
    pub(super) _entry: Entry,
}

impl Body for Relay {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let this = &mut *self;
        if this.link.is_dead() {
            return Poll::Pending;
        }
        if let Treatment::EndAfter(end) = &mut this.treatment
            && end.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(None);
        }
        if let Treatment::Between(between) = &mut this.treatment {
            let data = ready!(between.poll(&mut this.from, cx));
            return Poll::Ready(data.map(|data| Ok(Frame::data(data))));
        }
        loop {
            if let Treatment::Lines(_, _, end) = &this.treatment
                && end.load(Ordering::SeqCst)
            {
                return Poll::Ready(None);
            }
            let frame = ready!(Pin::new(&mut this.from).poll_frame(cx));
            // Checked again, since bytes that must no longer arrive may have woken the poll.
            if this.link.is_dead() {
                return Poll::Pending;
            }
            let frame = frame.transpose().map_err(|_| Cut)?;
            let Treatment::Lines(rewrite, rest, _) = &mut this.treatment else {
                return Poll::Ready(frame.map(Ok));
            };
            let ended = frame.is_none();
            if let Some(Ok(data)) = frame.map(Frame::into_data) {
                rest.extend_from_slice(&data);
            }
            let out = rewritten(rewrite, rest, ended);
            if !out.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(out.into()))));
            }
            if ended {
                return Poll::Ready(None);
            }
        }
    }
}

/// Takes whole lines off `rest`, and at the end the remainder too.
fn rewritten(rewrite: &mut Rewrite, rest: &mut Vec<u8>, ended: bool) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some(line) = whole_line(rest) {
        out.extend(rewrite(&line));
    }
    if ended && !rest.is_empty() {
        out.extend(rewrite(&std::mem::take(rest)));
    }
    out
}

fn whole_line(rest: &mut Vec<u8>) -> Option<Vec<u8>> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    Some(rest.drain(..=end).collect())
}
