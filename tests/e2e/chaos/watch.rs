//! A watch that breaks, or delivers invalid events.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use cluster::proxy::{Fault, Verb};
use serde_json::json;

use crate::{
    chaos::counts::survived,
    harness::{
        actions::TARGET,
        test_env::{PAIR, SECOND, TestCluster, TestEnv},
    },
    report,
    suite::tests,
};

tests![
    f13_a_watch_that_is_closed_every_2_s,
    f14_a_watch_that_is_torn_garbled_or_ends_in_an_error,
    f16_connections_that_die_without_a_word,
];

async fn f13_a_watch_that_is_closed_every_2_s(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::settled_with(test_cluster, json!({})).await?;
    env.proxy.end_watches_after(Duration::from_secs(2));
    env.proxy.black_hole();
    let mark = env.proxy.mark();
    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;
    tokio::time::sleep(Duration::from_secs(9)).await;
    let requests = env.proxy.since(mark);
    let watches = requests.iter().filter(|it| it.verb == Verb::Watch).count();
    let costs = env.costs(mark).await?;
    assert!(watches >= 4, "the watches were closed: {costs:?}");
    assert_eq!(costs.writes.get("secrets"), Some(&1), "{costs:?}");
    let writes = costs.writes.get("staticawscredentials/status");
    assert_eq!(writes, Some(&1), "{costs:?}");
    survived(
        "f13_a_watch_that_is_closed_every_2_s",
        watches,
        "watches closed",
    );
    Ok(())
}

/// Makes the bytes that replace the next event of a watch.
type Spoil = fn(&[u8]) -> Vec<u8>;

fn failure(code: u16) -> Vec<u8> {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "something went wrong", "reason": "InternalError", "code": code,
    });
    let event = json!({ "type": "ERROR", "object": status });
    format!("{event}\n").into_bytes()
}

const SPOILS: [(&str, Spoil); 8] = [
    ("half an event", |line| line[..line.len() / 2].to_vec()),
    ("one byte", |line| line[..1].to_vec()),
    ("bytes that are no text", |_| b"\xff\xfe\0\x01\n".to_vec()),
    ("another language", |_| b"<html><body>portal\n".to_vec()),
    ("another object", |_| {
        b"{\"type\":\"MODIFIED\",\"object\":7}\n".to_vec()
    }),
    ("an unknown event", |_| {
        b"{\"type\":\"PERHAPS\",\"object\":{}}\n".to_vec()
    }),
    ("an error", |_| failure(500)),
    ("an expiry", |_| failure(410)),
];

/// Each replaces the one event that announces a new pair.
async fn f14_a_watch_that_is_torn_garbled_or_ends_in_an_error(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    let next: Arc<Mutex<Option<Spoil>>> = Arc::default();
    let spoils = Arc::clone(&next);
    env.proxy.set_fault(Box::new(move |head| {
        if head.verb != Verb::Watch || head.resource != "secrets" {
            return Fault::Pass;
        }
        let (spoils, torn) = (Arc::clone(&spoils), Arc::new(AtomicBool::new(false)));
        let ends = Arc::clone(&torn);
        let rewrite = move |line: &[u8]| {
            let spoil = spoils.lock().ok().and_then(|mut spoil| spoil.take());
            let out = spoil.map_or_else(|| line.to_vec(), |spoil| spoil(line));
            torn.store(!out.ends_with(b"\n"), Ordering::SeqCst);
            out
        };
        Fault::LinesUntil(Box::new(rewrite), ends)
    }));
    env.start_operator().await?;
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_converged("orders").await?;
    let mut survived = 0;
    for (number, (what, spoil)) in SPOILS.into_iter().enumerate() {
        env.until_idle().await?;
        let mark = env.proxy.mark();
        next.lock()
            .map_err(|_| anyhow::anyhow!("poisoned"))?
            .replace(spoil);
        let pair = [SECOND, PAIR][number % 2];
        env.source("pair", pair).await?;
        env.until_converged("orders").await?;
        assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], pair.0);
        let costs = env.costs(mark).await?;
        assert_eq!(costs.writes.get("secrets"), Some(&1), "{what}: {costs:?}");
        survived += 1;
    }
    let test = "f14_a_watch_that_is_torn_garbled_or_ends_in_an_error";
    report::tried(test, SPOILS.len(), survived, "events spoiled");
    Ok(())
}

async fn f16_connections_that_die_without_a_word(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::settled_with(test_cluster, json!({})).await?;
    // Makes several idle connections, which die as well.
    for number in 0..4 {
        let name = format!("more-{number}");
        env.resource(&name, "pair", json!({})).await?;
    }
    for number in 0..4 {
        env.until_converged(&format!("more-{number}")).await?;
    }
    env.until_idle().await?;
    env.proxy.black_hole();
    let began = Instant::now();
    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(65), "{took:?}");
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    env.ready().await?;
    let test = "f16_connections_that_die_without_a_word";
    survived(test, 1, &format!("noticed after {} s", took.as_secs()));
    Ok(())
}
