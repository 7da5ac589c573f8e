//! No client of the operator's port can block other clients or fill the operator's memory.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    chaos::{abuse_bursts::resident, counts::survived},
    harness::test_env::{TestCluster, TestEnv},
    suite::tests,
};

tests![
    a18_a_thousand_who_never_finish_their_request_keep_nobody_from_an_answer,
    a18_a_request_that_is_too_large_or_too_slow_is_cut_off,
    a18_nothing_but_three_pages_is_served,
];

/// Twice the server's own deadline.
const PATIENCE: Duration = Duration::from_secs(30);
const CONNECTIONS: usize = 1000;

async fn a18_a_thousand_who_never_finish_their_request_keep_nobody_from_an_answer(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    let mut connections = Vec::new();
    for number in 0..CONNECTIONS {
        let mut stream = TcpStream::connect(&env.bind).await?;
        // Connections that were cut off to make room may fail here already.
        let _ = stream.write_all(b"GET /livez HTTP/1.1\r\nX-Slow: ").await;
        connections.push(stream);
        if number % 100 == 99 {
            let answer = timeout(PATIENCE, env.get_http("/livez")).await??;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
    }
    let files = std::fs::read_dir(format!("/proc/{}/fd", env.operator()?.pid()))?;
    let files = files.count();
    assert!(files < 128, "{files} files are open");
    for mut stream in connections {
        assert_cut(&mut stream).await?;
    }
    let test = "a18_a_thousand_who_never_finish_their_request_keep_nobody_from_an_answer";
    survived(test, CONNECTIONS, "connections cut off, probes answered");
    Ok(())
}

async fn a18_a_request_that_is_too_large_or_too_slow_is_cut_off(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    let before = resident(&env)?;
    let line = format!("X-Long: {}\r\n", "a".repeat(1 << 20));
    let many = "X-Short: a\r\n".repeat(100_000);
    let path = format!("/{}", "a".repeat(1 << 20));
    for request in [
        format!("GET /livez HTTP/1.1\r\n{line}\r\n"),
        format!("GET /livez HTTP/1.1\r\n{many}\r\n"),
        format!("GET {path} HTTP/1.1\r\n\r\n"),
    ] {
        let mut stream = TcpStream::connect(&env.bind).await?;
        let _ = stream.write_all(request.as_bytes()).await;
        let answer = assert_cut(&mut stream).await?;
        ensure!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let mut drip = TcpStream::connect(&env.bind).await?;
    let dripped = timeout(PATIENCE, async {
        for byte in "GET /livez HTTP/1.1\r\nX-Slow: ".bytes().chain([b'a'; 100]) {
            if drip.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    });
    dripped.await.context("a byte at a time went on")?;
    let mut idle = TcpStream::connect(&env.bind).await?;
    assert_cut(&mut idle).await?;
    let grown = resident(&env)?.saturating_sub(before);
    assert!(grown < 8 << 10, "grown by {grown} KiB");
    assert!(env.get_http("/livez").await?.starts_with("HTTP/1.1 200"));
    let test = "a18_a_request_that_is_too_large_or_too_slow_is_cut_off";
    survived(test, 5, "requests cut off");
    Ok(())
}

async fn a18_nothing_but_three_pages_is_served(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::settled_with(test_cluster, json!({})).await?;
    for path in ["/livez", "/readyz", "/metrics"] {
        // The invariants search the pages for secret values.
        env.invariants.scrape(&env.bind);
        assert!(env.get_http(path).await?.starts_with("HTTP/1.1 200"));
    }
    let others = [
        "/",
        "/debug/pprof",
        "/metrics/../livez",
        "/livez/",
        "/%2e%2e/etc/passwd",
        "*",
    ];
    for path in others {
        let answer = env.get_http(path).await?;
        assert!(answer.starts_with("HTTP/1.1 40"), "{path}: {answer}");
        assert!(
            !answer.contains("pair") && !answer.contains("orders"),
            "{answer}"
        );
    }
    for method in ["POST", "PUT", "DELETE", "CONNECT", "TRACE"] {
        let mut stream = TcpStream::connect(&env.bind).await?;
        let request = format!("{method} /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let answer = assert_cut(&mut stream).await?;
        assert!(answer.starts_with("HTTP/1.1 40"), "{method}: {answer}");
    }
    let test = "a18_nothing_but_three_pages_is_served";
    survived(test, others.len() + 5, "paths and methods refused");
    Ok(())
}

/// Reads until the operator has closed the connection.
async fn assert_cut(stream: &mut TcpStream) -> Result<String> {
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    // A reset counts as closed.
    let _ = read.context("the connection stays open")?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
