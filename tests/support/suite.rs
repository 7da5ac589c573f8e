//! A test program with several suites, in the place of Rust's own harness (`harness = false` in `Cargo.toml`).
//!
//! To start an environment, such as a control plane, takes seconds, so the tests of a suite share one: the first test
//! that runs starts it, and the end of the suite drops it. The suites of a program run one after another. The command
//! line is that of Rust's own harness, with two limits, since each suite and each check `last` is a separate run of
//! libtest-mimic: `--logfile` keeps only the lines of the last run, and a filter cannot select a check `last`.

use std::{process::ExitCode, sync::Arc};

use anyhow::{Error, Result};
use futures::future::LocalBoxFuture;
use libtest_mimic::{Arguments, Trial};
use tokio::{runtime::Runtime, sync::OnceCell};

/// A test: it gets the environment of the suite, and creates there what it needs.
pub type Test<E> = fn(Arc<E>) -> LocalBoxFuture<'static, Result<()>>;

/// Tests, each with its name: the path of its function, or a name within the suite.
pub type Tests<E> = Vec<(&'static str, Test<E>)>;

/// Defines `tests()`, which lists these functions of the file. The environment of the suite has to be in scope as
/// `TestCluster`.
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
pub(crate) use tests;

/// The program: its command line, and whether a test has failed so far.
pub struct Program {
    arguments: Arguments,
    runtime: Runtime,
    has_failed: bool,
}

/// A check after all tests of a suite; it gets the environment, and whether all tests passed.
pub type Last<E> = fn(&E, bool) -> Result<()>;

/// Tests that share an environment.
pub struct Suite<E> {
    /// The name of the suite: the first part of the names of tests that are listed without the path of a function.
    pub name: &'static str,
    /// The number of tests that run at a time, unless `--test-threads` says otherwise.
    pub threads: usize,
    /// Starts the environment.
    pub start: fn() -> LocalBoxFuture<'static, Result<E>>,
    /// Runs one test; a suite can add checks or cleanup to each test here.
    pub run: fn(Arc<E>, Test<E>) -> LocalBoxFuture<'static, Result<()>>,
    /// A check with its name. It runs after all tests, and only if the command line excludes none.
    pub last: Option<(&'static str, Last<E>)>,
    pub tests: Vec<Tests<E>>,
}

/// The environment of a suite once started, or the error of its start.
type Environment<E> = OnceCell<Result<Arc<E>, String>>;

impl Program {
    pub fn from_args() -> Result<Self> {
        Ok(Self {
            arguments: Arguments::from_args(),
            runtime: Runtime::new()?,
            has_failed: false,
        })
    }

    /// Runs the tests of a suite, and drops the environment.
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

    /// Runs tests that need no environment. Returns whether all passed.
    pub fn run_trials(&mut self, threads: Option<usize>, trials: Vec<Trial>) -> bool {
        let mut arguments = self.arguments.clone();
        arguments.test_threads = arguments.test_threads.or(threads);
        let failed = libtest_mimic::run(&arguments, trials).has_failed();
        self.has_failed |= failed;
        !failed
    }

    /// The exit code of the program: a failure if a test of any suite failed.
    pub fn exit_code(&self) -> ExitCode {
        // 101 is the exit code of Rust's own test harness.
        ExitCode::from(if self.has_failed { 101 } else { 0 })
    }
}

/// The path of a function without the name of the program, or the name of the suite and the name within the suite.
fn full_name(suite: &str, name: &str) -> String {
    let module = name.strip_prefix(concat!(env!("CARGO_CRATE_NAME"), "::"));
    module.map_or_else(|| format!("{suite}::{name}"), str::to_owned)
}

/// The environment, which the first call starts.
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
