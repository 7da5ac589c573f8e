//! Whether one namespace waits for another.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Result;

use crate::stats::Spread;

/// The number of rotations before the burst.
const QUIET: usize = 50;

/// The median time of sequential rotations during a burst elsewhere, relative to that before it.
/// `alone` performs one rotation and returns its time in milliseconds.
pub async fn beside<T>(
    alone: impl AsyncFn(usize) -> Result<f64>,
    burst: impl Future<Output = Result<T>>,
) -> Result<f64> {
    let mut quiet = Vec::new();
    for turn in 0..QUIET {
        quiet.push(alone(turn).await?);
    }
    let over = Arc::new(AtomicBool::new(false));
    let ended = Arc::clone(&over);
    let burst = async move {
        let done = burst.await;
        ended.store(true, Ordering::Relaxed);
        done
    };
    let meanwhile = async {
        let mut times = Vec::new();
        while !over.load(Ordering::Relaxed) {
            times.push(alone(times.len()).await?);
        }
        anyhow::Ok(times)
    };
    let (_, times) = tokio::try_join!(burst, meanwhile)?;
    Ok(Spread::of(times).median() / Spread::of(quiet).median().max(f64::MIN_POSITIVE))
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, time::Duration};

    use super::*;

    #[tokio::test]
    async fn what_takes_three_times_as_long_beside_a_burst_has_the_ratio_three() {
        let busy = Cell::new(false);
        let alone = async |_| {
            tokio::task::yield_now().await;
            Ok(if busy.get() { 6.0 } else { 2.0 })
        };
        let burst = async {
            busy.set(true);
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok(())
        };
        let ratio = beside(alone, burst).await.expect("it is measured");
        assert!((ratio - 3.0).abs() < 1e-9, "{ratio}");
    }

    #[tokio::test]
    async fn a_burst_that_fails_is_a_failure() {
        let alone = async |_| {
            tokio::task::yield_now().await;
            Ok(1.0)
        };
        let burst = async { anyhow::bail!("no burst") };
        let outcome: Result<f64> = beside::<()>(alone, burst).await;
        assert!(outcome.is_err());
    }
}
