//! Effects of the network on a call.

use std::time::{Duration, Instant};

use static_aws_credentials::{api::Reason::*, domain::verdict::Answer};

use super::{
    asking::{ACCOUNT, ARN, answer_to, answer_to_body, ask, direct, identity},
    raw::{Act, Raw, failure, reply, success},
};

#[tokio::test]
async fn s3_failures_are_not_answered_by_asking_again() {
    for status in [500, 502, 503, 504] {
        for body in ["", "<html>oops", &failure("InternalFailure", "")] {
            let answer = answer_to_body(status, body).await;
            assert_eq!(answer, Answer::Outage(StsUnavailable), "{status} {body}");
        }
    }
}

#[tokio::test]
async fn s3_pages_of_something_in_between() {
    let page =
        "<!DOCTYPE html><html><head><meta charset=utf-8><title>Sign in</title><body><p>Welcome<br>";
    for body in [
        page,
        "",
        "{}",
        "{\"error\":\"InvalidClientTokenId\"}",
        "InvalidClientTokenId",
        "\u{0}\u{1}",
    ] {
        assert_eq!(
            answer_to_body(200, body).await,
            Answer::Outage(StsUnexpectedResponse),
            "200 {body}"
        );
        assert_eq!(
            answer_to_body(403, body).await,
            Answer::Outage(StsAccessDenied),
            "403 {body}"
        );
        assert_eq!(
            answer_to_body(404, body).await,
            Answer::Outage(StsUnexpectedResponse),
            "404 {body}"
        );
    }
}

#[tokio::test]
async fn s3_a_redirect_is_not_followed() {
    let elsewhere = Raw::start([Act::Send(reply(200, "", &success(ACCOUNT, ARN)))]).await;
    for status in [301, 302, 303, 307, 308] {
        let to = format!("location: {}/\r\n", elsewhere.url);
        let answer = answer_to(Act::Send(reply(status, &to, &success(ACCOUNT, ARN)))).await;
        assert_eq!(answer, Answer::Outage(StsUnexpectedResponse), "{status}");
    }
    assert_eq!(elsewhere.requests().len(), 0);
}

#[tokio::test]
async fn s3_a_connection_that_breaks() {
    let cut_off = &reply(200, "", &success(ACCOUNT, ARN))[..300];
    for act in [Act::Close, Act::Send(cut_off.to_vec())] {
        assert_eq!(answer_to(act).await, Answer::Outage(StsUnreachable));
    }
    let closed = Raw::start([Act::Close]).await;
    let url = closed.url.clone();
    drop(closed);
    tokio::task::yield_now().await;
    let client = direct();
    assert_eq!(
        ask(&client, &url).await,
        Answer::Outage(StsUnreachable),
        "refused"
    );
    let nowhere = "https://sts.eu-west-1.invalid";
    assert_eq!(
        ask(&client, nowhere).await,
        Answer::Outage(StsUnreachable),
        "no such name"
    );
    // TLS to a server without TLS.
    let raw = Raw::start([Act::Send(b"hello\r\n".to_vec())]).await;
    let https = raw.url.replace("http:", "https:");
    assert_eq!(ask(&client, &https).await, Answer::Outage(StsUnreachable));
}

#[tokio::test]
async fn s3_what_speaks_no_http() {
    for bytes in [
        "SSH-2.0-OpenSSH_9.2p1\r\n",
        "* OK IMAP4 ready\r\n",
        "\u{0}\u{1}\u{2}\u{3}\r\n\r\n",
    ] {
        let answer = answer_to(Act::Send(bytes.into())).await;
        assert_eq!(answer, Answer::Outage(StsUnexpectedResponse), "{bytes}");
    }
}

#[tokio::test]
async fn s3_a_body_is_cut_at_the_limit() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n".to_vec();
    let chunkless = b"HTTP/1.1 403 Forbidden\r\n\r\n".to_vec();
    for act in [Act::Endless(head), Act::Endless(chunkless)] {
        let started = Instant::now();
        assert_eq!(answer_to(act).await, Answer::Outage(StsUnexpectedResponse));
        assert!(
            started.elapsed() < Duration::from_secs(8),
            "not by the deadline"
        );
    }
    let blanks = |count| format!("{}{}", success(ACCOUNT, ARN), " ".repeat(count));
    assert_eq!(answer_to_body(200, &blanks(60_000)).await, identity());
    assert_eq!(
        answer_to_body(200, &blanks(66_000)).await,
        Answer::Outage(StsUnexpectedResponse)
    );
}

/// The SDK requests no encoding and decodes none, so a compressed bomb keeps its size.
#[tokio::test]
async fn s3_a_compressed_body_is_not_unpacked() {
    for encoding in ["gzip", "deflate", "br", "zstd"] {
        let headers = format!("content-encoding: {encoding}\r\n");
        let answer = answer_to(Act::Send(reply(200, &headers, "\u{1f}\u{8b}\u{8}"))).await;
        assert_eq!(answer, Answer::Outage(StsUnexpectedResponse), "{encoding}");
    }
}

/// Both run at once, since each takes the whole deadline.
#[tokio::test]
async fn s3_whoever_is_too_slow_is_left_at_the_deadline() {
    let whole = reply(200, "", &success(ACCOUNT, ARN));
    let started = Instant::now();
    let (silent, drip) = tokio::join!(
        answer_to(Act::Hang),
        answer_to(Act::Drip(whole, Duration::from_secs(1))),
    );
    assert_eq!(silent, Answer::Outage(StsUnreachable));
    assert_eq!(drip, Answer::Outage(StsUnreachable));
    let took = started.elapsed();
    assert!(
        (Duration::from_secs(9)..Duration::from_secs(30)).contains(&took),
        "{took:?}"
    );
}
