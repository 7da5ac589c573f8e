//! An axis from 0 to a round number at or above all values.

/// An axis with few ticks at round numbers.
pub struct Axis {
    end: f64,
    step: f64,
}

impl Axis {
    /// Covers `most`, up to the next tick.
    pub fn up_to(most: f64) -> Self {
        let most = if most > 0.0 { most } else { 1.0 };
        let step = round_step(most / 4.0);
        Self {
            end: (most / step).ceil() * step,
            step,
        }
    }

    /// The position of a value, from 0 to 1.
    pub fn part(&self, value: f64) -> f64 {
        value / self.end
    }

    pub fn ticks(&self) -> impl Iterator<Item = f64> {
        let steps = (0_u8..=10).map(|number| f64::from(number) * self.step);
        // Rounding may put the last tick slightly above the end.
        steps.take_while(|tick| *tick <= self.end * (1.0 + 1e-9))
    }
}

/// The next larger of 1, 2, 2.5 or 5 times a power of ten.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * power);
    let fitting = steps.into_iter().find(|step| *step >= least * (1.0 - 1e-9));
    fitting.unwrap_or(power * 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(most: f64) -> Vec<f64> {
        Axis::up_to(most).ticks().collect()
    }

    #[test]
    fn ticks_are_round_and_cover_all() {
        assert_eq!(ticks(10_000.0), [0.0, 2_500.0, 5_000.0, 7_500.0, 10_000.0]);
        assert_eq!(ticks(38.0), [0.0, 10.0, 20.0, 30.0, 40.0]);
        assert_eq!(ticks(57.0), [0.0, 20.0, 40.0, 60.0]);
        assert_eq!(ticks(0.9), [0.0, 0.25, 0.5, 0.75, 1.0]);
    }

    #[test]
    fn there_are_few_of_them_whatever_is_measured() {
        for most in [0.001, 0.37, 1.0, 3.3, 64.0, 99.0, 101.0, 12_345.0, 1e7] {
            let ticks = ticks(most);
            assert!((3..=6).contains(&ticks.len()), "{most}: {ticks:?}");
            assert!(
                ticks.last().is_some_and(|last| *last >= most * 0.999_999),
                "{most}: {ticks:?}"
            );
        }
    }

    #[test]
    fn the_end_is_at_one() {
        let axis = Axis::up_to(40.0);
        assert!((axis.part(40.0) - 1.0).abs() < 1e-9 && axis.part(0.0) == 0.0);
    }

    #[test]
    fn an_axis_without_values_has_a_length() {
        assert!(Axis::up_to(0.0).part(0.5).is_finite());
    }
}
