//! The throttling of bursts. A fair queue is not enough for an item of a namespace with a light load: the
//! item may wait for a permit, and its requests wait at the API server beside those of the whole burst.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::Instant;

/// How long bursts are throttled after an item of a light load was admitted: longer than that item takes
/// at an idle API server.
const QUIET_WINDOW: Duration = Duration::from_millis(100);
/// While throttled, bursts keep 1 in this many permits, and 1 at least. A second permit hardly delays other
/// items; each further permit delays them in proportion, and makes the burst little faster. 1 in this many
/// permits is never given to bursts, throttled or not, since their requests may hang.
const BURST_SHARE: usize = 8;

/// The most items of one namespace that are a light load: resources that share a source change at once.
pub const FEW: usize = 3;

/// How many items of one namespace wait or are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// More than [`FEW`] items.
    Burst,
    /// [`FEW`] items at most.
    Light,
}

impl Load {
    /// The load of a namespace in which `count` items wait or are served.
    #[must_use]
    pub fn of(count: usize) -> Self {
        if count <= FEW {
            Self::Light
        } else {
            Self::Burst
        }
    }
}

/// Limits the permits of bursts.
#[derive(Debug)]
pub(super) struct BurstThrottle {
    /// The limit for bursts while not throttled.
    most: usize,
    /// The limit for bursts while throttled.
    few: usize,
    inside: HashMap<Arc<str>, Inside>,
    /// The namespace and time of the last admitted item of a burst.
    last: Option<(Arc<str>, Instant)>,
    until: Option<Instant>,
}

/// The permits that a namespace holds.
#[derive(Debug, Default)]
struct Inside {
    places: usize,
    of_a_crowd: usize,
}

impl BurstThrottle {
    pub fn new(permits: usize) -> Self {
        let share = permits / BURST_SHARE;
        Self {
            most: permits - share,
            few: share.max(1),
            inside: HashMap::new(),
            last: None,
            until: None,
        }
    }

    pub fn acquire(&mut self, company: Load, namespace: &Arc<str>, now: Instant) {
        if company == Load::Light && self.collides_with_burst(namespace, now) {
            self.until = Some(now + QUIET_WINDOW);
        }
        let inside = self.inside.entry(Arc::clone(namespace)).or_default();
        inside.places += 1;
        if company == Load::Burst {
            inside.of_a_crowd += 1;
            self.last = Some((Arc::clone(namespace), now));
        }
    }

    /// The first items of a burst count as a light load, and so does an item that comes just after the
    /// burst was served; a burst is not throttled for items of its own namespace.
    fn collides_with_burst(&self, namespace: &Arc<str>, now: Instant) -> bool {
        let last = self.last.as_ref();
        last.is_some_and(|(of, at)| {
            of != namespace && (self.crowd() > 0 || now < *at + QUIET_WINDOW)
        })
    }

    pub fn release(&mut self, company: Load, namespace: &Arc<str>) {
        let Some(inside) = self.inside.get_mut(namespace) else {
            return;
        };
        inside.places = inside.places.saturating_sub(1);
        if company == Load::Burst {
            inside.of_a_crowd = inside.of_a_crowd.saturating_sub(1);
        }
        if inside.places == 0 {
            self.inside.remove(namespace);
        }
    }

    /// The permits of namespaces with a burst, those included that were granted under a light load.
    fn crowd(&self) -> usize {
        let crowds = self.inside.values().filter(|inside| inside.of_a_crowd > 0);
        crowds.map(|inside| inside.places).sum()
    }

    /// Until when no further item of a burst may start, unless the burst releases a permit earlier.
    pub fn burst_blocked_until(&self, now: Instant) -> Option<Instant> {
        let courtesy = self.until.filter(|until| now < *until);
        let places = courtesy.map_or(self.most, |_| self.few);
        (self.crowd() >= places).then(|| courtesy.unwrap_or(now + QUIET_WINDOW))
    }
}

#[cfg(test)]
mod tests {
    use super::{Load::*, *};

    const MOMENT: Duration = Duration::from_millis(1);

    fn enter(yielding: &mut BurstThrottle, company: Load, namespace: &str, now: Instant) {
        yielding.acquire(company, &Arc::from(namespace), now);
    }

    fn leave(yielding: &mut BurstThrottle, company: Load, namespace: &str) {
        yielding.release(company, &Arc::from(namespace));
    }

    fn crowd(of: usize, permits: usize, now: Instant) -> BurstThrottle {
        let mut yielding = BurstThrottle::new(permits);
        for _ in 0..of {
            enter(&mut yielding, Burst, "crowd", now);
        }
        yielding
    }

    #[test]
    fn a_crowd_that_nobody_comes_beside_leaves_some_places_and_no_more() {
        let now = Instant::now();
        for (permits, most) in [(1, 1), (2, 2), (7, 7), (8, 7), (16, 14), (64, 56)] {
            assert_eq!(crowd(most - 1, permits, now).burst_blocked_until(now), None);
            let full = crowd(most, permits, now);
            assert!(
                full.burst_blocked_until(now)
                    .is_some_and(|again| again > now)
            );
        }
    }

    #[test]
    fn one_of_few_holds_a_crowd_back_for_a_while() {
        let now = Instant::now();
        let mut yielding = crowd(13, 16, now);
        enter(&mut yielding, Light, "quiet", now);
        let until = now + QUIET_WINDOW;
        assert_eq!(yielding.burst_blocked_until(now), Some(until));
        assert_eq!(yielding.burst_blocked_until(until - MOMENT), Some(until));
        assert_eq!(yielding.burst_blocked_until(until), None);
        leave(&mut yielding, Light, "quiet");
        assert_eq!(
            yielding.burst_blocked_until(now),
            Some(until),
            "it has more to do"
        );
    }

    #[test]
    fn a_crowd_that_steps_back_keeps_an_eighth_of_the_places_and_one_at_least() {
        let now = Instant::now();
        for (permits, kept) in [(1, 1), (4, 1), (16, 2), (64, 8)] {
            let mut yielding = crowd(permits, permits, now);
            enter(&mut yielding, Light, "quiet", now);
            for inside in (0..=permits).rev() {
                let held = yielding.burst_blocked_until(now).is_some();
                assert_eq!(held, inside >= kept, "{inside} of {permits}");
                leave(&mut yielding, Burst, "crowd");
            }
        }
    }

    #[test]
    fn the_first_of_a_crowd_count_once_they_are_one() {
        let now = Instant::now();
        let mut yielding = BurstThrottle::new(16);
        for company in [Light, Light, Light, Burst] {
            assert_eq!(yielding.crowd(), 0);
            enter(&mut yielding, company, "crowd", now);
        }
        enter(&mut yielding, Light, "quiet", now);
        assert_eq!(yielding.crowd(), 4);
        leave(&mut yielding, Light, "crowd");
        assert_eq!(yielding.crowd(), 3);
        leave(&mut yielding, Burst, "crowd");
        assert_eq!(yielding.crowd(), 0, "two are few");
    }

    #[test]
    fn a_crowd_is_not_held_back_for_one_of_its_own() {
        let now = Instant::now();
        let mut yielding = BurstThrottle::new(16);
        for _ in 0..3 {
            enter(&mut yielding, Light, "crowd", now);
            for _ in 0..12 {
                enter(&mut yielding, Burst, "crowd", now);
                assert_eq!(yielding.burst_blocked_until(now), None);
            }
            for _ in 0..12 {
                leave(&mut yielding, Burst, "crowd");
            }
            leave(&mut yielding, Light, "crowd");
        }
    }

    #[test]
    fn a_crowd_between_two_of_its_runs_is_still_one() {
        let now = Instant::now();
        let mut yielding = crowd(2, 16, now);
        leave(&mut yielding, Burst, "crowd");
        leave(&mut yielding, Burst, "crowd");
        let mut later = crowd(0, 16, now);
        later.last.clone_from(&yielding.last);
        enter(&mut yielding, Light, "quiet", now + QUIET_WINDOW - MOMENT);
        assert!(yielding.until.is_some());
        enter(&mut later, Light, "quiet", now + QUIET_WINDOW);
        assert_eq!(later.until, None, "it has gone");
    }

    #[test]
    fn the_last_of_few_counts() {
        let now = Instant::now();
        let mut yielding = crowd(13, 16, now);
        enter(&mut yielding, Light, "quiet", now);
        enter(&mut yielding, Light, "other", now + QUIET_WINDOW - MOMENT);
        assert!(yielding.burst_blocked_until(now + QUIET_WINDOW).is_some());
        let over = now + QUIET_WINDOW - MOMENT + QUIET_WINDOW;
        assert_eq!(yielding.burst_blocked_until(over), None);
    }
}
