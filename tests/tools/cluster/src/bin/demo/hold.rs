//! `--keep`: the demo runs in a process with its own session, the holder. The process that the user started shows
//! the holder's output, and ends when all of it is shown; the holder stays.

use std::{
    io::Write,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream as StdStream,
    },
    process::{ExitCode, Stdio},
};

use anyhow::{Context, Result};
use cluster::moto::KeyPair;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixStream, unix::pipe},
    process::Command,
};

use crate::{Interrupts, args::Args, pairs, screen::Screen, steps::Demo};

/// The holder's last output: from then on it needs no reader.
const END_OF_SHOW: u8 = 4;

/// Starts the holder and shows its output. An interruption is passed on by closing the holder's input.
pub(crate) async fn in_holder(
    screen: Screen,
    pairs: &[KeyPair],
    interrupts: &mut Interrupts,
) -> Result<ExitCode> {
    let (input, theirs) = StdStream::pair()?;
    // The holder inherits no output of ours: a reader of our output would wait for the holder's end.
    let (output, writer) = std::io::pipe()?;
    let mut holder = Command::new(std::env::current_exe()?);
    holder
        .args(std::env::args_os().skip(1))
        .arg(if screen.is_terminal() {
            "--hold=terminal"
        } else {
            "--hold=pipe"
        })
        .stdin(OwnedFd::from(theirs))
        .stdout(writer.try_clone()?)
        .stderr(Stdio::from(writer));
    let mut child = holder.spawn().context("cannot start the holder")?;
    drop(holder);
    input.set_nonblocking(true)?;
    let mut input = Some(UnixStream::from_std(input)?);
    if let Some(input) = &mut input {
        input.write_all(pairs::to_lines(pairs).as_bytes()).await?;
    }
    let mut output = pipe::Receiver::from_owned_fd(OwnedFd::from(output))?;
    let mut buffer = vec![0; 4096];
    loop {
        let read = tokio::select! {
            read = output.read(&mut buffer) => read?,
            () = interrupts.next() => {
                input = None;
                continue;
            }
        };
        let text = buffer.get(..read).unwrap_or_default();
        let shown = text.split(|byte| *byte == END_OF_SHOW).next();
        pass_on(shown.unwrap_or_default());
        if text.contains(&END_OF_SHOW) {
            return Ok(ExitCode::SUCCESS);
        }
        if read == 0 {
            drop(input);
            let code = child.wait().await?.code();
            let code = code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
            return Ok(ExitCode::from(code));
        }
    }
}

fn pass_on(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    // The demo continues without a reader.
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// Leaves the terminal's session, whose end must not end the holder.
pub(crate) fn detach(args: &Args) -> Result<()> {
    if args.hold.is_some() {
        rustix::process::setsid().context("cannot leave the session")?;
    }
    Ok(())
}

/// Completes, in the holder, when the process that shows the output has ended too early.
pub(crate) async fn abandoned(args: &Args) {
    let stdin = std::io::stdin();
    let input = || -> std::io::Result<UnixStream> {
        let stream = StdStream::from(stdin.as_fd().try_clone_to_owned()?);
        stream.set_nonblocking(true)?;
        UnixStream::from_std(stream)
    };
    if args.hold.is_none() {
        return std::future::pending().await;
    }
    if let Ok(mut input) = input() {
        while input.read(&mut [0]).await.is_ok_and(|read| read > 0) {}
    }
}

/// Shows how to use and how to stop the kept cluster, then marks the end of the output.
pub(crate) fn announce(demo: &Demo, screen: Screen) -> Result<()> {
    let demo_cluster = demo.cluster()?;
    let kubeconfig = demo_cluster.kubeconfig().context("it is not our cluster")?;
    screen.line("\nThe cluster keeps running, with the operator. To use it:");
    screen.line(&format!(
        "   export KUBECONFIG={}\n   kubectl -n {} get awscreds,secrets,pods",
        kubeconfig.display(),
        demo_cluster.namespace
    ));
    if which_kubectl().is_none() {
        let kubectl = cluster::binaries::find(&[cluster::binaries::Binary::Kubectl])?;
        let kubectl = kubectl.first().context("no kubectl")?.display();
        screen.line(&format!("   (kubectl is at {kubectl})"));
    }
    screen.line("To stop it and remove everything:");
    screen.line(&format!("   kill {}", std::process::id()));
    screen.line(&char::from(END_OF_SHOW).to_string());
    Ok(())
}

fn which_kubectl() -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut places = std::env::split_paths(&path).map(|directory| directory.join("kubectl"));
    places.find(|place| place.is_file())
}
