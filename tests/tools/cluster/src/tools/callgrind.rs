//! Valgrind's callgrind, which counts instructions: unlike run times, the counts do not depend on the machine's
//! load.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use debian::unpacked;

const PACKAGE: &str = "valgrind";

/// The number of instructions from a program's start to its end. Blocks, for some seconds longer the first time.
///
/// # Errors
/// When valgrind is missing and apt-get cannot fetch it, or the program fails.
pub fn instructions(program: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Result<u64> {
    let mut command = valgrind()?;
    command
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(arguments)
        .envs(variables.iter().copied());
    let output = command.output().context("cannot start valgrind")?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{command:?} failed: {words}{}",
        String::from_utf8_lossy(&output.stdout)
    );
    collected(&words).with_context(|| format!("callgrind counted nothing: {words}"))
}

fn collected(words: &str) -> Option<u64> {
    let mut lines = words.lines();
    let count = lines.find_map(|line| line.split_once("Collected : "))?.1;
    count.trim().parse().ok()
}

/// The machine's valgrind, or else the one from Debian's package.
fn valgrind() -> Result<Command> {
    let mut version = Command::new(PACKAGE);
    version.arg("--version").stdout(Stdio::null());
    if version.status().is_ok_and(|status| status.success()) {
        return Ok(Command::new(PACKAGE));
    }
    let place = unpacked(PACKAGE)?;
    let mut command = Command::new(place.join("usr/bin/valgrind.bin"));
    command.env("VALGRIND_LIB", tools(&place));
    Ok(command)
}

fn tools(place: &Path) -> PathBuf {
    place.join("usr/libexec/valgrind")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_collected_is_read() {
        let words = "==7== Events    : Ir\n==7== Collected : 232917\n==7==\n";
        assert_eq!(collected(words), Some(232_917));
        assert_eq!(collected("==7== Collected : \n"), None);
        assert_eq!(collected(""), None);
    }

    #[test]
    fn a_program_takes_instructions() -> Result<()> {
        let shell = Path::new("/bin/sh");
        let less = instructions(shell, &["-c", "exit 0"], &[])?;
        let more = instructions(shell, &["-c", "for i in 1 2 3 4 5 6 7; do :; done"], &[])?;
        assert!(less > 10_000 && more > less, "{less} {more}");
        Ok(())
    }

    #[test]
    fn a_program_that_fails_is_reported() {
        let failed = instructions(Path::new("/bin/sh"), &["-c", "echo why >&2; exit 3"], &[]);
        let words = format!("{:#}", failed.unwrap_err());
        assert!(words.contains("why"), "{words}");
    }
}
