//! Summaries of many measurements in few numbers.

use serde::{Deserialize, Serialize};

/// Sorted measurements.
#[derive(Clone, Debug)]
pub struct Spread(Vec<f64>);

/// The least and the greatest of several measurements.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Range {
    pub least: f64,
    pub greatest: f64,
}

impl Spread {
    /// Sorts the values.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// The smallest measurement that at least `percent` percent do not exceed; 0 without measurements.
    pub fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).copied().unwrap_or_default()
    }

    pub fn median(&self) -> f64 {
        self.percentile(50)
    }

    pub fn worst(&self) -> f64 {
        self.percentile(100)
    }

    pub fn range(&self) -> Range {
        Range {
            least: self.percentile(0),
            greatest: self.worst(),
        }
    }
}

/// All counts here are less than 2^32.
pub fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The increase of `y` per `x` between two points.
pub fn slope(from: (f64, f64), to: (f64, f64)) -> Option<f64> {
    let run = to.0 - from.0;
    (run.abs() > f64::EPSILON).then(|| (to.1 - from.1) / run)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hundred() -> Spread {
        Spread::of((1..=100).rev().map(f64::from))
    }

    fn same(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    #[test]
    fn percentiles_are_measurements_by_their_rank() {
        let spread = hundred();
        assert!(same(spread.median(), 50.0));
        assert!(same(spread.percentile(99), 99.0));
        assert!(same(spread.worst(), 100.0));
        assert!(same(spread.percentile(0), 1.0));
    }

    #[test]
    fn of_two_hundred_the_99th_percentile_leaves_out_two() {
        let spread = Spread::of((1..=200).map(f64::from));
        assert!(same(spread.percentile(99), 198.0));
    }

    #[test]
    fn of_three_the_middle_one_is_the_median_and_of_one_that_one() {
        assert!(same(Spread::of([7.0, 1.0, 3.0]).median(), 3.0));
        let one = Spread::of([7.0]);
        assert!(same(one.median(), 7.0) && same(one.percentile(99), 7.0));
    }

    #[test]
    fn a_range_is_from_the_least_to_the_greatest() {
        let range = Spread::of([7.0, 1.0, 3.0]).range();
        assert!(same(range.least, 1.0) && same(range.greatest, 7.0));
    }

    #[test]
    fn of_nothing_everything_is_0() {
        let none = Spread::of([]);
        assert!(same(none.median(), 0.0) && same(none.worst(), 0.0));
    }

    #[test]
    fn a_straight_line_has_its_slope() {
        let slope = slope((1_000.0, 12.0), (10_000.0, 39.0));
        assert!(slope.is_some_and(|slope| same(slope, 0.003)));
    }

    #[test]
    fn two_points_at_one_place_have_no_slope() {
        assert!(slope((5.0, 1.0), (5.0, 2.0)).is_none());
    }

    #[test]
    fn counts_become_numbers() {
        assert!(same(number(10_000), 10_000.0));
    }
}
