//! The proxy stops a request at a given moment, and lets a test replace the lines of a stream.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::proxy::{Fault, Moment, Proxy};
use anyhow::{Context as _, Result, ensure};
use http_body_util::BodyExt as _;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::upstream::{LONG, SECRETS, frame, pair, send};

/// Stops the next requests at a moment, and reports when the first of them has reached it.
fn stop_at(proxy: &Proxy, moment: Moment) -> oneshot::Receiver<()> {
    let (signal, stopped) = oneshot::channel();
    let signal = std::sync::Mutex::new(Some(signal));
    proxy.set_fault(Box::new(move |_| {
        let signal = signal.lock().ok().and_then(|mut signal| signal.take());
        Fault::StopAt(
            moment,
            Box::new(|| {
                let _ = signal.map(|signal| signal.send(()));
            }),
        )
    }));
    stopped
}

#[tokio::test]
async fn a_request_gets_as_far_as_its_moment_and_no_further() -> Result<()> {
    let (upstream, proxy) = pair().await?;
    for (moment, commits, answered) in [
        (Moment::Arrived, 0, false),
        (Moment::Committed, 1, false),
        (Moment::Answered, 2, true),
    ] {
        let stopped = stop_at(&proxy, moment);
        let url = proxy.url();
        let mut request = tokio::spawn(async move { send(&url, "POST", SECRETS).await });
        if answered {
            let response = timeout(LONG, &mut request).await???;
            response.collect().await?;
        }
        timeout(LONG, stopped).await.context("no signal came")??;
        assert_eq!(
            upstream.commits.load(Ordering::SeqCst),
            commits,
            "{moment:?}"
        );
        let rest = timeout(Duration::from_millis(100), &mut request);
        ensure!(answered || rest.await.is_err(), "{moment:?} was answered");
        request.abort();
    }
    Ok(())
}

#[tokio::test]
async fn a_watch_counts_as_answered_once_it_has_begun() -> Result<()> {
    let (upstream, proxy) = pair().await?;
    let stopped = stop_at(&proxy, Moment::Answered);
    let path = format!("{SECRETS}?watch=true");
    let mut response = send(&proxy.url(), "GET", &path).await?;
    timeout(LONG, stopped).await.context("no signal came")??;
    upstream.events.send("{}\n")?;
    assert_eq!(frame(&mut response).await?.as_deref(), Some(&b"{}\n"[..]));
    Ok(())
}

#[tokio::test]
async fn the_query_can_be_replaced() -> Result<()> {
    let (upstream, proxy) = pair().await?;
    proxy.set_fault(Box::new(|_| Fault::Query("watch=true".to_owned())));
    let mut response = send(&proxy.url(), "GET", &format!("{SECRETS}?watch=true&x=y")).await?;
    upstream.events.send("{}\n")?;
    assert_eq!(frame(&mut response).await?.as_deref(), Some(&b"{}\n"[..]));
    let queries = upstream.queries.lock().map(|all| all.clone());
    assert_eq!(queries.unwrap_or_default(), ["watch=true"]);
    Ok(())
}

#[tokio::test]
async fn somebody_between_gets_every_line_and_decides_what_is_passed_on() -> Result<()> {
    let (upstream, proxy) = pair().await?;
    let (to, mut from_server) = mpsc::unbounded_channel();
    let (to_client, from) = mpsc::unbounded_channel();
    let between = std::sync::Mutex::new(Some((to, from)));
    proxy.set_fault(Box::new(move |_| {
        let ends = between.lock().ok().and_then(|mut ends| ends.take());
        ends.map_or(Fault::Pass, |(to, from)| Fault::Between(to, from))
    }));
    let path = format!("{SECRETS}?watch=true");
    let mut response = send(&proxy.url(), "GET", &path).await?;
    upstream.events.send("{\"first\":1}\n")?;
    upstream.events.send("{\"second\":2}\n")?;
    let mut lines = Vec::new();
    for _ in 0..2 {
        lines.push(
            timeout(LONG, from_server.recv())
                .await?
                .context("no line")?,
        );
    }
    for line in lines.iter().rev() {
        to_client.send(line.clone())?;
        assert_eq!(frame(&mut response).await?.as_deref(), Some(&line[..]));
    }
    drop(to_client);
    assert_eq!(frame(&mut response).await?, None);
    Ok(())
}
