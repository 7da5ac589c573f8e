//! The process: how it starts and waits, and what it reports.

use std::{
    path::Path,
    process::{Command, Output},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use cluster::proxy::{Answer, Fault, Verb};
use serde_json::json;

use crate::{
    harness::{
        actions::TARGET,
        test_env::{PAIR, SECOND, TestCluster, TestEnv},
    },
    suite::tests,
};

tests![
    it_waits_for_a_missing_definition_and_says_so,
    it_waits_for_an_api_server_that_is_away_and_says_so,
    it_waits_for_an_api_server_that_accepts_and_does_not_answer_and_says_so_until_it_does,
    it_works_again_after_the_api_server_was_away,
    it_says_aloud_that_nobody_asks_who_requests,
    a_bad_flag_is_a_clear_error_and_a_code_of_its_own,
];

async fn it_waits_for_a_missing_definition_and_says_so(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.proxy.set_fault(Box::new(|head| {
        if head.group == "awscredentials.dev" {
            let message = "the server could not find the requested resource";
            Fault::Answer(Answer::status(404, "NotFound", message))
        } else {
            Fault::Pass
        }
    }));
    env.launch()?;
    env.until_unready("install the CustomResourceDefinition")
        .await?;
    assert!(env.log()?.contains("install the CustomResourceDefinition"));

    env.proxy.clear_fault();
    env.ready().await?;
    env.until_converged("orders").await?;
    Ok(())
}

async fn it_waits_for_an_api_server_that_is_away_and_says_so(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.proxy.set_fault(Box::new(|_| Fault::CutBefore));
    env.launch()?;
    env.until_unready("the API server does not answer").await?;
    assert!(env.log()?.contains("the API server does not answer"));

    env.proxy.clear_fault();
    env.ready().await?;
    env.until_converged("orders").await?;
    Ok(())
}

/// The first attempt fails after 55 s. During the next attempt the failure is still reported.
async fn it_waits_for_an_api_server_that_accepts_and_does_not_answer_and_says_so_until_it_does(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    env.proxy.set_fault(Box::new(|_| Fault::Hang));
    env.launch()?;
    let words = "the API server does not answer";
    env.until_unready(words).await?;
    let mark = env.proxy.mark();
    env.until("it asks again", async || {
        let asks = env
            .proxy
            .since(mark)
            .iter()
            .any(|it| it.verb == Verb::Watch);
        Ok(asks.then_some(()))
    })
    .await?;
    let problems = env.get_http("/readyz").await?;
    assert!(problems.contains(words), "{problems}");

    env.proxy.clear_fault();
    env.ready().await
}

async fn it_works_again_after_the_api_server_was_away(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    // The watches end soon, so that the fault has an effect soon.
    let env = TestEnv::settled_with_short_watches(test_cluster, Duration::from_secs(1)).await?;
    env.proxy.set_fault(Box::new(|_| Fault::CutBefore));
    env.until_unready("the API server does not answer").await?;
    let mark = env.proxy.mark();
    let began = Instant::now();
    env.source("pair", SECOND).await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let requests = env.proxy.since(mark).len();
    let span = began.elapsed().as_secs() + 3;
    assert!(
        requests <= usize::try_from(2 * span)?,
        "{requests} in {span} s"
    );

    env.proxy.clear_fault();
    env.until_converged("orders").await?;
    assert_eq!(env.content(TARGET).await?["AWS_ACCESS_KEY_ID"], SECOND.0);
    env.ready().await?;
    Ok(())
}

async fn it_says_aloud_that_nobody_asks_who_requests(test_cluster: Arc<TestCluster>) -> Result<()> {
    let mut env = TestEnv::open(test_cluster).await?;
    let policy = "\nstaticawscredentials_policy_enforced{";
    assert!(!env.get_http("/metrics").await?.contains(policy));
    let words = "anyone who may create a StaticAwsCredentials can have any key pair";
    assert!(!env.log()?.contains(words));

    env.stop_operator();
    env.flags(&["--unguarded"]);
    env.start_operator().await?;
    let unguarded = "\nstaticawscredentials_policy_enforced{policy=\"requester\"} 0\n";
    assert!(env.get_http("/metrics").await?.contains(unguarded));
    let ready = env.get_http("/readyz").await?;
    assert!(
        ready.contains(
            "ok\npolicy static-aws-credentials-requester is NOT seen to be enforced: none is part"
        ),
        "{ready}"
    );
    assert!(env.log()?.contains(words));
    Ok(())
}

fn run(arguments: &[&str], kubeconfig: &Path) -> Result<Output> {
    let program = env!("CARGO_BIN_EXE_static-aws-credentials");
    let mut command = Command::new("timeout");
    command.arg("20").arg(program).args(arguments);
    command.env("KUBECONFIG", kubeconfig);
    command.env("AWSCREDS_PROBE_BIND", "127.0.0.1:0");
    Ok(command.output()?)
}

async fn a_bad_flag_is_a_clear_error_and_a_code_of_its_own(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let cluster = test_cluster.cluster();
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let taken = listener.local_addr()?.to_string();
    let nonsense = cluster.directory().join("nonsense.pem");
    std::fs::write(&nonsense, "no certificate")?;
    let nonsense = nonsense.display().to_string();
    let usage = [
        (vec!["--sts-endpoint", "http://sts.example.com"], "loopback"),
        (vec!["--sts-endpoint", "ftp://127.0.0.1"], "--sts-endpoint"),
        (vec!["--bind", "nowhere"], "--bind"),
        (vec!["--probe-bind", "nowhere"], "--probe-bind"),
        (vec!["--concurrency", "0"], "--concurrency"),
        (vec!["--kubelet-sync-period", "1"], "--kubelet-sync-period"),
        (
            vec!["--credential-process-ttl", "0"],
            "--credential-process-ttl",
        ),
        (vec!["--sts-rate", "0"], "--sts-rate"),
        (vec!["--metrics-authentication"], "--metrics-tls-cert-file"),
        (
            vec!["--metrics-tls-cert-file", "a"],
            "--metrics-tls-key-file",
        ),
        (vec!["--log-format", "xml"], "--log-format"),
        (vec!["--no-such-flag"], "--no-such-flag"),
    ];
    let failure = [
        (
            vec!["--sts-ca-file", "/does/not/exist"],
            "--sts-ca-file: /does/not/exist",
        ),
        (vec!["--sts-ca-file", &nonsense], "--sts-ca-file"),
        (
            vec![
                "--metrics-tls-cert-file",
                &nonsense,
                "--metrics-tls-key-file",
                &nonsense,
            ],
            "--metrics-tls-cert-file: ",
        ),
        (
            vec!["--copy-label", "team,argocd.argoproj.io/instance"],
            "--copy-label: \"argocd.argoproj.io/instance\" is never copied",
        ),
        (vec!["--bind", &taken], "--bind"),
        (vec!["--probe-bind", &taken], "--probe-bind"),
        (vec!["--log", "a=b=c"], "--log"),
    ];
    let usage = usage.into_iter().map(|case| (2, case));
    for (code, (flags, words)) in usage.chain(failure.into_iter().map(|case| (1, case))) {
        let bind = if flags.contains(&"--bind") {
            vec![]
        } else {
            vec!["--bind", "127.0.0.1:0"]
        };
        let arguments: Vec<&str> = ["run"].into_iter().chain(bind).chain(flags).collect();
        let output = run(&arguments, cluster.kubeconfig())?;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
        let last = errors
            .lines()
            .filter(|line| line.contains("error: "))
            .count();
        assert!(
            last == 1 && errors.contains(words),
            "{arguments:?}: {errors}"
        );
        assert!(!errors.contains("panicked"), "{errors}");
    }
    drop(listener);

    let output = run(&["--bind", "127.0.0.1:0"], Path::new("/does/not/exist"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("KUBECONFIG"), "{errors}");
    Ok(())
}
