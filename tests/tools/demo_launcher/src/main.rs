//! The start of `cargo demo`: it reports missing requirements before anything is built, builds the operator and the
//! demo in one call, so that no dependency is compiled twice, and then execs the demo.

mod cache;
mod checks;

use std::{
    env,
    ffi::OsString,
    io::IsTerminal,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    thread::sleep,
    time::{Duration, Instant},
};

use checks::{Lack, Part};

const HELP: &str = include_str!("help.txt");

/// On two cores, without compiled dependencies.
const USUAL: &str = "usually 3 min the first time";
const PROGRESS_EVERY: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    // The alias ends with `--`, so that both `cargo demo --keep` and `cargo demo -- --keep` work.
    let mut args: Vec<OsString> = env::args_os().skip(1).collect();
    if args.first().is_some_and(|first| first == "--") {
        args.remove(0);
    }
    let has = |name: &str| args.iter().any(|arg| option(arg) == name);
    if has("--help") || has("-h") {
        print!("{HELP}");
        return ExitCode::SUCCESS;
    }
    if let Some(unknown) = args.iter().find(|arg| !is_known(arg)) {
        eprintln!("demo: there is no option {}\n\n{HELP}", unknown.display());
        return ExitCode::FAILURE;
    }
    let mut parts = Vec::new();
    parts.extend((!has("--context")).then_some(Part::Cluster));
    let pod = !has("--context") && !has("--no-pod") && !has("--aws");
    parts.extend(pod.then_some(Part::Pod));
    parts.extend((!has("--aws") || has("--bucket")).then_some(Part::Client));
    parts.extend((!has("--aws")).then_some(Part::Moto));
    let lacks = checks::all(&parts, &workspace());
    if !lacks.is_empty() {
        complain(&lacks);
        return ExitCode::FAILURE;
    }
    foretell(&parts);
    match build().and_then(|demo| become_demo(&demo, &args)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The name of an option that may include its value.
fn option(arg: &OsString) -> String {
    let text = arg.to_string_lossy();
    text.split('=').next().unwrap_or_default().to_owned()
}

/// Whether the help lists the option. The demo checks the value.
fn is_known(arg: &OsString) -> bool {
    let name = option(arg);
    !name.starts_with('-') || HELP.split_whitespace().any(|word| word == name)
}

fn complain(lacks: &[Lack]) {
    eprintln!("The demo cannot run yet. Nothing was built or changed.\n");
    for Lack { what, why, how } in lacks {
        eprintln!("  missing: {what}\n  why:     {why}\n  get it:  {how}\n");
    }
}

/// Prints what has to be built, and the usual duration on two cores.
fn foretell(parts: &[Part]) {
    let mut works = Vec::new();
    let built = env::current_exe().is_ok_and(|me| me.with_file_name("demo").exists());
    if !built {
        works.push("Cargo compiles the operator and the demo (3 min)");
    }
    let programs = checks::missing_programs(parts, &workspace());
    if programs.contains(&"kube-apiserver") {
        works.push("Go compiles Kubernetes (11 min)");
    } else if !programs.is_empty() {
        works.push("Go compiles what is missing of the cluster (1 min)");
    }
    if !works.is_empty() {
        let works = works.join(", then ");
        eprintln!("First, and once: {works}. Later runs take half a minute.");
    }
}

/// Builds both binaries, and returns the demo's path. One call for both packages, because Cargo unifies the features of
/// packages built together, and would otherwise compile much of it twice.
fn build() -> Result<PathBuf, String> {
    let me = env::current_exe().map_err(|error| error.to_string())?;
    let directory = me.parent().ok_or("the program has no directory")?;
    let demo = directory.join("demo");
    let loud = std::io::stderr().is_terminal();
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace()).args([
        "build",
        "--locked",
        "--package=static-aws-credentials",
        "--package=cluster",
        "--bin=static-aws-credentials",
        "--bin=demo",
    ]);
    if !loud {
        cargo.arg("--quiet");
    }
    // Variables that `cargo run` sets for this package. ring is rebuilt whenever one of them changes.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let of_package = ["CARGO_PKG_", "CARGO_MANIFEST_"];
        if of_package.iter().any(|prefix| text.starts_with(prefix)) {
            cargo.env_remove(&name);
        }
    }
    let mut cargo = cargo
        .spawn()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    let start = Instant::now();
    let mut shown = 0;
    let status = loop {
        if let Some(status) = cargo.try_wait().map_err(|error| error.to_string())? {
            break status;
        }
        sleep(Duration::from_millis(50));
        let due = start.elapsed().as_secs() / PROGRESS_EVERY.as_secs();
        if due > shown && !loud {
            shown = due;
            eprintln!(
                "cargo: building for {} s, {USUAL}",
                start.elapsed().as_secs()
            );
        }
    };
    if !status.success() {
        return Err("cargo cannot build it; its words are above".to_owned());
    }
    Ok(demo)
}

fn become_demo(demo: &Path, args: &[OsString]) -> Result<ExitCode, String> {
    // Returns only on failure.
    let error = Command::new(demo).args(args).exec();
    Err(format!("cannot start {}: {error}", demo.display()))
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}
