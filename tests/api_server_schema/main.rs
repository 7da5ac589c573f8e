//! The definition on a real API server, which alone defines the meaning of its schema.

#![allow(
    clippy::indexing_slicing,
    reason = "a key that a JSON value lacks reads as null"
)]

mod answer;
mod definition;
mod examples;
mod kubectl;
mod objects;
#[allow(dead_code, reason = "each test uses a part of it")]
#[path = "../support/schema/mod.rs"]
mod schema;
mod updates;

use std::{
    any::type_name_of_val,
    process::ExitCode,
    sync::{Arc, OnceLock},
};

use anyhow::Result;
use cluster::control_plane::{ControlPlane, Options};
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;

/// A control plane with the definition installed, started by the first check that needs it.
struct World {
    runtime: Runtime,
    started: OnceLock<Result<Started, String>>,
}

struct Started {
    control_plane: ControlPlane,
    namespace: String,
}

impl World {
    fn started(&self) -> Result<&Started, String> {
        let start = || {
            self.runtime
                .block_on(start())
                .map_err(|error| format!("{error:#}"))
        };
        self.started
            .get_or_init(start)
            .as_ref()
            .map_err(Clone::clone)
    }
}

async fn start() -> Result<Started> {
    let control_plane = ControlPlane::start(Options::default()).await?;
    definition::install(&control_plane.client()).await?;
    let namespace = control_plane.namespace("schema").await?;
    Ok(Started {
        control_plane,
        namespace,
    })
}

/// A check under the name of its function, on the shared cluster.
fn check<F>(world: &Arc<World>, check: F) -> Trial
where
    F: AsyncFn(&ControlPlane, &str) -> Result<()> + Send + 'static,
{
    let name = type_name_of_val(&check);
    let name = name.split_once("::").map_or(name, |(_, name)| name);
    let world = Arc::clone(world);
    Trial::test(name, move || {
        let started = world.started()?;
        let outcome = check(&started.control_plane, &started.namespace);
        let outcome = world.runtime.block_on(outcome);
        outcome.map_err(|error| Failed::from(format!("{error:#}")))
    })
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::from_args();
    let world = Arc::new(World {
        runtime: Runtime::new()?,
        started: OnceLock::new(),
    });
    let checks = vec![
        check(&world, definition::it_is_the_same_when_applied_again),
        check(&world, examples::every_accepted_example_is_created),
        check(
            &world,
            examples::a2_a3_a10_every_refused_example_is_refused_by_its_rule_alone,
        ),
        check(&world, examples::every_bound_of_the_spec_holds),
        check(&world, examples::every_bound_of_the_status_holds),
        check(&world, objects::a_new_object_has_all_defaults),
        check(&world, objects::an_explicit_null_is_as_good_as_nothing),
        check(
            &world,
            objects::a2_a7_a11_a_field_that_does_not_exist_is_refused,
        ),
        check(&world, objects::field_selectors_find_source_and_target),
        check(&world, objects::layouts_are_replaced_as_a_whole),
        check(&world, kubectl::explain_describes_every_field),
        check(&world, kubectl::get_shows_the_columns),
        check(
            &world,
            kubectl::wait_does_not_take_a_new_object_for_a_finished_one,
        ),
        check(&world, updates::a_valid_object_takes_every_update),
        check(
            &world,
            updates::an_object_older_than_the_rules_takes_updates,
        ),
    ];
    Ok(libtest_mimic::run(&arguments, checks).exit_code())
}
