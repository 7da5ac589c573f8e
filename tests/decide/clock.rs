//! Time: when a pair is verified again, and wrong clocks.

use std::time::Duration;

use crate::sim::{SOURCE, TARGET, World, alpha, resource};
use k8s_openapi::jiff::SignedDuration;
use static_aws_credentials::api::OnRejected;

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);

#[test]
fn a_published_pair_is_proven_again_each_interval_give_or_take_a_tenth() {
    for (jitter, pause) in [(0.0, 54), (0.5, 60), (1.0, 66)] {
        let mut world = World::new();
        world.jitter = jitter;
        world.fill(SOURCE, &alpha());
        world.store.apply(resource("orders"));
        world.settle();
        assert_eq!(world.next_look("orders").unwrap().as_secs(), pause * 60);
    }
}

#[test]
fn an_interval_proof_reads_the_source_asks_once_and_writes_the_time() {
    let mut world = World::published();
    let before = world.status().last_verified_time.unwrap().0;
    world.advance(HOUR);
    assert_eq!(
        world.requests(),
        "get orders-key-pair, ask eu-west-1, status orders"
    );
    let after = world.status().last_verified_time.unwrap().0;
    assert_eq!(after.duration_since(before), SignedDuration::from_hours(1));
}

#[test]
fn no_two_questions_about_a_good_pair_come_within_nine_tenths_of_its_interval() {
    let mut world = World::published();
    for turn in 0..40 {
        world.jitter = f64::from(turn % 5) / 4.0;
        world.advance(Duration::from_mins(17));
        if turn % 3 == 0 {
            world.store.edit(SOURCE, |secret| {
                let label = ("turn".to_owned(), turn.to_string());
                secret.metadata.labels = Some([label].into());
            });
        }
        if turn % 7 == 0 {
            world.store.delete(TARGET, None).unwrap();
        }
        world.settle();
    }
    let times: Vec<Duration> = world.aws.asked.iter().map(|asked| asked.at).collect();
    assert!(times.len() >= 10);
    for two in times.windows(2) {
        let between = two[1].saturating_sub(two[0]);
        assert!(between >= HOUR * 9 / 10, "{two:?}");
        assert!(between <= HOUR * 11 / 10 + MINUTE, "{two:?}");
    }
}

#[test]
fn a_restart_keeps_the_rhythm_and_asks_for_nothing() {
    let mut world = World::published();
    world.advance(MINUTE * 40);
    world.requests();
    world.restart();
    world.settle_twice();
    assert_eq!(world.requests(), "");
    assert_eq!(world.next_look("orders"), Some(MINUTE * 20));
}

#[test]
fn f32_what_fell_due_while_nobody_ran_is_spread_over_the_interval() {
    for (jitter, minutes) in [(0.25, 15), (0.5, 30), (0.75, 45)] {
        let mut world = World::published();
        world.now += HOUR * 7;
        world.jitter = jitter;
        world.restart();
        world.settle();
        assert_eq!(world.requests(), "");
        assert_eq!(world.next_look("orders"), Some(MINUTE * minutes));
    }
}

#[test]
fn an_interval_proof_after_a_restart_needs_no_target_read() {
    let mut world = World::published();
    world.restart();
    world.advance(HOUR);
    assert_eq!(
        world.requests(),
        "get orders-key-pair, ask eu-west-1, status orders"
    );
}

#[test]
fn f28_a_proof_from_the_future_counts_as_one_from_now() {
    let mut world = World::published();
    world.set_clock(SignedDuration::from_hours(-5));
    world.restart();
    world.settle_twice();
    assert_eq!(world.requests(), "");
    assert_eq!(world.next_look("orders"), Some(HOUR));
}

#[test]
fn f28_a_clock_that_is_set_does_not_disturb_the_rhythm_of_a_process() {
    for minutes in [-10, 10] {
        let mut world = World::published();
        world.advance(MINUTE * 20);
        world.set_clock(SignedDuration::from_mins(minutes));
        world.fill("unrelated", &alpha());
        world.advance(MINUTE * 39);
        assert_eq!(world.questions(), 1);
        world.advance(MINUTE * 2);
        assert_eq!(world.questions(), 2);
    }
}

#[test]
fn f28_a_clock_that_is_set_neither_shortens_nor_lengthens_a_confirmation() {
    for minutes in [-10, 10] {
        let mut world = World::published_with(|spec| {
            spec.validation.on_rejected = OnRejected::Withdraw;
        });
        world.aws.deactivate(&alpha());
        world.advance(HOUR + Duration::from_secs(1));
        assert!(world.state().contains("RejectionUnconfirmed"));
        world.set_clock(SignedDuration::from_mins(minutes));
        world.store.edit(SOURCE, |secret| {
            secret.metadata.labels = Some([("a".to_owned(), "b".to_owned())].into());
        });
        world.advance(Duration::from_secs(57));
        assert_eq!(world.target(), Some(alpha()));
        world.advance(Duration::from_secs(3));
        assert_eq!(world.target(), None);
    }
}

#[test]
fn f28_a_settling_that_began_in_the_future_ends_after_a_minute_all_the_same() {
    let mut world = World::new();
    world.aws.deactivate(&alpha());
    world.fill(SOURCE, &alpha());
    world.store.apply(resource("orders"));
    world.settle();
    world.set_clock(SignedDuration::from_mins(-10));
    world.restart();
    world.advance(MINUTE * 3);
    assert!(
        world.state().starts_with("Ready=False AccessKeyUnknown"),
        "{} after {} questions",
        world.state(),
        world.questions()
    );
    assert!(world.questions() <= 40, "{}", world.questions());
}

#[test]
fn a_longer_interval_is_obeyed_from_the_next_proof_on() {
    let mut world = World::published();
    world.respecify(|spec| spec.validation.interval = "6h".to_owned());
    world.settle_twice();
    world.advance(HOUR + MINUTE);
    let first = world.questions();
    world.advance(HOUR * 5);
    assert!(world.questions() - first <= 1);
}

#[test]
fn a_shorter_interval_is_obeyed_at_once() {
    let mut world = World::published_with(|spec| spec.validation.interval = "168h".to_owned());
    world.advance(MINUTE * 30);
    world.respecify(|spec| spec.validation.interval = "5m".to_owned());
    world.settle();
    let next = world.next_look("orders").unwrap();
    assert!(
        next <= MINUTE * 6,
        "the next proof is {} min away",
        next.as_secs() / 60
    );
}
