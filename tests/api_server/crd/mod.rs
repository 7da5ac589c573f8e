//! The definition on a real API server: only the API server decides what the schema means.

mod answer;
mod definition;
mod examples;
mod kubectl;
mod objects;
mod updates;

use anyhow::Result;
use cluster::control_plane::{ControlPlane, Options};
use futures::FutureExt;

use crate::suite::{Suite, Tests};

/// A control plane with the definition installed, and a namespace.
pub struct TestCluster {
    control_plane: ControlPlane,
    namespace: String,
}

impl TestCluster {
    async fn start() -> Result<Self> {
        let control_plane = ControlPlane::start(Options::default()).await?;
        definition::install(&control_plane.client()).await?;
        let namespace = control_plane.namespace("schema").await?;
        Ok(Self {
            control_plane,
            namespace,
        })
    }
}

pub fn suite() -> Suite<TestCluster> {
    Suite {
        name: "crd",
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        start: || TestCluster::start().boxed_local(),
        run: |cluster, test| test(cluster),
        last: None,
        tests: vec![tests()],
    }
}

macro_rules! tests {
    ($($module:ident::$test:ident),* $(,)?) => {
        vec![$((
            concat!(module_path!(), "::", stringify!($module), "::", stringify!($test)),
            |cluster| {
                async move { $module::$test(&cluster.control_plane, &cluster.namespace).await }
                    .boxed_local()
            },
        )),*]
    };
}

fn tests() -> Tests<TestCluster> {
    tests![
        definition::it_is_the_same_when_applied_again,
        examples::every_accepted_example_is_created,
        examples::a2_a3_a10_every_refused_example_is_refused_by_its_rule_alone,
        examples::every_bound_of_the_spec_holds,
        examples::every_bound_of_the_status_holds,
        objects::a_new_object_has_all_defaults,
        objects::an_explicit_null_is_as_good_as_nothing,
        objects::a2_a7_a11_a_field_that_does_not_exist_is_refused,
        objects::field_selectors_find_source_and_target,
        objects::layouts_are_replaced_as_a_whole,
        kubectl::explain_describes_every_field,
        kubectl::get_shows_the_columns,
        kubectl::wait_does_not_take_a_new_object_for_a_finished_one,
        updates::a_valid_object_takes_every_update,
        updates::an_object_older_than_the_rules_takes_updates,
    ]
}
