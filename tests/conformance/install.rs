//! How clients come onto the machine, each from the lock file in its directory.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;
use cluster::binaries::go_binary;

use crate::{
    cache::{filled, run},
    sdk::{Client, Runs},
};

/// A virtual environment with what `requirements.txt` names, and `client.py` in it.
pub fn python(client: &Path) -> Result<Client> {
    let place = environment(client)?;
    let python = place.join("bin/python");
    Ok(Client {
        command: words(&[&python, &client.join("client.py")]),
        runs: Runs::OnTheMachine(vec![base_python(&python)?, place, client.to_owned()]),
    })
}

/// A static binary.
pub fn go(client: &Path) -> Result<Client> {
    let binary = go_binary(client, ".", "client", 20)?;
    Ok(Client {
        command: vec!["/client".to_owned()],
        runs: Runs::Alone(binary),
    })
}

fn environment(client: &Path) -> Result<PathBuf> {
    let base = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let facts =
        run(Command::new(&base).args(["-c", "import sys; print(sys.version, sys.base_prefix)"]))?;
    filled(client, &facts, |place| {
        run(Command::new(&base).args(["-m", "venv"]).arg(place))?;
        let mut pip = Command::new(place.join("bin/python"));
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--requirement",
        ]);
        run(pip.arg(client.join("requirements.txt"))).map(drop)
    })
}

/// Where the environment's Python has its library.
fn base_python(python: &Path) -> Result<PathBuf> {
    let said = run(Command::new(python).args(["-c", "import sys; print(sys.base_prefix)"]))?;
    Ok(PathBuf::from(said.trim()))
}

fn words(parts: &[&Path]) -> Vec<String> {
    parts
        .iter()
        .map(|part| part.display().to_string())
        .collect()
}
