//! When a crowd steps back. A place in turn is not enough for whoever is one of few: it may wait for that
//! place, and each of its requests waits at the API server beside those of the whole crowd.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::Instant;

/// How long a crowd keeps to few places after one of few was let in: longer than that takes,
/// at an API server that has nothing else to do.
const COURTESY: Duration = Duration::from_millis(100);
/// Of so many places a crowd keeps one meanwhile, or the only one. A second one hardly delays others;
/// each further one delays them in proportion, and makes the crowd itself little faster. As many of the
/// places are never a crowd's, since its requests may hang.
const SHARE: usize = 8;

/// The most of one namespace that are few: resources that share a source change at once.
pub const FEW: usize = 3;

/// With how many others of its namespace one comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Company {
    /// More than [`FEW`] of its namespace wait or are served.
    Crowd,
    /// It is one of [`FEW`] at the most.
    Few,
}

impl Company {
    /// Company of each of so many that wait or are served.
    #[must_use]
    pub fn of(count: usize) -> Self {
        if count <= FEW { Self::Few } else { Self::Crowd }
    }
}

/// Who of a crowd may enter.
#[derive(Debug)]
pub(super) struct Yielding {
    /// For a crowd, at other times.
    most: usize,
    /// For a crowd, while it steps back.
    few: usize,
    inside: HashMap<Arc<str>, Inside>,
    /// Whose crowd came last, and when.
    last: Option<(Arc<str>, Instant)>,
    until: Option<Instant>,
}

/// Places that a namespace has.
#[derive(Debug, Default)]
struct Inside {
    places: usize,
    of_a_crowd: usize,
}

impl Yielding {
    pub fn new(permits: usize) -> Self {
        let share = permits / SHARE;
        Self {
            most: permits - share,
            few: share.max(1),
            inside: HashMap::new(),
            last: None,
            until: None,
        }
    }

    pub fn entered(&mut self, company: Company, namespace: &Arc<str>, now: Instant) {
        if company == Company::Few && self.meets_a_crowd(namespace, now) {
            self.until = Some(now + COURTESY);
        }
        let inside = self.inside.entry(Arc::clone(namespace)).or_default();
        inside.places += 1;
        if company == Company::Crowd {
            inside.of_a_crowd += 1;
            self.last = Some((Arc::clone(namespace), now));
        }
    }

    /// The first of a crowd are few, and so is whoever comes when it has just been served; their own
    /// namespace is not held back for them.
    fn meets_a_crowd(&self, namespace: &Arc<str>, now: Instant) -> bool {
        let last = self.last.as_ref();
        last.is_some_and(|(of, at)| of != namespace && (self.crowd() > 0 || now < *at + COURTESY))
    }

    pub fn left(&mut self, company: Company, namespace: &Arc<str>) {
        let Some(inside) = self.inside.get_mut(namespace) else {
            return;
        };
        inside.places = inside.places.saturating_sub(1);
        if company == Company::Crowd {
            inside.of_a_crowd = inside.of_a_crowd.saturating_sub(1);
        }
        if inside.places == 0 {
            self.inside.remove(namespace);
        }
    }

    /// Places of crowds. Those that came first, and were few then, count with the others.
    fn crowd(&self) -> usize {
        let crowds = self.inside.values().filter(|inside| inside.of_a_crowd > 0);
        crowds.map(|inside| inside.places).sum()
    }

    /// Until when nobody else of a crowd may enter, unless one of them leaves before.
    pub fn holds_back(&self, now: Instant) -> Option<Instant> {
        let courtesy = self.until.filter(|until| now < *until);
        let places = courtesy.map_or(self.most, |_| self.few);
        (self.crowd() >= places).then(|| courtesy.unwrap_or(now + COURTESY))
    }
}

#[cfg(test)]
mod tests {
    use super::{Company::*, *};

    const MOMENT: Duration = Duration::from_millis(1);

    fn enter(yielding: &mut Yielding, company: Company, namespace: &str, now: Instant) {
        yielding.entered(company, &Arc::from(namespace), now);
    }

    fn leave(yielding: &mut Yielding, company: Company, namespace: &str) {
        yielding.left(company, &Arc::from(namespace));
    }

    fn crowd(of: usize, permits: usize, now: Instant) -> Yielding {
        let mut yielding = Yielding::new(permits);
        for _ in 0..of {
            enter(&mut yielding, Crowd, "crowd", now);
        }
        yielding
    }

    #[test]
    fn a_crowd_that_nobody_comes_beside_leaves_some_places_and_no_more() {
        let now = Instant::now();
        for (permits, most) in [(1, 1), (2, 2), (7, 7), (8, 7), (16, 14), (64, 56)] {
            assert_eq!(crowd(most - 1, permits, now).holds_back(now), None);
            let full = crowd(most, permits, now);
            assert!(full.holds_back(now).is_some_and(|again| again > now));
        }
    }

    #[test]
    fn one_of_few_holds_a_crowd_back_for_a_while() {
        let now = Instant::now();
        let mut yielding = crowd(13, 16, now);
        enter(&mut yielding, Few, "quiet", now);
        let until = now + COURTESY;
        assert_eq!(yielding.holds_back(now), Some(until));
        assert_eq!(yielding.holds_back(until - MOMENT), Some(until));
        assert_eq!(yielding.holds_back(until), None);
        leave(&mut yielding, Few, "quiet");
        assert_eq!(yielding.holds_back(now), Some(until), "it has more to do");
    }

    #[test]
    fn a_crowd_that_steps_back_keeps_an_eighth_of_the_places_and_one_at_least() {
        let now = Instant::now();
        for (permits, kept) in [(1, 1), (4, 1), (16, 2), (64, 8)] {
            let mut yielding = crowd(permits, permits, now);
            enter(&mut yielding, Few, "quiet", now);
            for inside in (0..=permits).rev() {
                let held = yielding.holds_back(now).is_some();
                assert_eq!(held, inside >= kept, "{inside} of {permits}");
                leave(&mut yielding, Crowd, "crowd");
            }
        }
    }

    #[test]
    fn the_first_of_a_crowd_count_once_they_are_one() {
        let now = Instant::now();
        let mut yielding = Yielding::new(16);
        for company in [Few, Few, Few, Crowd] {
            assert_eq!(yielding.crowd(), 0);
            enter(&mut yielding, company, "crowd", now);
        }
        enter(&mut yielding, Few, "quiet", now);
        assert_eq!(yielding.crowd(), 4);
        leave(&mut yielding, Few, "crowd");
        assert_eq!(yielding.crowd(), 3);
        leave(&mut yielding, Crowd, "crowd");
        assert_eq!(yielding.crowd(), 0, "two are few");
    }

    #[test]
    fn a_crowd_is_not_held_back_for_one_of_its_own() {
        let now = Instant::now();
        let mut yielding = Yielding::new(16);
        for _ in 0..3 {
            enter(&mut yielding, Few, "crowd", now);
            for _ in 0..12 {
                enter(&mut yielding, Crowd, "crowd", now);
                assert_eq!(yielding.holds_back(now), None);
            }
            for _ in 0..12 {
                leave(&mut yielding, Crowd, "crowd");
            }
            leave(&mut yielding, Few, "crowd");
        }
    }

    #[test]
    fn a_crowd_between_two_of_its_runs_is_still_one() {
        let now = Instant::now();
        let mut yielding = crowd(2, 16, now);
        leave(&mut yielding, Crowd, "crowd");
        leave(&mut yielding, Crowd, "crowd");
        let mut later = crowd(0, 16, now);
        later.last.clone_from(&yielding.last);
        enter(&mut yielding, Few, "quiet", now + COURTESY - MOMENT);
        assert!(yielding.until.is_some());
        enter(&mut later, Few, "quiet", now + COURTESY);
        assert_eq!(later.until, None, "it has gone");
    }

    #[test]
    fn the_last_of_few_counts() {
        let now = Instant::now();
        let mut yielding = crowd(13, 16, now);
        enter(&mut yielding, Few, "quiet", now);
        enter(&mut yielding, Few, "other", now + COURTESY - MOMENT);
        assert!(yielding.holds_back(now + COURTESY).is_some());
        let over = now + COURTESY - MOMENT + COURTESY;
        assert_eq!(yielding.holds_back(over), None);
    }
}
