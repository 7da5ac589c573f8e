//! Views of the operator from outside: a Prometheus that scrapes it, the dashboard's expressions, and the log.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use cluster::shipped::DASHBOARD;
use serde_json::{Value, json};

use crate::{
    harness::test_env::{PAIR, SECOND, TestCluster, TestEnv},
    matrix::prometheus::{ALERTS, Prometheus},
    suite::tests,
};

tests![
    a_prometheus_that_scrapes_it_fills_the_dashboard_and_evaluates_the_alerts,
    a_prometheus_that_overrides_labels_has_the_namespace_of_a_resource,
    series_of_a_resource_go_with_it,
    the_log_has_one_line_for_each_transition_and_none_while_nothing_happens,
];

/// Panels without data as long as nothing failed.
const EMPTY: [&str; 1] = ["Failed reconciles by kind"];

async fn settled(test_cluster: Arc<TestCluster>, flags: &[(&str, &str)]) -> Result<TestEnv> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    let namespace = env.namespace.clone();
    env.flags(&["--leader-election", "--lease-namespace", &namespace]);
    for (flag, value) in flags {
        env.flag(flag, value);
    }
    env.start_operator().await?;
    env.source("pair", PAIR).await?;
    env.source("bad", (SECOND.1, SECOND.0)).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.resource("bills", "bad", json!({})).await?;
    env.until_converged("orders").await?;
    env.until_status("bills", "Ready", "False", "ValuesSwapped")
        .await?;
    Ok(env)
}

async fn a_prometheus_that_scrapes_it_fills_the_dashboard_and_evaluates_the_alerts(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = settled(test_cluster, &[]).await?;
    let prometheus = Prometheus::of(&env.bind).await?;
    let namespace = &env.namespace;
    let ready = format!(
        "staticawscredentials_status_condition{{namespace=\"{namespace}\",name=\"orders\",type=\"Ready\",status=\"True\"}}"
    );
    let stalled = format!(
        "staticawscredentials_status_reason{{namespace=\"{namespace}\",name=\"bills\",type=\"Ready\",reason=\"ValuesSwapped\"}}"
    );
    for expression in [&ready, &stalled] {
        env.until(expression, async || {
            let answer = prometheus.ask(expression).await.unwrap_or_default();
            Ok((answer.len() == 1 && answer[0].1 == 1.0).then_some(()))
        })
        .await?;
    }
    // A rate needs several scrapes, and a change between them.
    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let dashboard: Value = serde_json::from_str(DASHBOARD)?;
    let panels = dashboard["panels"].as_array().context("no panels")?;
    let mut asked = 0;
    for panel in panels {
        let title = panel["title"].as_str().context("no title")?;
        for target in panel["targets"].as_array().into_iter().flatten() {
            let expression = target["expr"].as_str().context("no expression")?;
            let expression = expression.replace("$__rate_interval", "1m");
            let expression = expression.replace("$namespace", ".*").replace("$job", ".*");
            // On a busy machine a scrape may be late, and every series is stale until the next one.
            env.until(&format!("{title} shows {expression}"), async || {
                let answer = prometheus.ask(&expression).await?;
                let shows = !answer.is_empty() || EMPTY.contains(&title);
                Ok(shows.then_some(()))
            })
            .await?;
            asked += 1;
        }
    }
    ensure!(asked > 25, "{asked} expressions");
    let failures = prometheus
        .ask("sum(prometheus_rule_evaluation_failures_total)")
        .await?;
    ensure!(failures[0].1 == 0.0, "{failures:?}");
    let rules = prometheus.ask("sum(prometheus_rule_group_rules)").await?;
    let written = u32::try_from(ALERTS.matches("- alert: ").count())?;
    ensure!(rules[0].1 == f64::from(written), "{rules:?}");
    let raised = prometheus.ask("ALERTS{alertstate=\"firing\"}").await?;
    ensure!(raised.is_empty(), "{raised:?}");
    let pending = prometheus.ask("ALERTS{alertstate=\"pending\"}").await?;
    let refused = |(labels, _): &(Value, f64)| {
        labels["name"] == "bills" && labels["alertname"] == "StaticAwsCredentialsRejected"
    };
    ensure!(pending.iter().any(refused), "{pending:?}");
    Ok(())
}

async fn a_prometheus_that_overrides_labels_has_the_namespace_of_a_resource(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = settled(test_cluster, &[]).await?;
    let prometheus = Prometheus::overriding(&env.bind).await?;
    let alert = format!(
        "ALERTS{{alertname=\"StaticAwsCredentialsRejected\",namespace=\"{}\",name=\"bills\"}}",
        env.namespace
    );
    env.until(&alert, async || {
        let answer = prometheus.ask(&alert).await.unwrap_or_default();
        Ok((answer.len() == 1).then_some(()))
    })
    .await?;
    let of_target = "staticawscredentials_build_info{namespace=\"operators\"}";
    let answer = prometheus.ask(of_target).await?;
    ensure!(answer.len() == 1, "{answer:?}");
    Ok(())
}

async fn series_of_a_resource_go_with_it(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = settled(test_cluster, &[]).await?;
    let series = format!("namespace=\"{}\",name=\"bills\"", env.namespace);
    ensure!(env.get_http("/metrics").await?.contains(&series));
    env.resources
        .delete("bills", &kube::api::DeleteParams::default())
        .await?;
    env.until("its series are gone", async || {
        let metrics = env.get_http("/metrics").await?;
        Ok((!metrics.contains(&series)).then_some(()))
    })
    .await?;
    let orders = format!("namespace=\"{}\",name=\"orders\"", env.namespace);
    ensure!(env.get_http("/metrics").await?.contains(&orders));
    Ok(())
}

async fn the_log_has_one_line_for_each_transition_and_none_while_nothing_happens(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let flags = [("--log", "info"), ("--log-format", "json")];
    let env = settled(test_cluster, &flags).await?;
    let orders = format!("{}/orders", env.namespace);
    let bills = format!("{}/bills", env.namespace);
    let lines = || -> Result<Vec<Value>> {
        let log = env.log()?;
        Ok(log
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?)
    };
    let of = |resource: &str| -> Result<Vec<Value>> {
        let lines = lines()?.into_iter();
        Ok(lines.filter(|line| line["resource"] == resource).collect())
    };
    env.until_idle().await?;
    let logged = of(&orders)?;
    ensure!(logged.len() == 1, "{logged:#?}");
    ensure!(
        logged[0]["level"] == "INFO" && logged[0]["reason"] == "Published",
        "{}",
        logged[0]
    );
    let logged = of(&bills)?;
    ensure!(logged.len() == 1, "{logged:#?}");
    ensure!(
        logged[0]["level"] == "WARN" && logged[0]["reason"] == "ValuesSwapped",
        "{}",
        logged[0]
    );
    // The message can hold an instruction, and the line belongs to a reconcile.
    ensure!(
        logged[0]["message"]
            .as_str()
            .is_some_and(|words| words.len() > 20),
        "{}",
        logged[0]
    );
    let run = &logged[0]["spans"][0];
    ensure!(
        run["name"] == "run" && run["resource"] == bills.as_str(),
        "{run}"
    );
    ensure!(run["id"].as_str().is_some_and(|id| id.len() == 16), "{run}");

    let before = lines()?.len();
    env.touch("pair").await?;
    env.until_converged("orders").await?;
    env.until_idle().await?;
    // Longer than a watch lasts: all watches are reopened meanwhile.
    tokio::time::sleep(Duration::from_secs(65)).await;
    let after = lines()?;
    ensure!(after.len() == before, "{:#?}", &after[before..]);

    env.source("bad", SECOND).await?;
    env.until_converged("bills").await?;
    env.until_idle().await?;
    ensure!(of(&bills)?.len() == 2, "{:#?}", of(&bills)?);
    Ok(())
}
