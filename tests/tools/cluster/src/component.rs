//! A program of the cluster that can be stopped, killed and started again with the same arguments.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::child_process::ChildProcess;

/// A part of the cluster, running or not. Clones share the part.
#[derive(Clone, Debug)]
pub struct Component {
    recipe: Arc<Recipe>,
    running: Arc<Mutex<Option<ChildProcess>>>,
}

#[derive(Debug)]
struct Recipe {
    name: String,
    program: PathBuf,
    args: Vec<String>,
    env: Vec<(String, String)>,
    log: PathBuf,
}

impl Component {
    /// A part that is not started yet.
    #[must_use]
    pub fn new(name: &str, program: &Path, args: Vec<String>, logs: &Path) -> Self {
        Self::with_env(name, program, args, Vec::new(), logs)
    }

    /// The same with these variables in its environment.
    #[must_use]
    pub fn with_env(
        name: &str,
        program: &Path,
        args: Vec<String>,
        env: Vec<(String, String)>,
        logs: &Path,
    ) -> Self {
        let recipe = Recipe {
            name: name.to_owned(),
            program: program.to_owned(),
            args,
            env,
            log: logs.join(format!("{name}.log")),
        };
        Self {
            recipe: Arc::new(recipe),
            running: Arc::default(),
        }
    }

    /// Starts it without waiting until it is ready.
    ///
    /// # Errors
    /// When it runs already or cannot be started.
    pub fn start(&self) -> Result<()> {
        let mut running = self.running();
        if running.as_ref().is_some_and(ChildProcess::is_running) {
            bail!("{} runs already", self.recipe.name);
        }
        let Recipe {
            name,
            program,
            args,
            env,
            log,
        } = &*self.recipe;
        *running = Some(ChildProcess::spawn(name, program, args, env, log)?);
        Ok(())
    }

    /// Stops it with SIGTERM, and kills it when it still runs after ten seconds.
    ///
    /// # Errors
    /// When the task that waits for it fails.
    pub async fn stop(&self) -> Result<()> {
        self.end(ChildProcess::stop).await
    }

    /// Kills it at once.
    ///
    /// # Errors
    /// When the task that waits for it fails.
    pub async fn kill(&self) -> Result<()> {
        self.end(ChildProcess::kill).await
    }

    /// Suspends it: its connections stay open, but it does not answer.
    ///
    /// # Errors
    /// When it does not run, or does not stop.
    pub async fn freeze(&self) -> Result<()> {
        let part = self.clone();
        tokio::task::spawn_blocking(move || part.started(ChildProcess::freeze)).await?
    }

    /// Resumes it after [`Self::freeze`].
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Sends a signal, while it runs.
    pub fn signal(&self, signal: Signal) {
        if let Some(leashed) = self.running().as_ref() {
            leashed.signal(signal);
        }
    }

    /// Kills it at once, for a `Drop`. Blocks the thread.
    pub fn kill_now(&self) {
        if let Some(leashed) = self.running().take() {
            leashed.kill();
        }
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        let running = self.running();
        running
            .as_ref()
            .filter(|leashed| leashed.is_running())
            .map(ChildProcess::pid)
    }

    /// Where its output goes.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.recipe.log
    }

    /// Fails when it was not started, or has ended by itself: then with the end of its log.
    ///
    /// # Errors
    /// When it does not run.
    pub fn check(&self) -> Result<()> {
        self.started(ChildProcess::check)
    }

    fn started(&self, then: impl FnOnce(&ChildProcess) -> Result<()>) -> Result<()> {
        let running = self.running();
        let leashed = running.as_ref();
        then(leashed.with_context(|| format!("{} is not started", self.recipe.name))?)
    }

    async fn end(&self, how: impl FnOnce(&ChildProcess) + Send + 'static) -> Result<()> {
        let leashed = self.running().take();
        if let Some(leashed) = leashed {
            tokio::task::spawn_blocking(move || how(&leashed)).await?;
        }
        Ok(())
    }

    fn running(&self) -> MutexGuard<'_, Option<ChildProcess>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
