//! When a crowd steps back. A place in turn is not enough for whoever comes alone: it may wait for that
//! place, and each of its requests waits at the API server beside those of the whole crowd.

use std::time::Duration;

use tokio::time::Instant;

/// How long a crowd keeps to few places after one that came alone was let in: longer than that takes,
/// at an API server that has nothing else to do.
const COURTESY: Duration = Duration::from_millis(100);
/// Of so many places a crowd keeps one meanwhile, or the only one. A second one hardly delays others;
/// each further one delays them in proportion, and makes the crowd itself little faster. As many are
/// never a crowd's: its requests may hang.
const SHARE: usize = 8;

/// How one that is let in stands beside the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Others of its namespace wait or are served as well.
    Crowd,
    /// It is the only one of its namespace.
    Alone,
}

/// Who of a crowd may enter.
#[derive(Debug)]
pub(super) struct Yielding {
    /// For a crowd, at other times.
    most: usize,
    /// For a crowd, while it steps back.
    few: usize,
    crowd: usize,
    until: Option<Instant>,
}

impl Yielding {
    pub fn new(permits: usize) -> Self {
        let few = (permits / SHARE).max(1);
        Self {
            most: permits.saturating_sub(few).max(1),
            few,
            crowd: 0,
            until: None,
        }
    }

    pub fn entered(&mut self, standing: Standing, now: Instant) {
        match standing {
            Standing::Crowd => self.crowd += 1,
            Standing::Alone => self.until = Some(now + COURTESY),
        }
    }

    pub fn left(&mut self, standing: Standing) {
        if standing == Standing::Crowd {
            self.crowd = self.crowd.saturating_sub(1);
        }
    }

    /// Until when nobody else of a crowd may enter, unless one of them leaves before.
    pub fn holds_back(&self, now: Instant) -> Option<Instant> {
        let courtesy = self.until.filter(|until| now < *until);
        let places = courtesy.map_or(self.most, |_| self.few);
        (self.crowd >= places).then(|| courtesy.unwrap_or(now + COURTESY))
    }
}

#[cfg(test)]
mod tests {
    use super::{Standing::*, *};

    const MOMENT: Duration = Duration::from_millis(1);

    fn crowd(of: usize, permits: usize, now: Instant) -> Yielding {
        let mut yielding = Yielding::new(permits);
        for _ in 0..of {
            yielding.entered(Crowd, now);
        }
        yielding
    }

    #[test]
    fn a_crowd_that_nobody_comes_beside_leaves_some_places_and_no_more() {
        let now = Instant::now();
        for (permits, most) in [(1, 1), (2, 1), (4, 3), (16, 14), (64, 56)] {
            assert_eq!(crowd(most - 1, permits, now).holds_back(now), None);
            let full = crowd(most, permits, now);
            assert!(full.holds_back(now).is_some_and(|again| again > now));
        }
    }

    #[test]
    fn one_that_comes_alone_holds_a_crowd_back_for_a_while() {
        let now = Instant::now();
        let mut yielding = crowd(13, 16, now);
        yielding.entered(Alone, now);
        let until = now + COURTESY;
        assert_eq!(yielding.holds_back(now), Some(until));
        assert_eq!(yielding.holds_back(until - MOMENT), Some(until));
        assert_eq!(yielding.holds_back(until), None);
        yielding.left(Alone);
        assert_eq!(yielding.holds_back(now), Some(until), "it has more to do");
    }

    #[test]
    fn a_crowd_that_steps_back_keeps_an_eighth_of_the_places_and_one_at_least() {
        let now = Instant::now();
        for (permits, kept) in [(1, 1), (4, 1), (16, 2), (64, 8)] {
            let mut yielding = crowd(permits, permits, now);
            yielding.entered(Alone, now);
            for inside in (0..=permits).rev() {
                let held = yielding.holds_back(now).is_some();
                assert_eq!(held, inside >= kept, "{inside} of {permits}");
                yielding.left(Crowd);
            }
        }
    }

    #[test]
    fn the_last_that_came_alone_counts() {
        let now = Instant::now();
        let mut yielding = crowd(13, 16, now);
        yielding.entered(Alone, now);
        yielding.entered(Alone, now + COURTESY - MOMENT);
        assert!(yielding.holds_back(now + COURTESY).is_some());
        let over = now + COURTESY - MOMENT + COURTESY;
        assert_eq!(yielding.holds_back(over), None);
    }
}
