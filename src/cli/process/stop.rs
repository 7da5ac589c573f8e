//! How the process ends.

use std::{future::Future, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use super::ProcessError;
use crate::{ops::health::Health, runtime::controller::WatchEnded};

/// Reconciles that have not ended by then are cut off; every write names the version that it replaces.
const DRAIN: Duration = Duration::from_secs(3);

/// Why the process ends.
#[derive(Clone, Copy, Debug)]
pub enum Stop {
    /// SIGTERM or SIGINT.
    Signal,
    /// A watch ended, which is a bug.
    WatchEnded,
}

impl Stop {
    /// Sets the reason, unless there is an earlier one.
    pub fn set(self, stop: &watch::Sender<Option<Self>>) {
        stop.send_if_modified(|stop| {
            let is_first = stop.is_none();
            stop.get_or_insert(self);
            is_first
        });
    }

    /// The reason to stop, set with the first SIGTERM or SIGINT.
    pub fn on_signals() -> Result<watch::Sender<Option<Self>>, ProcessError> {
        let mut terminate = signal(SignalKind::terminate()).map_err(ProcessError::Signals)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(ProcessError::Signals)?;
        let stop = watch::Sender::default();
        let signaled = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            Self::Signal.set(&signaled);
        });
        Ok(stop)
    }
}

/// Waits for the end of all work, or after a stop for the drain deadline. The deadline also ends a controller
/// whose first list never arrived: that controller would never end by itself.
pub async fn drain(
    work: impl Future<Output = ()>,
    stop: &watch::Sender<Option<Stop>>,
    health: &Health,
) -> Result<(), ProcessError> {
    let mut stopped = stop.subscribe();
    let deadline = async {
        let _ = stopped.wait_for(Option::is_some).await;
        health.stop();
        tracing::info!("stopping; reconciles in progress are finished");
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        () = work => {}
        () = deadline => tracing::warn!("some reconciles did not end in time and are aborted"),
    }
    match *stop.borrow() {
        Some(Stop::WatchEnded) => Err(ProcessError::Watch(WatchEnded)),
        Some(Stop::Signal) | None => Ok(()),
    }
}
