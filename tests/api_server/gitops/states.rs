//! A resource in each state that its status can report, brought there by the operator.

use anyhow::{Context, Result};
use cluster::sts::Answer;
use serde_json::{Value, json};

use crate::{gitops::test_cluster::TestEnv, harness::sts::PAIR};

/// A state, and an object in this state.
pub struct State {
    /// Name of the state, `<health>_<detail>`, as in Argo CD's test data.
    pub name: &'static str,
    /// Status that kstatus computes.
    pub kstatus: &'static str,
    /// The object as stored by the API server.
    pub object: Value,
}

/// IDs for which STS answers differently.
const UNKNOWN: &str = "AKIARZPUZDIKAUAIL2B4";
const AWAY: &str = "AKIARZPUZDIKAUAIL2C5";

/// Brings resources into every state.
pub async fn all(env: TestEnv<'_>) -> Result<Vec<State>> {
    let states = Vec::new();
    let mut scenario = Scenario { env, states };
    scenario.start().await?;
    scenario.waits().await?;
    scenario.changes().await?;
    scenario.ends().await?;
    Ok(scenario.states)
}

/// A resource `orders` that goes through most states, and others that stay in one.
struct Scenario<'a> {
    env: TestEnv<'a>,
    states: Vec<State>,
}

impl Scenario<'_> {
    fn add(&mut self, name: &'static str, kstatus: &'static str, object: Value) {
        self.states.push(State {
            name,
            kstatus,
            object,
        });
    }

    /// Applies a resource, and records it once a condition has the reason.
    async fn until(
        &mut self,
        (state, kstatus): (&'static str, &'static str),
        (name, spec): (&str, Value),
        (kind, reason): (&str, &str),
    ) -> Result<()> {
        self.env.resource(name, &spec).await?;
        let object = self.env.until(name, kind, reason).await?;
        self.add(state, kstatus, object);
        Ok(())
    }

    async fn is_well(&self) -> Result<()> {
        self.env.source("orders-key-pair", PAIR).await?;
        self.env.resource("orders", &json!({})).await?;
        self.env.until("orders", "Ready", "Published").await?;
        Ok(())
    }

    async fn start(&mut self) -> Result<()> {
        self.env.source("orders-key-pair", PAIR).await?;
        self.env.resource("orders", &json!({})).await?;
        let new = self.env.object("orders").await?;
        self.add("progressing_new", "InProgress", new);
        self.env.start_operator()?;
        let state = ("healthy_published", "Current");
        let orders = ("orders", json!({}));
        self.until(state, orders, ("Ready", "Published")).await
    }

    async fn waits(&mut self) -> Result<()> {
        self.env.sts.answer(AWAY, Answer::Html(503));
        for (name, pair) in [
            ("away", (AWAY, PAIR.1.to_owned())),
            ("young", (UNKNOWN, PAIR.1.to_owned())),
            ("broken", (PAIR.0, format!("{}\n", PAIR.1))),
        ] {
            let source = format!("{name}-key-pair");
            self.env.source(&source, (pair.0, &pair.1)).await?;
        }
        for (state, kstatus, name, reason) in [
            (
                "progressing_sourceNotFound",
                "InProgress",
                "absent",
                "SourceNotFound",
            ),
            (
                "progressing_stsUnavailable",
                "InProgress",
                "away",
                "StsUnavailable",
            ),
            ("progressing_settling", "InProgress", "young", "Settling"),
            (
                "degraded_trailingNewline",
                "Failed",
                "broken",
                "TrailingNewline",
            ),
        ] {
            self.until((state, kstatus), (name, json!({})), ("Ready", reason))
                .await?;
        }
        let state = ("suspended_stalled", "Failed");
        let suspended = ("broken", json!({ "suspend": true }));
        self.until(state, suspended, ("Ready", "Suspended")).await
    }

    async fn changes(&mut self) -> Result<()> {
        let state = ("suspended_published", "Current");
        let suspended = ("orders", json!({ "suspend": true }));
        self.until(state, suspended, ("Ready", "Suspended")).await?;
        self.is_well().await?;
        let state = ("degraded_pinMismatch", "Failed");
        let pinned = json!({ "validation": { "accountId": "999999999999" } });
        self.until(state, ("orders", pinned), ("Ready", "PinMismatch"))
            .await?;
        self.is_well().await?;
        let quoted = format!("\"{}\"", PAIR.1);
        self.env
            .source("orders-key-pair", (PAIR.0, &quoted))
            .await?;
        let state = ("degraded_servingLastKnownGood", "Failed");
        let orders = ("orders", json!({}));
        self.until(state, orders, ("Published", "ServingLastKnownGood"))
            .await?;
        self.is_well().await?;
        // A new region makes the next verification due at once, while AWS is unavailable.
        self.env.sts.answer(PAIR.0, Answer::Html(503));
        let state = ("healthy_stsUnavailable", "Current");
        let elsewhere = ("orders", json!({ "region": "eu-central-1" }));
        self.until(state, elsewhere, ("Verified", "StsUnavailable"))
            .await
    }

    async fn ends(&mut self) -> Result<()> {
        self.env.stop_operator();
        let region = json!({ "region": "eu-west-3" });
        self.env.resource("orders", &region).await?;
        let changed = self.env.object("orders").await?;
        self.add("progressing_generation", "InProgress", changed);
        let finalizer = r#"{"metadata":{"finalizers":["example.com/held-by-a-test"]}}"#;
        let patch = ["patch", "awscreds/orders", "--type=merge", "-p", finalizer];
        self.env.kubectl(&patch).await?;
        self.env
            .kubectl(&["delete", "awscreds/orders", "--wait=false"])
            .await?;
        let deleting = self.env.object("orders").await?;
        let when = &deleting["metadata"]["deletionTimestamp"];
        when.as_str().context("the resource is not being deleted")?;
        self.add("progressing_deleting", "Terminating", deleting);
        Ok(())
    }
}
