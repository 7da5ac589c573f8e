//! `cargo demo`: the operator's main job on a real Kubernetes, step by step, each step checked.

mod args;
mod changes;
mod cloud;
mod excerpt;
mod ground;
mod helm;
mod hold;
mod manifests;
mod mirror;
mod operator;
mod pairs;
mod prepare;
mod resource;
mod screen;
mod story;
mod users;
mod workload;

use std::{process::ExitCode, time::Instant};

use anyhow::{Context, Result, anyhow};
use clap::Parser;
use cluster::{child_process::log_tail, moto::KeyPair};
use tokio::{
    runtime::Runtime,
    signal::unix::{Signal, SignalKind, signal},
    task::spawn_blocking,
};

use args::Args;
use cloud::Cloud;
use screen::Screen;
use story::{Stage, seconds};

const BEGINNING: &str = "\
StaticAwsCredentials on a real Kubernetes: nine steps, usually 25 s. Each is checked, and the first
that does not hold ends the demo with an error.";

const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let args = Args::parse();
    let screen = Screen::new(args.hold);
    let played = Runtime::new()
        .context("cannot start")
        .and_then(|runtime| runtime.block_on(perform(&args, screen)));
    match played {
        Ok(code) => code,
        Err(error) => {
            screen.failed(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn perform(args: &Args, screen: Screen) -> Result<ExitCode> {
    hold::detach(args)?;
    let mut interrupts = Interrupts::new()?;
    let pairs = pairs(args, &mut interrupts).await?;
    if args.keep && args.hold.is_none() {
        return hold::elsewhere(screen, &pairs, &mut interrupts).await;
    }
    let mut stage = Stage::default();
    if args.aws {
        stage.cloud = Some(Cloud::real(pairs, args.bucket.clone()));
    }
    let built = tokio::select! {
        built = prepare::prepare(args, &mut stage) => built,
        () = stopped(args, &mut interrupts) => {
            screen.line("\nInterrupted.");
            leave(stage, screen).await?;
            // Only builds can be running, and they end with this process.
            std::process::exit(INTERRUPTED.into())
        }
    };
    if let Err(error) = built {
        screen.failed(&format!("{error:#}"));
        leave(stage, screen).await?;
        return Ok(ExitCode::FAILURE);
    }
    let told = tokio::select! {
        told = tell(args, &mut stage, screen) => Some(told),
        () = stopped(args, &mut interrupts) => None,
    };
    let code = match told {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(error)) => {
            screen.failed(&format!("{error:#}"));
            show_log(&stage, screen);
            ExitCode::FAILURE
        }
        None => {
            screen.line("\nInterrupted; everything is being removed.");
            ExitCode::from(INTERRUPTED)
        }
    };
    if args.keep && code == ExitCode::SUCCESS {
        hold::announce(&stage, screen)?;
        interrupts.next().await;
    }
    end(stage, screen, &mut interrupts).await?;
    Ok(code)
}

/// Removes everything; gives up only at the second interruption.
async fn end(stage: Stage, screen: Screen, interrupts: &mut Interrupts) -> Result<()> {
    let mut leaving = Box::pin(leave(stage, screen));
    tokio::select! {
        left = &mut leaving => return left,
        () = interrupts.next() => screen.note("everything is being removed; once more to give up"),
    }
    tokio::select! {
        left = leaving => left,
        () = interrupts.next() => Err(anyhow!("interrupted again; something may be left")),
    }
}

async fn stopped(args: &Args, interrupts: &mut Interrupts) {
    tokio::select! {
        () = interrupts.next() => {}
        () = hold::abandoned(args) => {}
    }
}

/// The user's pairs, read before anything is built.
async fn pairs(args: &Args, interrupts: &mut Interrupts) -> Result<Vec<KeyPair>> {
    if !args.aws {
        return Ok(Vec::new());
    }
    let args = args.clone();
    tokio::select! {
        given = spawn_blocking(move || pairs::read(&args)) => given?,
        () = interrupts.next() => {
            pairs::show_typing();
            // The reading thread would keep the runtime from ending.
            std::process::exit(INTERRUPTED.into())
        }
    }
}

async fn tell(args: &Args, stage: &mut Stage, screen: Screen) -> Result<()> {
    let start = Instant::now();
    screen.line(BEGINNING);
    story::cluster(args, stage, screen).await?;
    story::install(stage, screen).await?;
    story::request(args, stage, screen).await?;
    story::ready(stage, screen).await?;
    story::consume(stage, screen).await?;
    changes::bad_edit(stage, screen).await?;
    changes::rotate(stage, screen).await?;
    changes::deactivate(stage, screen).await?;
    changes::delete_target(stage, screen).await?;
    screen.line(&format!(
        "\nEvery step held, in {}.",
        seconds(start.elapsed())
    ));
    Ok(())
}

/// Ends everything, and removes what was created in a user's cluster.
async fn leave(mut stage: Stage, screen: Screen) -> Result<()> {
    stage.workload = None;
    stage.operator = None;
    let left = match &stage.ground {
        Some(ground) => ground.leave(screen).await,
        None => Ok(()),
    };
    // The drop waits for processes to end.
    spawn_blocking(|| drop(stage)).await?;
    left
}

fn show_log(stage: &Stage, screen: Screen) {
    let Some(operator) = &stage.operator else {
        return;
    };
    if let Err(ended) = operator.check() {
        screen.failed(&ended.to_string());
    } else if let Ok(log) = log_tail(operator.log()) {
        screen.note("the end of the operator's log:");
        screen.tail(&log);
    }
}

/// Ctrl-C, SIGTERM, or the end of the terminal.
struct Interrupts([Signal; 3]);

impl Interrupts {
    fn new() -> Result<Self> {
        let kinds = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ];
        let [first, second, third] = kinds.map(signal);
        Ok(Self([first?, second?, third?]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
