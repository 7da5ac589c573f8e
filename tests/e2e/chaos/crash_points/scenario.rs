//! What users do, and how it ends if no process is killed.

use anyhow::Result;
use futures::{FutureExt, future::LocalBoxFuture};
use kube::api::DeleteParams;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::run::Finished;

use crate::harness::{
    actions::TARGET,
    test_env::{PAIR, SECOND, TestEnv},
};

/// An action in an environment.
pub type Action = for<'a> fn(&'a mut TestEnv) -> LocalBoxFuture<'a, Result<()>>;

/// A scenario of one resource, `orders`, and its source, `pair`.
pub struct Scenario {
    /// The undisturbed run, once complete.
    pub baseline: OnceCell<Finished>,
    /// The name of the test.
    pub name: &'static str,
    /// The state before the action.
    pub initial_state: InitialState,
    /// What the user does.
    pub action: Action,
    /// Whether the requests depend on a race between the operator and the garbage collector.
    pub races: bool,
    /// Status and reason of Ready at the end, empty if the resource is gone.
    pub ends: &'static str,
    /// The key ID in each Secret of this name at the end, if the Secret exists.
    pub holds: &'static [(&'static str, Option<&'static str>)],
}

/// The state in which a scenario begins.
pub enum InitialState {
    /// A source and a resource, without an operator; the flag says whether the operator will use leader election.
    Stopped(bool),
    /// A source and an idle operator.
    Idle,
    /// The second pair is published, two workloads are to be restarted for it, and no operator runs.
    Rotated,
    /// The resource, with this spec, has published the source.
    Settled(fn() -> Value),
}

fn plain() -> Value {
    json!({})
}

fn retained() -> Value {
    json!({ "target": { "deletionPolicy": "Retain" } })
}

const READY: &str = "True Published";
const FIRST_IN_TARGET: &[(&str, Option<&str>)] = &[(TARGET, Some(PAIR.0))];

pub static START: Scenario = Scenario {
    name: "f1_a_process_killed_at_any_request_of_a_start",
    baseline: OnceCell::const_new(),
    initial_state: InitialState::Stopped(false),
    action: |env| async { env.launch() }.boxed_local(),
    races: false,
    ends: READY,
    holds: FIRST_IN_TARGET,
};

pub static LEAD: Scenario = Scenario {
    name: "f1_a_process_killed_at_any_request_of_a_start_of_a_leader",
    baseline: OnceCell::const_new(),
    initial_state: InitialState::Stopped(true),
    action: |env| async { env.launch() }.boxed_local(),
    races: false,
    ends: READY,
    holds: FIRST_IN_TARGET,
};

pub static CREATE: Scenario = Scenario {
    name: "f1_a_process_killed_at_any_request_of_a_creation",
    baseline: OnceCell::const_new(),
    initial_state: InitialState::Idle,
    action: |env| async { create(env, plain()).await }.boxed_local(),
    races: false,
    ends: READY,
    holds: FIRST_IN_TARGET,
};

pub static ROTATE: Scenario = Scenario {
    name: "f1_a_process_killed_at_any_request_of_a_rotation",
    baseline: OnceCell::const_new(),
    initial_state: InitialState::Settled(plain),
    action: |env| async { env.source("pair", SECOND).await.map(drop) }.boxed_local(),
    races: false,
    ends: READY,
    holds: &[(TARGET, Some(SECOND.0))],
};

pub static RESTART: Scenario = Scenario {
    name: "f1_a_process_killed_at_any_request_of_a_restart_of_workloads",
    baseline: OnceCell::const_new(),
    initial_state: InitialState::Rotated,
    action: |env| async { env.launch() }.boxed_local(),
    races: false,
    ends: READY,
    holds: &[(TARGET, Some(SECOND.0))],
};

pub static SPOIL: Scenario = Scenario {
    name: "f1_a_process_killed_at_any_request_of_a_bad_rotation",
    baseline: OnceCell::const_new(),
    initial_state: InitialState::Settled(plain),
    action: |env| async { env.source("pair", (SECOND.0, PAIR.1)).await.map(drop) }.boxed_local(),
    races: false,
    ends: "False SignatureMismatch",
    holds: FIRST_IN_TARGET,
};

pub static RETARGET: Scenario = Scenario {
    name: "f1_a_process_killed_at_any_request_of_a_change_of_target",
    baseline: OnceCell::const_new(),
    initial_state: InitialState::Settled(plain),
    action: |env| change(env, || json!({ "target": { "name": "moved" } })).boxed_local(),
    races: false,
    ends: READY,
    holds: &[("moved", Some(PAIR.0)), (TARGET, None)],
};

pub static RETARGET_AND_ROTATE: Scenario = Scenario {
    name: "f1_a_process_killed_at_any_request_of_a_start_that_finds_target_and_pair_changed",
    baseline: OnceCell::const_new(),
    initial_state: InitialState::Settled(plain),
    action: |env| {
        async {
            env.stop_operator();
            env.source("pair", SECOND).await?;
            change(env, || json!({ "target": { "name": "moved" } })).await?;
            env.launch()
        }
        .boxed_local()
    },
    races: false,
    ends: READY,
    holds: &[("moved", Some(SECOND.0)), (TARGET, None)],
};

pub static RETAIN: Scenario = Scenario {
    name: "f1_a_process_killed_at_any_request_of_a_change_of_policy",
    baseline: OnceCell::const_new(),
    initial_state: InitialState::Settled(plain),
    action: |env| change(env, retained).boxed_local(),
    races: false,
    ends: READY,
    holds: FIRST_IN_TARGET,
};

pub static LAYOUTS: Scenario = Scenario {
    name: "f1_a_process_killed_at_any_request_of_a_change_of_layouts",
    baseline: OnceCell::const_new(),
    initial_state: InitialState::Settled(plain),
    action: |env| {
        change(
            env,
            || json!({ "target": { "layouts": ["Env", "Mendix"] } }),
        )
        .boxed_local()
    },
    races: false,
    ends: READY,
    holds: FIRST_IN_TARGET,
};

pub static WITHDRAW: Scenario = Scenario {
    name: "f1_a_process_killed_at_any_request_of_a_withdrawal",
    baseline: OnceCell::const_new(),
    initial_state: InitialState::Settled(plain),
    action: |env| {
        let pinned =
            || json!({ "validation": { "onRejected": "Withdraw", "accountId": "999999999999" } });
        change(env, pinned).boxed_local()
    },
    races: false,
    ends: "False PinMismatch",
    holds: &[(TARGET, None)],
};

pub static DELETE: Scenario = Scenario {
    name: "f1_a_process_killed_at_any_request_of_a_deletion",
    baseline: OnceCell::const_new(),
    initial_state: InitialState::Settled(plain),
    action: |env| delete(env).boxed_local(),
    races: false,
    ends: "",
    holds: &[(TARGET, None)],
};

pub static DELETE_AND_RETAIN: Scenario = Scenario {
    name: "f1_a_process_killed_at_any_request_of_a_deletion_that_retains",
    baseline: OnceCell::const_new(),
    initial_state: InitialState::Settled(retained),
    action: |env| delete(env).boxed_local(),
    races: false,
    ends: "",
    holds: FIRST_IN_TARGET,
};

pub static RECREATE: Scenario = Scenario {
    name: "f1_a_process_killed_at_any_request_of_a_resource_that_comes_back",
    baseline: OnceCell::const_new(),
    initial_state: InitialState::Settled(plain),
    action: |env| recreate(env, plain).boxed_local(),
    races: true,
    ends: READY,
    holds: FIRST_IN_TARGET,
};

pub static ADOPT: Scenario = Scenario {
    name: "f1_a_process_killed_at_any_request_of_an_adoption",
    baseline: OnceCell::const_new(),
    initial_state: InitialState::Settled(retained),
    action: |env| recreate(env, retained).boxed_local(),
    races: false,
    ends: READY,
    holds: FIRST_IN_TARGET,
};

pub static RESTORE: Scenario = Scenario {
    name: "f1_a_process_killed_at_any_request_of_a_restore",
    baseline: OnceCell::const_new(),
    initial_state: InitialState::Settled(plain),
    action: |env| async { env.delete_secret(TARGET).await }.boxed_local(),
    races: false,
    ends: READY,
    holds: FIRST_IN_TARGET,
};

pub static MEND: Scenario = Scenario {
    name: "f1_a_process_killed_at_any_request_of_a_repair",
    baseline: OnceCell::const_new(),
    initial_state: InitialState::Settled(plain),
    action: |env| {
        async {
            let patch = json!({ "stringData": { "AWS_REGION": "elsewhere" } });
            env.edit_secret(TARGET, patch).await.map(drop)
        }
        .boxed_local()
    },
    races: false,
    ends: READY,
    holds: FIRST_IN_TARGET,
};

async fn change(env: &TestEnv, spec: fn() -> Value) -> Result<()> {
    env.change("orders", spec()).await
}

async fn delete(env: &TestEnv) -> Result<()> {
    let parameters = DeleteParams::default();
    env.resources.delete("orders", &parameters).await?;
    Ok(())
}

async fn recreate(env: &TestEnv, spec: fn() -> Value) -> Result<()> {
    delete(env).await?;
    create(env, spec()).await
}

async fn create(env: &TestEnv, spec: Value) -> Result<()> {
    env.resource("orders", "pair", spec).await?;
    Ok(())
}
