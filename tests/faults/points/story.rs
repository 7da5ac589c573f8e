//! What users do, and how it ends if no process is killed.

use anyhow::Result;
use futures::{FutureExt, future::LocalBoxFuture};
use kube::api::DeleteParams;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::play::Played;

use crate::{
    actions::TARGET,
    scene::{PAIR, SECOND, Scene},
};

/// An action in a scene.
pub type Deed = for<'a> fn(&'a mut Scene) -> LocalBoxFuture<'a, Result<()>>;

/// A story of one resource, `orders`, and its source, `pair`.
pub struct Story {
    /// Its undisturbed run, once complete.
    pub calm: OnceCell<Played>,
    /// The name of its test.
    pub name: &'static str,
    /// The state at the beginning.
    pub begins: Begins,
    /// The action.
    pub deed: Deed,
    /// Whether its requests depend on a race between the operator and the garbage collector.
    pub races: bool,
    /// Status and reason of Ready at the end, empty if the resource is gone.
    pub ends: &'static str,
    /// The key ID in each Secret of this name at the end, if the Secret exists.
    pub holds: &'static [(&'static str, Option<&'static str>)],
}

/// The state in which a story begins.
pub enum Begins {
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

pub static START: Story = Story {
    name: "f1_a_process_killed_at_any_request_of_a_start",
    calm: OnceCell::const_new(),
    begins: Begins::Stopped(false),
    deed: |scene| async { scene.launch() }.boxed_local(),
    races: false,
    ends: READY,
    holds: FIRST_IN_TARGET,
};

pub static LEAD: Story = Story {
    name: "f1_a_process_killed_at_any_request_of_a_start_of_a_leader",
    calm: OnceCell::const_new(),
    begins: Begins::Stopped(true),
    deed: |scene| async { scene.launch() }.boxed_local(),
    races: false,
    ends: READY,
    holds: FIRST_IN_TARGET,
};

pub static CREATE: Story = Story {
    name: "f1_a_process_killed_at_any_request_of_a_creation",
    calm: OnceCell::const_new(),
    begins: Begins::Idle,
    deed: |scene| async { create(scene, plain()).await }.boxed_local(),
    races: false,
    ends: READY,
    holds: FIRST_IN_TARGET,
};

pub static ROTATE: Story = Story {
    name: "f1_a_process_killed_at_any_request_of_a_rotation",
    calm: OnceCell::const_new(),
    begins: Begins::Settled(plain),
    deed: |scene| async { scene.source("pair", SECOND).await.map(drop) }.boxed_local(),
    races: false,
    ends: READY,
    holds: &[(TARGET, Some(SECOND.0))],
};

pub static RESTART: Story = Story {
    name: "f1_a_process_killed_at_any_request_of_a_restart_of_workloads",
    calm: OnceCell::const_new(),
    begins: Begins::Rotated,
    deed: |scene| async { scene.launch() }.boxed_local(),
    races: false,
    ends: READY,
    holds: &[(TARGET, Some(SECOND.0))],
};

pub static SPOIL: Story = Story {
    name: "f1_a_process_killed_at_any_request_of_a_bad_rotation",
    calm: OnceCell::const_new(),
    begins: Begins::Settled(plain),
    deed: |scene| async { scene.source("pair", (SECOND.0, PAIR.1)).await.map(drop) }.boxed_local(),
    races: false,
    ends: "False SignatureMismatch",
    holds: FIRST_IN_TARGET,
};

pub static RETARGET: Story = Story {
    name: "f1_a_process_killed_at_any_request_of_a_change_of_target",
    calm: OnceCell::const_new(),
    begins: Begins::Settled(plain),
    deed: |scene| change(scene, || json!({ "target": { "name": "moved" } })).boxed_local(),
    races: false,
    ends: READY,
    holds: &[("moved", Some(PAIR.0)), (TARGET, None)],
};

pub static RETARGET_AND_ROTATE: Story = Story {
    name: "f1_a_process_killed_at_any_request_of_a_start_that_finds_target_and_pair_changed",
    calm: OnceCell::const_new(),
    begins: Begins::Settled(plain),
    deed: |scene| {
        async {
            scene.stop_operator();
            scene.source("pair", SECOND).await?;
            change(scene, || json!({ "target": { "name": "moved" } })).await?;
            scene.launch()
        }
        .boxed_local()
    },
    races: false,
    ends: READY,
    holds: &[("moved", Some(SECOND.0)), (TARGET, None)],
};

pub static RETAIN: Story = Story {
    name: "f1_a_process_killed_at_any_request_of_a_change_of_policy",
    calm: OnceCell::const_new(),
    begins: Begins::Settled(plain),
    deed: |scene| change(scene, retained).boxed_local(),
    races: false,
    ends: READY,
    holds: FIRST_IN_TARGET,
};

pub static LAYOUTS: Story = Story {
    name: "f1_a_process_killed_at_any_request_of_a_change_of_layouts",
    calm: OnceCell::const_new(),
    begins: Begins::Settled(plain),
    deed: |scene| {
        change(
            scene,
            || json!({ "target": { "layouts": ["Env", "Mendix"] } }),
        )
        .boxed_local()
    },
    races: false,
    ends: READY,
    holds: FIRST_IN_TARGET,
};

pub static WITHDRAW: Story = Story {
    name: "f1_a_process_killed_at_any_request_of_a_withdrawal",
    calm: OnceCell::const_new(),
    begins: Begins::Settled(plain),
    deed: |scene| {
        let pinned =
            || json!({ "validation": { "onRejected": "Withdraw", "accountId": "999999999999" } });
        change(scene, pinned).boxed_local()
    },
    races: false,
    ends: "False PinMismatch",
    holds: &[(TARGET, None)],
};

pub static DELETE: Story = Story {
    name: "f1_a_process_killed_at_any_request_of_a_deletion",
    calm: OnceCell::const_new(),
    begins: Begins::Settled(plain),
    deed: |scene| delete(scene).boxed_local(),
    races: false,
    ends: "",
    holds: &[(TARGET, None)],
};

pub static DELETE_AND_RETAIN: Story = Story {
    name: "f1_a_process_killed_at_any_request_of_a_deletion_that_retains",
    calm: OnceCell::const_new(),
    begins: Begins::Settled(retained),
    deed: |scene| delete(scene).boxed_local(),
    races: false,
    ends: "",
    holds: FIRST_IN_TARGET,
};

pub static RECREATE: Story = Story {
    name: "f1_a_process_killed_at_any_request_of_a_resource_that_comes_back",
    calm: OnceCell::const_new(),
    begins: Begins::Settled(plain),
    deed: |scene| recreate(scene, plain).boxed_local(),
    races: true,
    ends: READY,
    holds: FIRST_IN_TARGET,
};

pub static ADOPT: Story = Story {
    name: "f1_a_process_killed_at_any_request_of_an_adoption",
    calm: OnceCell::const_new(),
    begins: Begins::Settled(retained),
    deed: |scene| recreate(scene, retained).boxed_local(),
    races: false,
    ends: READY,
    holds: FIRST_IN_TARGET,
};

pub static RESTORE: Story = Story {
    name: "f1_a_process_killed_at_any_request_of_a_restore",
    calm: OnceCell::const_new(),
    begins: Begins::Settled(plain),
    deed: |scene| async { scene.delete_secret(TARGET).await }.boxed_local(),
    races: false,
    ends: READY,
    holds: FIRST_IN_TARGET,
};

pub static MEND: Story = Story {
    name: "f1_a_process_killed_at_any_request_of_a_repair",
    calm: OnceCell::const_new(),
    begins: Begins::Settled(plain),
    deed: |scene| {
        async {
            let patch = json!({ "stringData": { "AWS_REGION": "elsewhere" } });
            scene.edit_secret(TARGET, patch).await.map(drop)
        }
        .boxed_local()
    },
    races: false,
    ends: READY,
    holds: FIRST_IN_TARGET,
};

async fn change(scene: &Scene, spec: fn() -> Value) -> Result<()> {
    scene.change("orders", spec()).await
}

async fn delete(scene: &Scene) -> Result<()> {
    let parameters = DeleteParams::default();
    scene.resources.delete("orders", &parameters).await?;
    Ok(())
}

async fn recreate(scene: &Scene, spec: fn() -> Value) -> Result<()> {
    delete(scene).await?;
    create(scene, spec()).await
}

async fn create(scene: &Scene, spec: Value) -> Result<()> {
    scene.resource("orders", "pair", spec).await?;
    Ok(())
}
