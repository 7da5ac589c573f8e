//! Publishes the events that wait.

use std::{
    future::Future,
    pin::{Pin, pin},
    time::Duration,
};

use futures::{FutureExt, future::FusedFuture};
use kube::{
    Client,
    runtime::events::{Recorder, Reporter},
};
use tokio::time::timeout;

use super::{EventQueue, EventRequest};
use crate::{domain::target::FIELD_MANAGER, error::chain};

/// Events after which the recorder is replaced. To count repeated events, a recorder keeps each event for
/// minutes: after a burst, these would take more memory than the resources.
pub const RECORDER_CAPACITY: usize = 256;

const DEADLINE: Duration = Duration::from_secs(15);

/// The pauses between the attempts to publish one event.
const BACKOFF: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

/// The interval of events while reconciles wait for a place: the requests of reconciles come first.
const PACE_IN_A_BURST: Duration = Duration::from_millis(40);

/// Publishes events one after the other, so that no reconcile waits for them, and slowly while `is_busy`. Once `end`
/// completes, the events that are already queued are still published.
pub async fn publish(
    client: Client,
    queue: &EventQueue,
    is_busy: impl Fn() -> bool,
    end: impl Future<Output = ()>,
) {
    let mut publisher = Publisher::new(client);
    let mut end = pin!(end.fuse());
    while let Some(request) = queue.next(&mut end).await {
        if is_busy() && !end.is_terminated() {
            pause(PACE_IN_A_BURST, &mut end).await;
        }
        if let Err(error) = publisher.publish(&request, &mut end).await {
            queue.lost.inc();
            tracing::warn!(
                resource = %request.key,
                reason = &*request.reason,
                error,
                "an event could not be published"
            );
        }
    }
}

/// Counts repeated events by a recorder, and repeats attempts that failed.
struct Publisher {
    client: Client,
    recorder: Recorder,
    published: usize,
}

impl Publisher {
    fn new(client: Client) -> Self {
        Self {
            recorder: recorder(client.clone()),
            client,
            published: 0,
        }
    }

    /// Publishes an event in up to 5 attempts: the API server may be restarted or busy.
    async fn publish<F>(
        &mut self,
        request: &EventRequest,
        end: &mut Pin<&mut F>,
    ) -> Result<(), String>
    where
        F: FusedFuture<Output = ()>,
    {
        if self.published == RECORDER_CAPACITY {
            self.forget();
        }
        self.published += 1;
        let (event, about) = request.unpack();
        let mut backoff = BACKOFF.into_iter();
        loop {
            // A request that hangs would hold back all later events.
            let attempt = self.recorder.publish(&event, &about);
            let error = match timeout(DEADLINE, attempt).await {
                Ok(Ok(())) => return Ok(()),
                // The event that was to be counted up is deleted; a new one lacks its namespace.
                Ok(Err(kube::Error::Api(status))) if status.code == 404 && self.published > 0 => {
                    self.forget();
                    continue;
                }
                Ok(Err(error)) if is_final(&error) => return Err(chain(&error)),
                Ok(Err(error)) => chain(&error),
                Err(elapsed) => elapsed.to_string(),
            };
            let Some(wait) = backoff.next() else {
                return Err(error);
            };
            pause(wait, end).await;
        }
    }

    /// Forgets the events that were published, so that a repeated event is a new one.
    fn forget(&mut self) {
        self.recorder = recorder(self.client.clone());
        self.published = 0;
    }
}

/// Waits, but not beyond the end.
async fn pause<F>(wait: Duration, end: &mut Pin<&mut F>)
where
    F: FusedFuture<Output = ()>,
{
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        () = end.as_mut(), if !end.is_terminated() => {}
    }
}

fn recorder(client: Client) -> Recorder {
    let reporter = Reporter {
        controller: FIELD_MANAGER.to_owned(),
        instance: std::env::var("HOSTNAME").ok(),
    };
    Recorder::new(client, reporter)
}

/// Whether the same request would be rejected again.
fn is_final(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => status.code < 500 && status.code != 429,
        _ => false,
    }
}
