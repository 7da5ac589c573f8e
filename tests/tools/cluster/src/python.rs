//! Python packages in a separate environment, installed once for each content of their `requirements.txt` and each
//! Python, and shared by all processes on this machine.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha256};

use crate::cache;

/// Prints what the environment depends on, and fails where no environment can be made.
const PROBE: &str = "import ensurepip, sys, venv; \
                     print(sys.version_info[:2] >= (3, 11), sys.version, sys.base_prefix)";

/// An environment to install.
pub(crate) struct Environment {
    /// Its name: that of the directory beside `src` with its `requirements.txt`, and of its directory in the
    /// cache.
    pub(crate) name: &'static str,
    /// Why it is needed: a sentence for users without Python.
    pub(crate) why: &'static str,
}

impl Environment {
    /// The environment's directory, which is made if it is missing. Blocks, for half a minute or more the first
    /// time.
    pub(crate) fn directory(&self) -> Result<PathBuf> {
        let name = self.name;
        let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let requirements = requirements.join("requirements.txt");
        let content = std::fs::read(&requirements)
            .with_context(|| format!("cannot read {}", requirements.display()))?;
        let base = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
        let facts = probe(Path::new(&base), self.why)?;
        let key = Sha256::new().chain_update(content).chain_update(facts);
        let key: String = key.finalize()[..6]
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|digit| char::from_digit(u32::from(digit), 16))
            .collect();
        let cache = cache::directory()?;
        let place = cache.join(format!("{name}-{key}"));
        if !place.is_dir() {
            std::fs::create_dir_all(&cache)
                .with_context(|| format!("cannot make the cache {}", cache.display()))?;
            let _lock = lock(&cache.join(format!("{name}-{key}.lock")), name)?;
            if !place.is_dir() {
                install(Path::new(&base), &requirements, &place, name)?;
            }
        }
        Ok(place)
    }
}

fn probe(python: &Path, why: &str) -> Result<Vec<u8>> {
    let output = match Command::new(python).args(["-c", PROBE]).output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => bail!(
            "there is no `{}` on the PATH: {why}. Install Python 3.11 or newer \
             (apt-get install python3 python3-venv), or name one in PYTHON",
            python.display()
        ),
        other => other.with_context(|| format!("cannot run {}", python.display()))?,
    };
    ensure!(
        output.status.success(),
        "`{}` cannot make a virtual environment: {why}. Install what it lacks \
         (apt-get install python3-venv), or name another Python in PYTHON. It said: {}",
        python.display(),
        tail(&output)
    );
    ensure!(
        output.stdout.starts_with(b"True"),
        "`{}` is too old, it must be Python 3.11 or newer: {why}. Name another one in PYTHON. It is {}",
        python.display(),
        String::from_utf8_lossy(&output.stdout).trim()
    );
    Ok(output.stdout)
}

/// Installs under a temporary name until all is complete; the scripts in `bin` contain that name, so they are not
/// used.
fn install(base: &Path, requirements: &Path, place: &Path, name: &str) -> Result<()> {
    let start = Instant::now();
    eprintln!("cluster: installing {name} (once; about half a minute)");
    let unfinished = place.with_extension("unfinished");
    match std::fs::remove_dir_all(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot remove {}", unfinished.display()));
        }
        _ => {}
    }
    let mut venv = Command::new(base);
    run(venv.args(["-m", "venv"]).arg(&unfinished))?;
    let mut pip = Command::new(unfinished.join("bin/python"));
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--requirement",
    ]);
    run(pip.arg(requirements)).with_context(|| {
        format!(
            "cannot install {name}: its packages come from PyPI (or the index that pip is set to)"
        )
    })?;
    std::fs::rename(&unfinished, place)?;
    eprintln!(
        "cluster: installed {name} in {} s",
        start.elapsed().as_secs()
    );
    Ok(())
}

fn run(command: &mut Command) -> Result<()> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    ensure!(
        output.status.success(),
        "{:?} failed:\n{}",
        command,
        tail(&output)
    );
    Ok(())
}

fn lock(path: &Path, name: &str) -> Result<File> {
    let file = File::create(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            eprintln!("cluster: waiting for another process that installs {name}");
            file.lock()?;
        }
        Err(TryLockError::Error(error)) => return Err(error).context("cannot lock the cache"),
    }
    Ok(file)
}

fn tail(output: &Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
