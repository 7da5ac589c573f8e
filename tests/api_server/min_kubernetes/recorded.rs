//! What the API server has recorded of the operator: its events, and the requests by which its watches began.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    min_kubernetes::{HOME, PATIENCE, TestCluster},
    report,
};

/// The name under which the form of the initial lists is reported.
const INITIAL_LISTS: &str = "initial_lists";

/// How a kind of objects was read before its watch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct InitialList {
    is_streamed: bool,
    is_paged: bool,
}

impl TestCluster {
    /// Waits until a user of `kubectl` sees these events about the resource.
    pub async fn shows_the_events(&self, namespace: &str, reasons: &[&str]) -> Result<()> {
        let about = "--field-selector=involvedObject.name=orders";
        let path = "jsonpath={.items[*].reason}";
        let get = ["get", "events", "-n", namespace, about, "-o", path];
        let shown = async {
            loop {
                let seen = self.cluster.kubectl(&get).await?;
                let seen: Vec<&str> = seen.split_whitespace().collect();
                if reasons.iter().all(|reason| seen.contains(reason)) {
                    return anyhow::Ok(());
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        let shown = tokio::time::timeout(PATIENCE, shown).await;
        shown.with_context(|| format!("no events {reasons:?}"))?
    }

    /// Each initial list of the operator is streamed, or is read in pages after the API server refused to stream.
    pub fn gave_every_initial_list(&self, account: &str) -> Result<()> {
        let log = self.cluster.audit_log().context("no audit log")?;
        let lists = initial_lists(&std::fs::read_to_string(log)?, account);
        ensure!(lists.len() >= 2, "of so few kinds: {lists:?}");
        let streamed = lists.values().filter(|list| list.is_streamed).count();
        for (kind, list) in &lists {
            ensure!(list.is_streamed != list.is_paged, "{kind}: {list:?}");
            ensure!(list.is_streamed == (streamed > 0), "{kind}: {list:?}");
        }
        let form = if streamed > 0 { "streamed" } else { "paged" };
        report::tried(INITIAL_LISTS, lists.len(), lists.len(), form);
        Ok(())
    }
}

/// The lists in an audit log, by kind.
fn initial_lists(log: &str, account: &str) -> BTreeMap<String, InitialList> {
    let user = format!("system:serviceaccount:{HOME}:{account}");
    let mut lists = BTreeMap::<String, InitialList>::new();
    // The last line may be incomplete.
    let entries = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    for entry in entries.filter(|entry| entry["user"]["username"] == *user) {
        let uri = entry["requestURI"].as_str().unwrap_or_default();
        let is_granted = entry["responseStatus"]["code"] == 200;
        let resource = entry["objectRef"]["resource"].as_str().unwrap_or_default();
        if uri.contains("sendInitialEvents=true") {
            lists.entry(resource.to_owned()).or_default().is_streamed |= is_granted;
        } else if entry["verb"] == "list" && lists.contains_key(resource) {
            lists.entry(resource.to_owned()).or_default().is_paged |= is_granted;
        }
    }
    lists
}
