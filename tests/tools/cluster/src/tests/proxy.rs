//! The proxy counts, streams and injects faults. Its upstream here is a small server: every suite that uses the
//! proxy tests its TLS to the real API server.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::proxy::{Answer, Counts, Fault, Verb};
use anyhow::{Context as _, Result, ensure};
use futures::StreamExt as _;
use http_body_util::BodyExt as _;
use hyper::StatusCode;
use tokio::time::timeout;

use super::upstream::{LONG, SECRETS, frame, pair, send};

#[tokio::test]
async fn requests_are_recorded_in_the_terms_of_kubernetes() -> Result<()> {
    let (_upstream, proxy) = pair().await?;
    let url = proxy.url();
    for (method, path) in [
        ("GET", "/version"),
        ("GET", "/api/v1/secrets?limit=500"),
        ("GET", "/apis/awscredentials.dev/v1/namespaces/a/things/b"),
        (
            "PATCH",
            "/apis/awscredentials.dev/v1/namespaces/a/things/b/status",
        ),
        ("PUT", "/api/v1/namespaces/a/secrets/b"),
        ("DELETE", "/api/v1/namespaces/a/secrets/b"),
        ("DELETE", "/api/v1/namespaces/a"),
        ("POST", "/apis/events.k8s.io/v1/namespaces/a/events"),
        ("POST", SECRETS),
    ] {
        send(&url, method, path).await?.collect().await?;
    }
    let all = proxy.requests();
    let thing = &all[3];
    assert_eq!(
        (thing.verb, thing.status, thing.request_bytes),
        (Verb::Patch, Some(200), 4)
    );
    assert_eq!(thing.group, "awscredentials.dev");
    assert_eq!(
        (thing.namespace.as_deref(), thing.name.as_deref()),
        (Some("a"), Some("b"))
    );
    assert_eq!(
        (all[6].what().as_str(), all[6].name.as_deref()),
        ("namespaces", Some("a"))
    );
    assert_eq!(all[8].status, Some(201));
    assert!(all.iter().all(|request| !request.metadata_only));
    let counts = Counts::of(&all);
    assert_eq!(
        (
            counts.other,
            counts.lists,
            counts.gets,
            counts.events,
            counts.watches
        ),
        (1, 1, 1, 1, 0)
    );
    let writes: Vec<_> = counts
        .writes
        .iter()
        .map(|(k, v)| (k.as_str(), *v))
        .collect();
    assert_eq!(
        writes,
        [("namespaces", 1), ("secrets", 3), ("things/status", 1)]
    );
    assert_eq!(proxy.counts(proxy.mark()), Counts::default());
    Ok(())
}

#[tokio::test]
async fn a_watch_is_handed_on_line_by_line_and_ends_with_its_client() -> Result<()> {
    let (upstream, proxy) = pair().await?;
    let path = format!("{SECRETS}?watch=true");
    let mut response = send(&proxy.url(), "GET", &path).await?;
    for line in ["{\"first\":1}\n", "{\"second\":2}\n"] {
        upstream.events.send(line)?;
        assert_eq!(
            frame(&mut response).await?.as_deref(),
            Some(line.as_bytes())
        );
    }
    assert_eq!(proxy.requests()[0].verb, Verb::Watch);
    assert!(proxy.requests()[0].finished.is_none());
    drop(response);
    timeout(LONG, async {
        while proxy.requests()[0].finished.is_none() || upstream.events.receiver_count() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .context("the watch outlives its client")
}

#[tokio::test]
async fn hundreds_of_watches_are_served_at_once() -> Result<()> {
    let (upstream, proxy) = pair().await?;
    let path = format!("{SECRETS}?watch=true");
    let url = proxy.url();
    let mut watches = futures::stream::iter(0..300)
        .map(|_| send(&url, "GET", &path))
        .buffer_unordered(300)
        .collect::<Vec<_>>()
        .await;
    upstream.events.send("{}\n")?;
    for watch in &mut watches {
        let watch = watch
            .as_mut()
            .map_err(|error| anyhow::anyhow!("{error:#}"))?;
        assert_eq!(frame(watch).await?.as_deref(), Some(&b"{}\n"[..]));
    }
    assert_eq!(proxy.counts(0).watches, 300);
    Ok(())
}

#[tokio::test]
async fn a_cut_after_the_commit_commits_once_and_a_cut_before_it_never() -> Result<()> {
    let (upstream, proxy) = pair().await?;
    let commits = || upstream.commits.load(Ordering::SeqCst);
    proxy.set_fault(Box::new(|_| Fault::CutBefore));
    ensure!(send(&proxy.url(), "POST", SECRETS).await.is_err());
    assert_eq!(commits(), 0);
    proxy.set_fault(Box::new(|_| Fault::CutAfterCommit));
    ensure!(send(&proxy.url(), "POST", SECRETS).await.is_err());
    assert_eq!(commits(), 1);
    let timed_out = Answer::status(504, "Timeout", "too late");
    proxy.set_fault(Box::new(move |_| {
        Fault::AnswerAfterCommit(timed_out.clone())
    }));
    let response = send(&proxy.url(), "POST", SECRETS).await?;
    assert_eq!((response.status().as_u16(), commits()), (504, 2));
    let statuses: Vec<_> = proxy.requests().iter().map(|r| r.status).collect();
    assert_eq!(statuses, [None, Some(201), Some(201)]);
    proxy.clear_fault();
    assert_eq!(
        send(&proxy.url(), "POST", SECRETS).await?.status(),
        StatusCode::CREATED
    );
    Ok(())
}

#[tokio::test]
async fn an_answer_of_the_hook_never_reaches_the_api_server() -> Result<()> {
    let (upstream, proxy) = pair().await?;
    let busy = Answer::status(429, "TooManyRequests", "later").header("retry-after", "3600");
    proxy.set_fault(Box::new(move |head| match head.verb {
        Verb::Create => Fault::Answer(busy.clone()),
        _ => Fault::Pass,
    }));
    let response = send(&proxy.url(), "POST", SECRETS).await?;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()["retry-after"], "3600");
    assert_eq!(upstream.commits.load(Ordering::SeqCst), 0);
    assert_eq!(proxy.requests()[0].status, Some(429));
    Ok(())
}

#[tokio::test]
async fn a_stream_can_be_rewritten_and_ended() -> Result<()> {
    let (upstream, proxy) = pair().await?;
    let path = format!("{SECRETS}?watch=true");
    proxy.set_fault(Box::new(|_| {
        Fault::Lines(Box::new(|line| [line, line].concat()))
    }));
    let mut response = send(&proxy.url(), "GET", &path).await?;
    upstream.events.send("{}\n")?;
    assert_eq!(
        frame(&mut response).await?.as_deref(),
        Some(&b"{}\n{}\n"[..])
    );
    proxy.set_fault(Box::new(|_| Fault::EndAfter(Duration::from_millis(50))));
    let mut response = send(&proxy.url(), "GET", &path).await?;
    assert_eq!(frame(&mut response).await?, None);
    Ok(())
}

#[tokio::test]
async fn what_a_black_hole_swallowed_stays_open_and_new_connections_work() -> Result<()> {
    let (upstream, proxy) = pair().await?;
    let path = format!("{SECRETS}?watch=true");
    let mut old = send(&proxy.url(), "GET", &path).await?;
    proxy.black_hole();
    let mut new = send(&proxy.url(), "GET", &path).await?;
    upstream.events.send("{}\n")?;
    assert_eq!(frame(&mut new).await?.as_deref(), Some(&b"{}\n"[..]));
    // The old connection would have received the event before the new one.
    let nothing = timeout(Duration::from_millis(300), old.frame()).await;
    assert!(nothing.is_err(), "{nothing:?}");
    Ok(())
}

#[tokio::test]
async fn quiet_waits_for_requests_but_not_for_watches() -> Result<()> {
    let (_upstream, proxy) = pair().await?;
    let url = proxy.url();
    let _watch = send(&url, "GET", &format!("{SECRETS}?watch=true")).await?;
    let span = Duration::from_millis(200);
    timeout(LONG, proxy.quiet(span))
        .await
        .context("a watch is open")?;

    proxy.set_fault(Box::new(|_| Fault::Hang));
    let slow = tokio::spawn({
        let url = url.clone();
        async move { send(&url, "PUT", "/apis/g/v1/namespaces/a/leases/l").await }
    });
    while proxy.mark() < 2 {
        tokio::task::yield_now().await;
    }
    ensure!(timeout(2 * span, proxy.quiet(span)).await.is_err());
    timeout(LONG, proxy.quiet_but_for(&["leases"], span)).await?;
    slow.abort();
    timeout(LONG, proxy.quiet(span))
        .await
        .context("it was given up")
}
