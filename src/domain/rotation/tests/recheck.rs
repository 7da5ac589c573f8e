//! The sooner of two rechecks.

use std::time::Duration;

use crate::domain::rotation::Recheck;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_sooner_of_two_rechecks_counts() {
    let (short, long) = (Some(Recheck::In(SECOND)), Some(Recheck::In(90 * SECOND)));
    assert_eq!(Recheck::sooner(long, short), short);
    assert_eq!(Recheck::sooner(short, None), short);
    assert_eq!(Recheck::sooner(None, long), long);
    assert_eq!(
        Recheck::sooner(long, Some(Recheck::Later)),
        Some(Recheck::Later)
    );
    assert_eq!(
        Recheck::sooner(Some(Recheck::Later), None),
        Some(Recheck::Later)
    );
    for other in [long, Some(Recheck::Later), None] {
        assert_eq!(
            Recheck::sooner(other, Some(Recheck::Soon)),
            Some(Recheck::Soon)
        );
        assert_eq!(
            Recheck::sooner(Some(Recheck::Soon), other),
            Some(Recheck::Soon)
        );
    }
    assert_eq!(Recheck::sooner(None, None), None);
}
