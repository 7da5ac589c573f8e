//! A shell with the variables and directories that a job of the workflow has, and a registry beside it.

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context, Result, ensure};
use cluster::tools::{self, Tool};
use tempfile::TempDir;
use tokio::process::Command;

use crate::{NAME, VERSION, log::Log, registry::Registry};

/// The owner of the repository, as `GITHUB_REPOSITORY_OWNER` has the name. Names of images have small letters.
const OWNER: &str = "Example";
/// Beginnings of variables that would lead a program to another place, or to another identity.
const REMOVED: [&str; 9] = [
    "ACTIONS_",
    "AWS_",
    "COSIGN_",
    "DOCKER_",
    "GITHUB_",
    "GIT_",
    "HELM_",
    "SIGSTORE_",
    "TUF_",
];
/// Programs that the commands need beside those that the rehearsal builds.
const NEEDED: [&str; 4] = ["bash", "git", "go", "jq"];

/// Commands with a heading for the log.
pub struct Script<'a> {
    pub title: &'a str,
    /// The folder of the terminal where the commands run.
    pub folder: &'a str,
    pub variables: &'a [(String, String)],
    pub commands: &'a str,
}

/// The shell. All its files are in one directory, which is `RUNNER_TEMP`.
pub struct Terminal {
    registry: Registry,
    log: Mutex<Log>,
    directory: TempDir,
}

impl Terminal {
    /// Starts a registry, and lays out the programs that no step of the workflow builds. Blocks.
    pub fn open() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let crane = tools::find(Tool::Crane)?;
        let terminal = Self {
            registry: Registry::serve(&crane, &directory.path().join("registry.log"))?,
            log: Mutex::default(),
            directory,
        };
        terminal.folder("programs")?;
        terminal.add_program("cosign", &tools::find(Tool::Cosign)?)?;
        let forge = terminal.path("programs/gh");
        fs::write(&forge, include_str!("gh.sh"))?;
        fs::set_permissions(&forge, Permissions::from_mode(0o755))?;
        let search = std::env::var_os("PATH").unwrap_or_default();
        for program in NEEDED {
            let mut directories = std::env::split_paths(&search);
            let is_there = directories.any(|directory| directory.join(program).is_file());
            ensure!(is_there, "the rehearsal needs {program} on the PATH");
        }
        Ok(terminal)
    }

    /// Host and port of the registry.
    pub fn registry(&self) -> &str {
        &self.registry.address
    }

    /// A path in the directory of the terminal.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Creates a folder in the directory of the terminal.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.path(name);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Lets the commands use a program under this name.
    pub fn add_program(&self, name: &str, program: &Path) -> Result<()> {
        let link = self.path("programs").join(name);
        symlink(program, link).with_context(|| format!("cannot add {name}"))
    }

    /// Runs commands, and returns their trace with their output. Fails if a command fails.
    pub async fn run(&self, script: &Script<'_>) -> Result<String> {
        let (is_success, trace) = self.attempt(script).await?;
        ensure!(is_success, "{}:\n{trace}", script.title);
        Ok(trace)
    }

    /// Runs commands, and returns whether all succeeded, and their trace with their output. As in a workflow, the first
    /// command that fails ends the shell.
    pub async fn attempt(&self, script: &Script<'_>) -> Result<(bool, String)> {
        let traced = format!("exec 2>&1\nPS4='$ '\nset -x\n{}", script.commands);
        let mut bash = Command::new("bash");
        bash.args(["-e", "-c", &traced])
            .current_dir(self.path(script.folder))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        for (name, _) in std::env::vars_os() {
            let upper = name.to_string_lossy().to_uppercase();
            let is_removed = REMOVED.iter().any(|start| upper.starts_with(start));
            if is_removed || upper.ends_with("_PROXY") {
                bash.env_remove(name);
            }
        }
        bash.envs(self.variables()?);
        bash.envs(script.variables.iter().map(|(name, value)| (name, value)));
        let output = bash.output().await.context("cannot start bash")?;
        let trace = String::from_utf8_lossy(&output.stdout).into_owned();
        let directory = self.directory.path().display().to_string();
        let shown = trace
            .replace(&directory, "$RUNNER_TEMP")
            .replace(self.registry(), "127.0.0.1:PORT");
        self.locked_log().add(script.title, &shown);
        Ok((output.status.success(), trace))
    }

    /// The outputs that commands have written since the last call.
    pub fn outputs(&self) -> Result<BTreeMap<String, String>> {
        let file = self.path("outputs");
        let written = fs::read_to_string(&file).unwrap_or_default();
        fs::write(&file, "")?;
        let mut outputs = BTreeMap::new();
        for line in written.lines() {
            let pair = line.split_once('=');
            let (key, value) = pair.with_context(|| format!("{line:?} is no output"))?;
            outputs.insert(key.to_owned(), value.to_owned());
        }
        Ok(outputs)
    }

    /// The log so far.
    pub fn log(&self) -> Log {
        self.locked_log().clone()
    }

    fn locked_log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn variables(&self) -> Result<Vec<(&'static str, String)>> {
        let at = |name: &str| self.path(name).display().to_string();
        Ok(vec![
            ("RUNNER_TEMP", self.directory.path().display().to_string()),
            ("GITHUB_OUTPUT", at("outputs")),
            ("GITHUB_PATH", at("added-to-path")),
            ("GITHUB_REF_NAME", format!("v{VERSION}")),
            ("GITHUB_SERVER_URL", "https://forge.test".to_owned()),
            ("GITHUB_REPOSITORY", format!("{OWNER}/{NAME}")),
            ("GITHUB_REPOSITORY_OWNER", OWNER.to_owned()),
            ("GITHUB_ACTOR", OWNER.to_owned()),
            ("PATH", self.search_path()?),
            ("FORGE", at("forge")),
            ("COSIGN_PASSWORD", String::new()),
            // Without a root of its own, cosign asks Sigstore for one, which no verification by a key uses.
            ("SIGSTORE_ROOT_FILE", "/dev/null".to_owned()),
            // The configuration of this machine can require that commits are signed.
            ("GIT_CONFIG_GLOBAL", "/dev/null".to_owned()),
            ("GIT_CONFIG_NOSYSTEM", "1".to_owned()),
            ("DOCKER_CONFIG", at("docker")),
            ("HELM_CACHE_HOME", at("helm/cache")),
            ("HELM_CONFIG_HOME", at("helm/config")),
            ("HELM_DATA_HOME", at("helm/data")),
            // kubectl caches discovery there by the port alone, which another cluster may have had.
            ("KUBECACHEDIR", at("kubectl")),
            // The sources may belong to another user, whose commits Git does not read.
            ("GOFLAGS", "-buildvcs=false".to_owned()),
        ])
    }

    /// Directories that steps have added, then the programs of the terminal, then those of this machine.
    fn search_path(&self) -> Result<String> {
        let added = fs::read_to_string(self.path("added-to-path")).unwrap_or_default();
        let added = added.lines().rev().map(PathBuf::from);
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let all = added
            .chain([self.path("programs")])
            .chain(std::env::split_paths(&inherited));
        let joined = std::env::join_paths(all)?;
        Ok(joined.to_string_lossy().into_owned())
    }
}

/// Replaces texts of commands by their counterparts in the rehearsal. Fails if no command has such a text: the commands
/// have changed then, and the rehearsal must follow.
pub fn adapted(commands: Vec<String>, counterparts: &[(&str, String)]) -> Result<Vec<String>> {
    let mut adapted = commands;
    for (original, counterpart) in counterparts {
        let is_found = adapted.iter().any(|text| text.contains(*original));
        ensure!(is_found, "no command has {original:?}");
        let replaced = adapted.iter();
        let replaced = replaced.map(|text| text.replace(*original, counterpart));
        adapted = replaced.collect();
    }
    Ok(adapted)
}
