//! `cargo demo`: the operator's main job on a real Kubernetes, step by step, each step checked.

mod args;
mod changes;
mod cloud;
mod demo_cluster;
mod excerpt;
mod helm;
mod hold;
mod manifests;
mod mirror;
mod operator;
mod pairs;
mod prepare;
mod resource;
mod screen;
mod steps;
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
use steps::{Demo, seconds};

const INTRODUCTION: &str = "\
StaticAwsCredentials on a real Kubernetes: nine steps, usually 25 s. Each is checked, and the first
that does not hold ends the demo with an error.";

const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let args = Args::parse();
    let screen = Screen::new(args.hold);
    let outcome = Runtime::new()
        .context("cannot start")
        .and_then(|runtime| runtime.block_on(perform(&args, screen)));
    match outcome {
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
        return hold::in_holder(screen, &pairs, &mut interrupts).await;
    }
    let mut demo = Demo::default();
    if args.aws {
        demo.cloud = Some(Cloud::real(pairs, args.bucket.clone()));
    }
    let built = tokio::select! {
        built = prepare::prepare(args, &mut demo) => built,
        () = stopped(args, &mut interrupts) => {
            screen.line("\nInterrupted.");
            leave(demo, screen).await?;
            // Only builds can be running, and they end with this process.
            std::process::exit(INTERRUPTED.into())
        }
    };
    if let Err(error) = built {
        screen.failed(&format!("{error:#}"));
        leave(demo, screen).await?;
        return Ok(ExitCode::FAILURE);
    }
    let result = tokio::select! {
        result = run_steps(args, &mut demo, screen) => Some(result),
        () = stopped(args, &mut interrupts) => None,
    };
    let code = match result {
        Some(Ok(())) => ExitCode::SUCCESS,
        Some(Err(error)) => {
            screen.failed(&format!("{error:#}"));
            show_log(&demo, screen);
            ExitCode::FAILURE
        }
        None => {
            screen.line("\nInterrupted; everything is being removed.");
            ExitCode::from(INTERRUPTED)
        }
    };
    if args.keep && code == ExitCode::SUCCESS {
        hold::announce(&demo, screen)?;
        interrupts.next().await;
    }
    end(demo, screen, &mut interrupts).await?;
    Ok(code)
}

/// Removes everything; gives up only at the second interruption.
async fn end(demo: Demo, screen: Screen, interrupts: &mut Interrupts) -> Result<()> {
    let mut leaving = Box::pin(leave(demo, screen));
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

async fn run_steps(args: &Args, demo: &mut Demo, screen: Screen) -> Result<()> {
    let start = Instant::now();
    screen.line(INTRODUCTION);
    steps::cluster(args, demo, screen).await?;
    steps::install(demo, screen).await?;
    steps::request(args, demo, screen).await?;
    steps::ready(demo, screen).await?;
    steps::consume(demo, screen).await?;
    changes::bad_edit(demo, screen).await?;
    changes::rotate(demo, screen).await?;
    changes::deactivate(demo, screen).await?;
    changes::delete_target(demo, screen).await?;
    screen.line(&format!(
        "\nEvery step held, in {}.",
        seconds(start.elapsed())
    ));
    Ok(())
}

/// Ends everything, and removes what was created in a user's cluster.
async fn leave(mut demo: Demo, screen: Screen) -> Result<()> {
    demo.workload = None;
    demo.operator = None;
    let left = match &demo.cluster {
        Some(demo_cluster) => demo_cluster.leave(screen).await,
        None => Ok(()),
    };
    // The drop waits for processes to end.
    spawn_blocking(|| drop(demo)).await?;
    left
}

fn show_log(demo: &Demo, screen: Screen) {
    let Some(operator) = &demo.operator else {
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
