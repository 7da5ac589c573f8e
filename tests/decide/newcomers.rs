//! A source with several pairs in a row that AWS rejects.

use std::{collections::BTreeSet, time::Duration};

use static_aws_credentials::api::ConditionType;

use crate::sim::{Pair, SOURCE, TARGET, World, alpha, beta, resource};

/// A pair that AWS does not know.
fn unknown(number: usize) -> Pair {
    let mut pair = alpha();
    let letters = ["A", "B", "C", "D", "E", "F", "G", "H"];
    let coded: String = (0..4).map(|at| letters[(number >> (3 * at)) & 7]).collect();
    pair.id.replace_range(16.., &coded);
    pair
}

/// Writes another unknown pair each second. Returns the number of IDs that STS got.
fn flooded(world: &mut World, seconds: usize) -> usize {
    for number in 0..seconds {
        world.fill(SOURCE, &unknown(number));
        world.advance(Duration::from_secs(1));
    }
    let asked: BTreeSet<&String> = world.aws.asked.iter().map(|asked| &asked.id).collect();
    asked.len()
}

#[test]
fn a_source_that_changes_for_ever_is_asked_about_less_and_less_often() {
    let mut world = World::new();
    world.store.apply(resource("orders"));
    let asked = flooded(&mut world, 600);
    // Five at once, then after 2, 4, 8, 16, 32, 64, 128 and 256 seconds.
    assert_eq!(asked, 13);
    assert!(world.questions() < 40, "{}", world.questions());
    let message = world.message(ConditionType::Verified);
    assert!(message.contains("one after another"), "{message}");
}

#[test]
fn five_mistakes_in_a_row_cost_nobody_a_pause() {
    let mut world = World::new();
    world.store.apply(resource("orders"));
    assert_eq!(flooded(&mut world, 4), 4);
    world.fill(SOURCE, &alpha());
    world.settle();
    assert_eq!(world.target(), Some(alpha()));
}

#[test]
fn a_good_pair_after_many_bad_ones_is_published_after_the_pause_and_ends_the_count() {
    let mut world = World::published();
    let before = flooded(&mut world, 100);
    assert_eq!(world.target(), Some(alpha()));
    world.fill(SOURCE, &beta());
    world.advance(Duration::from_mins(5));
    assert_eq!(world.target(), Some(beta()));
    assert!(before < 14, "{before}");
    world.fill(SOURCE, &unknown(1));
    world.settle();
    assert_eq!(world.aws.asked.last().unwrap().id, unknown(1).id);
}

#[test]
fn the_published_pair_comes_back_without_a_pause_and_its_target_is_restored() {
    let mut world = World::published();
    flooded(&mut world, 100);
    world.store.delete(TARGET, None).unwrap();
    let asked = world.questions();
    world.fill(SOURCE, &alpha());
    world.settle();
    assert_eq!((world.target(), world.questions()), (Some(alpha()), asked));
}

#[test]
fn a_source_with_another_wrong_secret_each_second_is_asked_about_less_and_less_often() {
    let mut world = World::new();
    world.store.apply(resource("orders"));
    for number in 0..600 {
        let mut pair = alpha();
        pair.secret.replace_range(36.., &format!("{number:04}"));
        world.fill(SOURCE, &pair);
        world.advance(Duration::from_secs(1));
    }
    assert_eq!(world.questions(), 13);
}

#[test]
fn a_pair_that_waited_for_its_first_request_settles_like_any_other() {
    let mut world = World::new();
    world.store.apply(resource("orders"));
    flooded(&mut world, 140);
    world.aws.deactivate(&beta());
    world.fill(SOURCE, &beta());
    world.settle();
    assert_eq!(world.status().settling, None, "nobody has refused it yet");
    let wait = world.next_look("orders").unwrap();
    assert!(wait > Duration::from_mins(1));
    world.advance(wait);
    assert_eq!(world.aws.asked.last().unwrap().id, beta().id);
    let state = world.state();
    assert!(state.starts_with("Ready=False Settling"), "{state}");
}
