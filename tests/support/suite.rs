//! A suite whose tests share a stage, since building it takes seconds.

use std::sync::Arc;

use anyhow::{Context, Result};
use futures::future::LocalBoxFuture;
use libtest_mimic::{Arguments, Conclusion, Trial};
use tokio::runtime::Runtime;

/// A test: it gets the stage and creates the objects it needs there.
pub type Test<S> = fn(Arc<S>) -> LocalBoxFuture<'static, Result<()>>;

/// Tests with their names.
pub type Tests<S> = Vec<(&'static str, Test<S>)>;

/// Lists tests under the names of their functions.
#[allow(unused_macros, reason = "some suites name their tests themselves")]
macro_rules! tests {
    ($($test:ident),* $(,)?) => {
        /// The tests of this file.
        pub fn tests() -> crate::suite::Tests<crate::Stage> {
            use futures::FutureExt;
            vec![$((stringify!($test), |stage| $test(stage).boxed_local())),*]
        }
    };
}
#[allow(unused_imports, reason = "as there")]
pub(crate) use tests;

/// The command line, and the stage that all tests share.
pub struct Suite<S> {
    pub arguments: Arguments,
    /// `None` if the tests are only listed.
    pub stage: Option<Arc<S>>,
    runtime: Runtime,
}

impl<S: Send + Sync + 'static> Suite<S> {
    /// Builds the stage. `threads` tests run at a time, unless the command line says otherwise.
    pub fn open(threads: usize, set: impl AsyncFnOnce() -> Result<S>) -> Result<Self> {
        let mut arguments = Arguments::from_args();
        arguments.test_threads.get_or_insert(threads);
        let runtime = Runtime::new()?;
        let stage = if arguments.list {
            None
        } else {
            Some(Arc::new(runtime.block_on(set())?))
        };
        Ok(Self {
            arguments,
            stage,
            runtime,
        })
    }

    /// Runs the tests, each through `way`.
    pub fn play<F>(
        &self,
        tests: impl IntoIterator<Item = Tests<S>>,
        way: fn(Arc<S>, Test<S>) -> F,
    ) -> Conclusion
    where
        F: Future<Output = Result<()>> + 'static,
    {
        let trial = |(name, test): (&'static str, Test<S>)| {
            let (handle, stage) = (self.runtime.handle().clone(), self.stage.clone());
            Trial::test(name, move || {
                let played = stage.context("the stage is not set");
                let played = played.and_then(|stage| handle.block_on(way(stage, test)));
                played.map_err(|error| format!("{error:?}").into())
            })
        };
        let trials = tests.into_iter().flatten().map(trial).collect();
        libtest_mimic::run(&self.arguments, trials)
    }

    /// Drops the stage, and exits with the code of `conclusion`.
    pub fn end(self, conclusion: &Conclusion) -> ! {
        drop(self.stage);
        conclusion.exit()
    }
}
