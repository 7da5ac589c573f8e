//! The cost of a decision in instructions, which do not depend on the load of the machine.

use std::{
    hint::black_box,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use cluster::tools::instructions;
use static_aws_credentials::domain::decide::{self, Inputs as Known, Step};

use crate::sim::{SOURCE, World, alpha, beta, resource};

/// A scenario, its number of decisions, and the limit of instructions for each in a build for tests: 1.5 times the
/// measured number.
const SCENARIOS: [(&str, u64, u64); 4] = [
    ("creation", 3, 290_000),
    ("rotation", 3, 810_000),
    ("look after a restart", 1, 20_500),
    ("proof of an interval", 3, 290_000),
];
/// How often each decision is repeated to count its instructions.
const TIMES: u64 = 50;

static AGAIN: AtomicU64 = AtomicU64::new(0);
static DECISIONS: AtomicU64 = AtomicU64::new(0);

fn counted(known: &Known<'_>) -> Step {
    for _ in 0..AGAIN.load(Ordering::Relaxed) {
        black_box(decide::decide(known));
    }
    DECISIONS.fetch_add(1, Ordering::Relaxed);
    decide::decide(known)
}

/// Runs a scenario, and returns the number of decisions.
fn run(scenario: &str) -> u64 {
    let mut world = if scenario == "creation" {
        World::new()
    } else {
        World::published()
    };
    world.decide = counted;
    let before = DECISIONS.load(Ordering::Relaxed);
    match scenario {
        "creation" => {
            world.fill(SOURCE, &alpha());
            world.store.apply(resource("orders"));
            world.settle();
        }
        "rotation" => {
            world.fill(SOURCE, &beta());
            world.settle();
        }
        "look after a restart" => {
            world.restart();
            world.settle();
        }
        "proof of an interval" => world.advance(Duration::from_mins(70)),
        other => panic!("there is no scenario {other}"),
    }
    DECISIONS.load(Ordering::Relaxed) - before
}

/// The target of callgrind: runs the scenario in the environment variable `SCENARIO`.
#[test]
fn a_scenario_whose_instructions_are_counted() {
    let Ok(scenario) = std::env::var("SCENARIO") else {
        return;
    };
    let again = std::env::var("AGAIN").unwrap().parse().unwrap();
    AGAIN.store(again, Ordering::Relaxed);
    run(&scenario);
}

#[test]
fn a_decision_takes_few_instructions() {
    let program = std::env::current_exe().unwrap();
    for (scenario, decisions, most) in SCENARIOS {
        assert_eq!(run(scenario), decisions, "{scenario}");
        let took = |again: u64| count(&program, scenario, again);
        let each = (took(TIMES) - took(0)) / (TIMES * decisions);
        println!("{scenario}: {decisions} decisions of {each} instructions");
        assert!(each <= most, "{scenario}: {each} instructions, not {most}");
    }
}

fn count(program: &Path, scenario: &str, again: u64) -> u64 {
    let test = "instructions::a_scenario_whose_instructions_are_counted";
    let again = again.to_string();
    let variables = [("SCENARIO", scenario), ("AGAIN", &again)];
    instructions(program, &["--exact", test, "--test-threads=1"], &variables).unwrap()
}
