//! Child processes that cannot outlive their parent.
//!
//! The program's parent is a small shell, whose standard input is a pipe that only this process holds. When this
//! process ends, for any reason, the kernel closes the pipe and the shell kills its whole process group.
//! (`PR_SET_PDEATHSIG` would need `unsafe`, and it fires when the *thread* that spawned the child ends.)

use std::{
    fs::{self, OpenOptions},
    io::{BufRead, BufReader, Read, Seek, SeekFrom},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{ChildStdin, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};
use rustix::process::{Pid, Signal};

/// Prints the program's process id, waits for the program, and ends with its exit code.
///
/// The separate process group keeps a terminal's Ctrl-C away: this process decides the order of stopping.
const SUPERVISOR: &str = r#"
exec 3<&0
"$@" 3<&- </dev/null >>"$0" 2>&1 &
program=$!
echo "$program"
exec >/dev/null
{ read -r _ <&3; kill -KILL 0; } &
leash=$!
wait "$program"
code=$?
kill "$leash"
wait "$leash"
exit "$code"
"#;

/// A program that runs until it is stopped, dropped, or its parent dies.
#[derive(Debug)]
pub struct ChildProcess {
    name: String,
    log: PathBuf,
    pid: u32,
    grace: Duration,
    exit: Arc<Exit>,
    // Closing this pipe makes the shell kill the program; it is never read.
    _leash: ChildStdin,
}

/// The end of a program, for which several threads may wait.
#[derive(Debug, Default)]
struct Exit {
    status: Mutex<Option<ExitStatus>>,
    came: Condvar,
}

impl ChildProcess {
    /// Starts `program`; its output is appended to `log`.
    ///
    /// # Errors
    /// When the shell cannot be started. A program that ends at once is no error here: see [`Self::is_running`].
    pub fn spawn(
        name: &str,
        program: &Path,
        args: &[String],
        env: &[(String, String)],
        log: &Path,
    ) -> Result<Self> {
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .with_context(|| format!("cannot open the log {}", log.display()))?;
        let mut supervisor = Command::new("sh")
            .args(["-c", SUPERVISOR])
            .arg(log)
            .arg(program)
            .args(args)
            // Several operators run at the same time on one machine.
            .env("AWSCREDS_PROBE_BIND", "127.0.0.1:0")
            .envs(env.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start a shell for {name}"))?;
        let leash = supervisor.stdin.take().context("no pipe to the shell")?;
        let output = supervisor.stdout.take().context("no pipe from the shell")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let pid = line.trim().parse();
        let pid = pid.with_context(|| format!("the shell did not start {name}"))?;

        let exit = Arc::new(Exit::default());
        let reaped = Arc::clone(&exit);
        std::thread::spawn(move || {
            let status = supervisor.wait();
            reaped.set(status.unwrap_or_else(|_| ExitStatus::from_raw(0)));
        });
        Ok(Self {
            name: name.to_owned(),
            log: log.to_owned(),
            pid,
            grace: Duration::from_secs(10),
            exit,
            _leash: leash,
        })
    }

    /// Changes how long [`Self::stop`] waits between SIGTERM and SIGKILL.
    #[must_use]
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// The process id of the program itself, not of its shell.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Where its output goes.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Whether the program has not ended yet.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.exit_code().is_none()
    }

    /// The exit code, or 128 plus the signal that ended it; `None` while it runs.
    #[must_use]
    pub fn exit_code(&self) -> Option<i32> {
        (*self.exit.lock())
            .map(|status| status.code().unwrap_or(128 + status.signal().unwrap_or(0)))
    }

    /// Waits until it has ended; false when it still runs after `limit`. Blocks the thread.
    #[must_use]
    pub fn wait(&self, limit: Duration) -> bool {
        self.exit.wait(limit)
    }

    /// Sends SIGTERM, and kills the program when it still runs after the grace period.
    pub fn stop(&self) {
        self.signal(Signal::TERM);
        if !self.wait(self.grace) {
            self.kill();
        }
    }

    /// Kills the program and waits for its end.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
        // A process in an uninterruptible sleep would block this wait forever.
        let _ = self.wait(Duration::from_secs(30));
    }

    /// Sends a signal, unless the program has ended: its process id may then be reused.
    pub fn signal(&self, signal: Signal) {
        let ended = self.exit.lock();
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        if let (None, Some(pid)) = (*ended, pid) {
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    /// Suspends the program, and waits until all its threads have stopped. [`Signal::CONT`] resumes it. Blocks the
    /// thread.
    ///
    /// When `kill` returns, the signal is only sent: on a busy machine the running threads continue for some
    /// milliseconds, in which a server still answers.
    ///
    /// # Errors
    /// When it still runs after half a minute, or has ended.
    pub fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP);
        let end = Instant::now() + Duration::from_secs(30);
        while !self.stands()? {
            ensure!(Instant::now() < end, "{} does not stop", self.name);
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    fn stands(&self) -> Result<bool> {
        let threads = fs::read_dir(format!("/proc/{}/task", self.pid));
        let threads = threads.with_context(|| format!("{} has ended", self.name))?;
        for thread in threads {
            // A thread may end during the iteration.
            let stat = fs::read_to_string(thread?.path().join("stat")).unwrap_or_default();
            // The name before the state may contain anything, even a bracket.
            let state = stat.rsplit_once(") ").map(|(_, rest)| rest);
            if !state.is_some_and(|state| state.starts_with('T')) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Fails if the program has ended, with its exit code and the end of its log.
    ///
    /// # Errors
    /// When it has ended.
    pub fn check(&self) -> Result<()> {
        match self.exit_code() {
            None => Ok(()),
            Some(code) => Err(anyhow!(
                "{} ended with code {code}; the end of its log:\n{}",
                self.name,
                log_tail(&self.log).unwrap_or_default()
            )),
        }
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Exit {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<ExitStatus>> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, status: ExitStatus) {
        *self.lock() = Some(status);
        self.came.notify_all();
    }

    fn wait(&self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        let mut status = self.lock();
        while status.is_none() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let woken = self.came.wait_timeout(status, left);
            status = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

/// The last few kilobytes of a log.
///
/// # Errors
/// When it cannot be read.
pub fn log_tail(log: &Path) -> Result<String> {
    const TAIL: u64 = 4096;
    let mut file = fs::File::open(log)?;
    let length = file.metadata()?.len();
    ensure!(length > 0, "{} is empty", log.display());
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    Ok(String::from_utf8_lossy(&tail).into_owned())
}
