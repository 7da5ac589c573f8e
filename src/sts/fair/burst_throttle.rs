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
const MAX_LIGHT_LOAD: usize = 3;

/// How many items of one namespace wait or are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// More than [`MAX_LIGHT_LOAD`] items.
    Burst,
    /// [`MAX_LIGHT_LOAD`] items at most.
    Light,
}

impl Load {
    /// The load of a namespace in which `count` items wait or are served.
    #[must_use]
    pub fn of(count: usize) -> Self {
        if count <= MAX_LIGHT_LOAD {
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
    limit: usize,
    /// The limit for bursts while throttled.
    throttled_limit: usize,
    by_namespace: HashMap<Arc<str>, Permits>,
    /// The namespace and time of the last admitted item of a burst.
    last_burst: Option<(Arc<str>, Instant)>,
    throttled_until: Option<Instant>,
}

/// The permits that a namespace holds.
#[derive(Debug, Default)]
struct Permits {
    total: usize,
    of_bursts: usize,
}

impl BurstThrottle {
    pub fn new(permits: usize) -> Self {
        let share = permits / BURST_SHARE;
        Self {
            limit: permits - share,
            throttled_limit: share.max(1),
            by_namespace: HashMap::new(),
            last_burst: None,
            throttled_until: None,
        }
    }

    pub fn acquire(&mut self, load: Load, namespace: &Arc<str>, now: Instant) {
        if load == Load::Light && self.collides_with_burst(namespace, now) {
            self.throttled_until = Some(now + QUIET_WINDOW);
        }
        let permits = self.by_namespace.entry(Arc::clone(namespace)).or_default();
        permits.total += 1;
        if load == Load::Burst {
            permits.of_bursts += 1;
            self.last_burst = Some((Arc::clone(namespace), now));
        }
    }

    /// The first items of a burst count as a light load, and so does an item that comes just after the
    /// burst was served; a burst is not throttled for items of its own namespace.
    fn collides_with_burst(&self, namespace: &Arc<str>, now: Instant) -> bool {
        let last_burst = self.last_burst.as_ref();
        last_burst.is_some_and(|(other, at)| {
            other != namespace && (self.burst_permits() > 0 || now < *at + QUIET_WINDOW)
        })
    }

    pub fn release(&mut self, load: Load, namespace: &Arc<str>) {
        let Some(permits) = self.by_namespace.get_mut(namespace) else {
            return;
        };
        permits.total = permits.total.saturating_sub(1);
        if load == Load::Burst {
            permits.of_bursts = permits.of_bursts.saturating_sub(1);
        }
        if permits.total == 0 {
            self.by_namespace.remove(namespace);
        }
    }

    /// The permits of namespaces with a burst, those included that were granted under a light load.
    fn burst_permits(&self) -> usize {
        let held = self.by_namespace.values();
        let of_bursts = held.filter(|permits| permits.of_bursts > 0);
        of_bursts.map(|permits| permits.total).sum()
    }

    /// Until when no further item of a burst may start, unless the burst releases a permit earlier.
    pub fn burst_blocked_until(&self, now: Instant) -> Option<Instant> {
        let throttled_until = self.throttled_until.filter(|until| now < *until);
        let limit = throttled_until.map_or(self.limit, |_| self.throttled_limit);
        (self.burst_permits() >= limit).then(|| throttled_until.unwrap_or(now + QUIET_WINDOW))
    }
}

#[cfg(test)]
mod tests {
    use super::{Load::*, *};

    const MOMENT: Duration = Duration::from_millis(1);

    fn acquire(throttle: &mut BurstThrottle, load: Load, namespace: &str, now: Instant) {
        throttle.acquire(load, &Arc::from(namespace), now);
    }

    fn release(throttle: &mut BurstThrottle, load: Load, namespace: &str) {
        throttle.release(load, &Arc::from(namespace));
    }

    fn burst(items: usize, permits: usize, now: Instant) -> BurstThrottle {
        let mut throttle = BurstThrottle::new(permits);
        for _ in 0..items {
            acquire(&mut throttle, Burst, "burst", now);
        }
        throttle
    }

    #[test]
    fn a_burst_alone_leaves_an_eighth_of_the_permits_and_no_more() {
        let now = Instant::now();
        for (permits, limit) in [(1, 1), (2, 2), (7, 7), (8, 7), (16, 14), (64, 56)] {
            assert_eq!(
                burst(limit - 1, permits, now).burst_blocked_until(now),
                None
            );
            let full = burst(limit, permits, now);
            assert!(
                full.burst_blocked_until(now)
                    .is_some_and(|again| again > now)
            );
        }
    }

    #[test]
    fn an_item_of_a_light_load_throttles_a_burst_for_a_while() {
        let now = Instant::now();
        let mut throttle = burst(13, 16, now);
        acquire(&mut throttle, Light, "quiet", now);
        let until = now + QUIET_WINDOW;
        assert_eq!(throttle.burst_blocked_until(now), Some(until));
        assert_eq!(throttle.burst_blocked_until(until - MOMENT), Some(until));
        assert_eq!(throttle.burst_blocked_until(until), None);
        release(&mut throttle, Light, "quiet");
        assert_eq!(
            throttle.burst_blocked_until(now),
            Some(until),
            "the namespace may have more items"
        );
    }

    #[test]
    fn a_throttled_burst_keeps_an_eighth_of_the_permits_and_one_at_least() {
        let now = Instant::now();
        for (permits, kept) in [(1, 1), (4, 1), (16, 2), (64, 8)] {
            let mut throttle = burst(permits, permits, now);
            acquire(&mut throttle, Light, "quiet", now);
            for held in (0..=permits).rev() {
                let is_blocked = throttle.burst_blocked_until(now).is_some();
                assert_eq!(is_blocked, held >= kept, "{held} of {permits}");
                release(&mut throttle, Burst, "burst");
            }
        }
    }

    #[test]
    fn the_first_items_of_a_burst_count_once_it_is_a_burst() {
        let now = Instant::now();
        let mut throttle = BurstThrottle::new(16);
        for load in [Light, Light, Light, Burst] {
            assert_eq!(throttle.burst_permits(), 0);
            acquire(&mut throttle, load, "burst", now);
        }
        acquire(&mut throttle, Light, "quiet", now);
        assert_eq!(throttle.burst_permits(), 4);
        release(&mut throttle, Light, "burst");
        assert_eq!(throttle.burst_permits(), 3);
        release(&mut throttle, Burst, "burst");
        assert_eq!(throttle.burst_permits(), 0, "two items are a light load");
    }

    #[test]
    fn a_burst_is_not_throttled_for_an_item_of_its_own_namespace() {
        let now = Instant::now();
        let mut throttle = BurstThrottle::new(16);
        for _ in 0..3 {
            acquire(&mut throttle, Light, "burst", now);
            for _ in 0..12 {
                acquire(&mut throttle, Burst, "burst", now);
                assert_eq!(throttle.burst_blocked_until(now), None);
            }
            for _ in 0..12 {
                release(&mut throttle, Burst, "burst");
            }
            release(&mut throttle, Light, "burst");
        }
    }

    #[test]
    fn a_burst_between_two_of_its_items_is_still_a_burst() {
        let now = Instant::now();
        let mut throttle = burst(2, 16, now);
        release(&mut throttle, Burst, "burst");
        release(&mut throttle, Burst, "burst");
        let mut later = burst(0, 16, now);
        later.last_burst.clone_from(&throttle.last_burst);
        acquire(&mut throttle, Light, "quiet", now + QUIET_WINDOW - MOMENT);
        assert!(throttle.throttled_until.is_some());
        acquire(&mut later, Light, "quiet", now + QUIET_WINDOW);
        assert_eq!(later.throttled_until, None, "the burst is over");
    }

    #[test]
    fn the_last_item_of_a_light_load_counts() {
        let now = Instant::now();
        let mut throttle = burst(13, 16, now);
        acquire(&mut throttle, Light, "quiet", now);
        acquire(&mut throttle, Light, "other", now + QUIET_WINDOW - MOMENT);
        assert!(throttle.burst_blocked_until(now + QUIET_WINDOW).is_some());
        let over = now + QUIET_WINDOW - MOMENT + QUIET_WINDOW;
        assert_eq!(throttle.burst_blocked_until(over), None);
    }
}
