//! Whether the process is alive and ready, and if not, why not.

use std::{
    fmt::{self, Write},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use crate::{domain::lock::lock, ops::sync_state::SyncState};

mod trouble;

pub use trouble::{Trouble, explain};

/// A loop without an iteration for this time is stuck.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_mins(1);
/// Minimum interval between log lines about the same failure.
const REPEAT: Duration = Duration::from_mins(1);

/// The state of one dependency of the process: a watch or the lease.
#[derive(Debug)]
pub struct HealthCheck {
    what: String,
    /// Whether a failure that lasts is logged again.
    repeats: bool,
    failure: Mutex<Option<Failure>>,
    tried: Mutex<Instant>,
}

#[derive(Debug)]
struct Failure {
    trouble: Trouble,
    logged: Instant,
}

/// The state of the process.
#[derive(Debug)]
pub struct Health {
    scopes: Mutex<Vec<Scope>>,
    lease: Mutex<Option<Arc<HealthCheck>>>,
    turned: Mutex<Instant>,
    stopping: AtomicBool,
    notes: OnceLock<Arc<dyn Notes>>,
}

/// Further lines of `/readyz` that do not affect readiness.
pub trait Notes: fmt::Debug + Send + Sync {
    /// The lines, each with its line break.
    fn lines(&self) -> String;
}

#[derive(Debug)]
struct Scope {
    name: String,
    stage: watch::Receiver<SyncState>,
    watches: [Arc<HealthCheck>; 2],
}

impl HealthCheck {
    /// A dependency that has not failed yet.
    #[must_use]
    pub fn new(what: String) -> Arc<Self> {
        Self::logged(what, true)
    }

    /// The same for a dependency that an install may lack: a failure is logged only when it is new.
    #[must_use]
    pub fn optional(what: String) -> Arc<Self> {
        Self::logged(what, false)
    }

    fn logged(what: String, repeats: bool) -> Arc<Self> {
        Arc::new(Self {
            what,
            repeats,
            failure: Mutex::default(),
            tried: Mutex::new(Instant::now()),
        })
    }

    /// Records a success, and returns whether the dependency had failed before.
    pub fn record_ok(&self) -> bool {
        *lock(&self.tried) = Instant::now();
        let failed = lock(&self.failure).take().is_some();
        if failed {
            tracing::info!(what = self.what, "the {} works again", self.what);
        }
        failed
    }

    /// Records a failure, and logs it if it is new or was last logged at least 1 minute ago.
    pub fn record_error(&self, trouble: impl Into<Trouble>) {
        let trouble = trouble.into();
        let mut failure = lock(&self.failure);
        let now = Instant::now();
        *lock(&self.tried) = now;
        let logged = failure
            .as_ref()
            .filter(|old| old.trouble == trouble)
            .filter(|old| !self.repeats || now - old.logged < REPEAT);
        let logged = logged.map(|old| old.logged);
        if logged.is_none() {
            tracing::warn!(
                what = self.what,
                error = trouble.message,
                "the {} fails and is retried",
                self.what
            );
        }
        *failure = Some(Failure {
            trouble,
            logged: logged.unwrap_or(now),
        });
    }

    fn is_fresh(&self) -> bool {
        lock(&self.tried).elapsed() < HEARTBEAT_TIMEOUT
    }

    /// Whether the API server denies access for lack of a permission.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        let failure = lock(&self.failure);
        failure.as_ref().is_some_and(|it| it.trouble.is_forbidden)
    }

    fn problem(&self) -> Option<String> {
        let failure = lock(&self.failure);
        let failure = failure.as_ref();
        failure.map(|failure| format!("the {} fails: {}", self.what, failure.trouble.message))
    }
}

impl Scope {
    fn is_served(&self) -> bool {
        let works = self.watches.iter().all(|watch| watch.problem().is_none());
        works && *self.stage.borrow() == SyncState::Synced
    }

    /// For example after the deletion of a namespace, which also deletes the Role.
    fn is_forbidden(&self) -> bool {
        self.watches.iter().any(|watch| watch.is_forbidden())
    }

    fn problems(&self, text: &mut String) {
        for problem in self.watches.iter().filter_map(|watch| watch.problem()) {
            let _ = writeln!(text, "{problem}");
        }
        let awaited = match *self.stage.borrow() {
            SyncState::Syncing => "StaticAwsCredentials",
            SyncState::ResourcesSynced => "Secrets",
            SyncState::Synced => return,
        };
        let _ = writeln!(text, "waiting for the list of {awaited} in {}", self.name);
    }
}

impl Default for Health {
    fn default() -> Self {
        Self {
            scopes: Mutex::default(),
            lease: Mutex::default(),
            turned: Mutex::new(Instant::now()),
            stopping: AtomicBool::new(false),
            notes: OnceLock::new(),
        }
    }
}

impl Health {
    /// Adds a scope, whose watches affect readiness from now on.
    pub fn add(
        &self,
        name: String,
        stage: watch::Receiver<SyncState>,
        watches: [Arc<HealthCheck>; 2],
    ) {
        lock(&self.scopes).push(Scope {
            name,
            stage,
            watches,
        });
    }

    /// Sets the further lines of `/readyz`.
    pub fn shows(&self, notes: Arc<dyn Notes>) {
        let _ = self.notes.set(notes);
    }

    /// The lines that do not affect readiness, those of scopes that are not served included.
    #[must_use]
    pub fn notes(&self) -> String {
        let notes = self.notes.get();
        let mut text = notes.map_or_else(String::new, |notes| notes.lines());
        let scopes = lock(&self.scopes);
        for scope in scopes.iter().filter(|scope| is_missed(&scopes, scope)) {
            scope.problems(&mut text);
            let _ = writeln!(
                text,
                "{} is not served: is the namespace gone, or its Role? The other namespaces are served; this one follows by itself when its Role exists",
                scope.name
            );
        }
        text
    }

    /// Adds the lease, without which no replica leads.
    pub fn add_check(&self, lease: Arc<HealthCheck>) {
        *lock(&self.lease) = Some(lease);
    }

    /// Records an iteration of the main loop.
    pub fn heartbeat(&self) {
        *lock(&self.turned) = Instant::now();
    }

    /// The process is about to end.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the main loop runs, and so does the leader election, if used: a replica that no
    /// longer takes part in the election would stay ready and never lead.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        let lease = lock(&self.lease);
        let stands = lease.as_ref().is_none_or(|lease| lease.is_fresh());
        stands && lock(&self.turned).elapsed() < HEARTBEAT_TIMEOUT
    }

    /// The reasons why the process is not ready, one per line.
    #[must_use]
    pub fn problems(&self) -> String {
        let mut text = String::new();
        if self.stopping.load(Ordering::Relaxed) {
            text.push_str("the process is stopping\n");
        }
        if lock(&self.turned).elapsed() >= HEARTBEAT_TIMEOUT {
            let _ = writeln!(
                text,
                "the main loop has made no progress for {} s",
                HEARTBEAT_TIMEOUT.as_secs()
            );
        }
        let lease = lock(&self.lease).as_ref().and_then(|lease| lease.problem());
        if let Some(problem) = lease {
            let _ = writeln!(text, "{problem}");
        }
        let scopes = lock(&self.scopes);
        if scopes.is_empty() {
            text.push_str("the process is starting\n");
        }
        for scope in scopes.iter().filter(|scope| !is_missed(&scopes, scope)) {
            scope.problems(&mut text);
        }
        text
    }
}

/// Whether a scope lacks its permissions while another one is served. Such a scope does not affect
/// readiness, so that the other scopes stay served and an upgrade completes.
fn is_missed(scopes: &[Scope], scope: &Scope) -> bool {
    scope.is_forbidden() && scopes.iter().any(Scope::is_served)
}

#[cfg(test)]
mod tests;
