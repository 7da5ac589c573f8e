//! What `GitOps` tools and pipelines make of a resource: kstatus as Flux and cli-utils compute it, Argo
//! CD's health by the script in `contrib/`, `kubectl wait`, and the examples of docs/gitops.md. All
//! of it over objects of a real API server that the operator brought into each state.
//!
//! `UPDATE_ARGOCD=1 cargo test --test gitops` writes the script's test data anew from those objects.
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod argo_cd;
mod examples;
mod kstatus;
mod readers;
mod scene;
mod states;
mod waiting;

use std::sync::Arc;

use anyhow::Result;
use futures::future::LocalBoxFuture;
use libtest_mimic::{Arguments, Trial};
use scene::Stage;
use tokio::runtime::Runtime;

/// A test: it gets the stage, on which a control plane starts once somebody needs one.
pub type Test = fn(Arc<Stage>) -> LocalBoxFuture<'static, Result<()>>;

/// Lists tests under the names of their functions.
macro_rules! tests {
    ($($test:ident),* $(,)?) => {
        /// The tests of this file.
        pub fn tests() -> Vec<(&'static str, crate::Test)> {
            use futures::FutureExt;
            vec![$((stringify!($test), |stage| $test(stage).boxed_local())),*]
        }
    };
}
pub(crate) use tests;

fn main() -> Result<()> {
    let arguments = Arguments::from_args();
    let runtime = Runtime::new()?;
    let stage = Arc::new(Stage::default());
    let conclusion = libtest_mimic::run(&arguments, trials(&runtime, &stage));
    drop(stage);
    conclusion.exit();
}

fn trials(runtime: &Runtime, stage: &Arc<Stage>) -> Vec<Trial> {
    let suites = [
        argo_cd::tests(),
        kstatus::tests(),
        waiting::tests(),
        examples::tests(),
    ];
    let handle = runtime.handle();
    let trial = |(name, test): (&'static str, Test)| {
        let (handle, stage) = (handle.clone(), Arc::clone(stage));
        Trial::test(name, move || {
            handle
                .block_on(test(stage))
                .map_err(|error| format!("{error:?}").into())
        })
    };
    suites.into_iter().flatten().map(trial).collect()
}
