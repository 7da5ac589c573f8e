//! A program of several suites. The tests of a suite share an environment, since starting one takes seconds.

use std::{process::ExitCode, sync::Arc};

use anyhow::{Error, Result};
use futures::future::LocalBoxFuture;
use libtest_mimic::{Arguments, Trial};
use tokio::{runtime::Runtime, sync::OnceCell};

/// A test: it gets the environment and creates the objects it needs there.
pub type Test<E> = fn(Arc<E>) -> LocalBoxFuture<'static, Result<()>>;

/// Tests with their names.
pub type Tests<E> = Vec<(&'static str, Test<E>)>;

/// Lists tests under the names of their functions. `TestCluster` is the environment of the suite.
#[allow(unused_macros, reason = "some suites name their tests themselves")]
macro_rules! tests {
    ($($test:ident),* $(,)?) => {
        /// The tests of this file.
        pub fn tests() -> crate::suite::Tests<TestCluster> {
            use futures::FutureExt;
            vec![$((
                concat!(module_path!(), "::", stringify!($test)),
                |cluster| $test(cluster).boxed_local(),
            )),*]
        }
    };
}
#[allow(unused_imports, reason = "as there")]
pub(crate) use tests;

/// The command line, and the result of the suites that have run.
pub struct Program {
    arguments: Arguments,
    runtime: Runtime,
    has_failed: bool,
}

/// A check of what all tests did; it gets whether all passed.
pub type Last<E> = fn(&E, bool) -> Result<()>;

/// Tests with a common environment, which is started by the first test that runs.
pub struct Suite<E> {
    /// The first part of the name of a test whose name does not begin with its module.
    pub name: &'static str,
    /// Number of tests that run at a time, unless the command line says otherwise.
    pub threads: usize,
    pub start: fn() -> LocalBoxFuture<'static, Result<E>>,
    /// Runs one test.
    pub run: fn(Arc<E>, Test<E>) -> LocalBoxFuture<'static, Result<()>>,
    /// Runs if no test was left out. With its name.
    pub last: Option<(&'static str, Last<E>)>,
    pub tests: Vec<Tests<E>>,
}

/// The environment of a suite, or why it could not be started.
type Environment<E> = OnceCell<Result<Arc<E>, String>>;

impl Program {
    pub fn from_args() -> Result<Self> {
        Ok(Self {
            arguments: Arguments::from_args(),
            runtime: Runtime::new()?,
            has_failed: false,
        })
    }

    /// Runs the tests of a suite, and drops its environment.
    pub fn run<E: Send + Sync + 'static>(&mut self, suite: Suite<E>) {
        let environment: Arc<Environment<E>> = Arc::default();
        let trial = |(name, test): (&'static str, Test<E>)| {
            let (handle, environment) = (self.runtime.handle().clone(), Arc::clone(&environment));
            let (start, run) = (suite.start, suite.run);
            Trial::test(full_name(suite.name, name), move || {
                let passed = handle.block_on(async {
                    let started = started(&environment, start).await?;
                    run(started, test).await
                });
                passed.map_err(|error| format!("{error:?}").into())
            })
        };
        let trials = suite.tests.into_iter().flatten().map(trial).collect();
        let passed = self.run_trials(Some(suite.threads), trials);
        let arguments = &self.arguments;
        let whole = arguments.filter.is_none() && arguments.skip.is_empty() && !arguments.list;
        if let Some((name, check)) = suite.last.filter(|_| whole) {
            let last = Trial::test(full_name(suite.name, name), move || {
                let started = environment.get().ok_or("no test has run")?;
                let checked = check(started.as_ref()?, passed);
                checked.map_err(|error| format!("{error:?}").into())
            });
            self.run_trials(None, vec![last]);
        }
    }

    /// Runs tests without an environment. Returns whether all passed.
    pub fn run_trials(&mut self, threads: Option<usize>, trials: Vec<Trial>) -> bool {
        let mut arguments = self.arguments.clone();
        arguments.test_threads = arguments.test_threads.or(threads);
        let failed = libtest_mimic::run(&arguments, trials).has_failed();
        self.has_failed |= failed;
        !failed
    }

    /// Fails if a test of any suite failed.
    pub fn exit_code(&self) -> ExitCode {
        // 101 is the exit code of Rust's own test harness.
        ExitCode::from(if self.has_failed { 101 } else { 0 })
    }
}

fn full_name(suite: &str, name: &str) -> String {
    let module = name.strip_prefix(concat!(env!("CARGO_CRATE_NAME"), "::"));
    module.map_or_else(|| format!("{suite}::{name}"), str::to_owned)
}

async fn started<E>(
    environment: &Environment<E>,
    start: fn() -> LocalBoxFuture<'static, Result<E>>,
) -> Result<Arc<E>> {
    let start = async || {
        start()
            .await
            .map(Arc::new)
            .map_err(|error| format!("{error:?}"))
    };
    environment
        .get_or_init(start)
        .await
        .clone()
        .map_err(Error::msg)
}
