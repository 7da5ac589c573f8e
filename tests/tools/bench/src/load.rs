//! Work for many concurrent clients, as fast as possible or at a steady pace.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::task::JoinSet;

/// Lets `clients` workers do pieces of work 0 to `count` - 1, each taking the next piece when it is free.
///
/// # Errors
/// The first error; the other workers are stopped.
pub async fn run_concurrently<W, F>(clients: usize, count: usize, work: W) -> Result<Duration>
where
    W: Fn(usize) -> F + Clone + Send + 'static,
    F: Future<Output = Result<()>> + Send + 'static,
{
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..clients.min(count) {
        let (work, next) = (work.clone(), Arc::clone(&next));
        tasks.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return anyhow::Ok(());
                }
                work(number).await?;
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(began.elapsed())
}

/// The same, but each piece of work begins no earlier than its share of `span`.
pub async fn paced<W, F>(clients: usize, count: usize, span: Duration, work: W) -> Result<Duration>
where
    W: Fn(usize) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<()>> + Send + 'static,
{
    let began = Instant::now();
    let each = span.div_f64(crate::stats::number(count.max(1)));
    run_concurrently(clients, count, move |number| {
        let due = began + each.mul_f64(crate::stats::number(number));
        let work = work.clone();
        async move {
            tokio::time::sleep_until(due.into()).await;
            work(number).await
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn every_piece_is_done_once_and_so_many_at_a_time() {
        let done = Arc::new(Mutex::new(Vec::new()));
        let (busy, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (seen, now, peak) = (Arc::clone(&done), Arc::clone(&busy), Arc::clone(&most));
        let work = move |number| {
            let (seen, now, peak) = (Arc::clone(&seen), Arc::clone(&now), Arc::clone(&peak));
            async move {
                let others = now.fetch_add(1, Ordering::SeqCst);
                peak.fetch_max(others + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                seen.lock().expect("a lock").push(number);
                now.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            }
        };
        run_concurrently(4, 50, work).await.expect("it is done");
        let mut done = done.lock().expect("a lock").clone();
        done.sort_unstable();
        assert_eq!(done, (0..50).collect::<Vec<_>>());
        assert!((2..=4).contains(&most.load(Ordering::SeqCst)));
    }

    #[tokio::test]
    async fn a_failure_ends_it() {
        let work = |number| async move {
            anyhow::ensure!(number != 3, "three");
            Ok(())
        };
        let error = run_concurrently(2, 10, work).await.expect_err("it fails");
        assert_eq!(error.to_string(), "three");
    }

    #[tokio::test]
    async fn a_pace_is_kept() {
        let span = Duration::from_millis(100);
        let took = paced(4, 10, span, |_| async { Ok(()) }).await;
        assert!(took.expect("it is done") >= span.mul_f64(0.9));
    }
}
