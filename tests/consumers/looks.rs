use std::time::Duration;

use static_aws_credentials::{consumers::Again, remembered::Overlap};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_first_look_waits_for_the_delivery() {
    let now = Instant::now();
    let mut overlap = Overlap::default();
    assert_eq!(overlap.wait(2, 90 * SECOND, now), 90 * SECOND);
    assert_eq!(overlap.wait(2, 60 * SECOND, now + 30 * SECOND), 60 * SECOND);
    assert_eq!(
        overlap.wait(2, Duration::ZERO, now + 90 * SECOND),
        Duration::ZERO
    );
}

#[test]
fn another_revision_begins_anew() {
    let now = Instant::now();
    let mut overlap = Overlap::default();
    overlap.wait(2, Duration::ZERO, now);
    overlap.looked(Some(Again::Later), false, 0.5, now);
    assert_eq!(overlap.wait(3, 90 * SECOND, now), 90 * SECOND);
}

#[test]
fn looks_grow_rare_while_nothing_happens_and_frequent_when_something_does() {
    let now = Instant::now();
    let mut overlap = Overlap::default();
    overlap.wait(2, Duration::ZERO, now);
    let mut look = |news| overlap.looked(Some(Again::Later), news, 0.5, now).unwrap();
    let pauses: Vec<u64> = [true, false, false, false, false, false, false, true]
        .map(|news| look(news).as_secs())
        .to_vec();
    assert_eq!(pauses, [10, 20, 40, 80, 160, 300, 300, 10]);
}

#[test]
fn not_all_resources_look_at_the_same_time() {
    let now = Instant::now();
    let pause = |jitter| {
        let mut overlap = Overlap::default();
        overlap.wait(2, Duration::ZERO, now);
        overlap
            .looked(Some(Again::Later), true, jitter, now)
            .unwrap()
    };
    assert!(pause(0.0) < pause(1.0));
}

#[test]
fn a_time_that_is_known_is_kept_and_the_end_is_the_end() {
    let now = Instant::now();
    let mut overlap = Overlap::default();
    overlap.wait(2, Duration::ZERO, now);
    let minute = Duration::from_mins(1);
    assert_eq!(
        overlap.looked(Some(Again::In(minute)), false, 0.0, now),
        Some(minute)
    );
    assert_eq!(
        overlap.wait(2, Duration::ZERO, now + 20 * SECOND),
        40 * SECOND
    );
    assert_eq!(overlap.looked(None, false, 0.0, now), None);
}

#[test]
fn of_two_reasons_to_look_again_the_sooner_counts() {
    let (short, long) = (Some(Again::In(SECOND)), Some(Again::In(90 * SECOND)));
    assert_eq!(Again::sooner(long, short), short);
    assert_eq!(Again::sooner(short, None), short);
    assert_eq!(Again::sooner(None, long), long);
    assert_eq!(Again::sooner(long, Some(Again::Later)), Some(Again::Later));
    assert_eq!(Again::sooner(Some(Again::Later), None), Some(Again::Later));
    assert_eq!(Again::sooner(None, None), None);
}
