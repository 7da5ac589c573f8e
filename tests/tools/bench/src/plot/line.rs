//! The figures of one kind as a line.

use crate::{figure::Figure, measure::Measure, stats::number};

/// A line of a panel.
pub struct Line {
    pub name: &'static str,
    pub points: Vec<(f64, f64)>,
    pub dashed: bool,
}

impl Line {
    /// The style of the bare client's lines.
    pub fn dashed(self) -> Self {
        Self {
            dashed: true,
            ..self
        }
    }
}

/// The points in the order of the sizes.
pub fn of(
    figures: &[Figure],
    name: &'static str,
    measure: Measure,
    value: impl Fn(&Figure) -> Option<f64>,
) -> Line {
    let of_measure = figures.iter().filter(|figure| figure.measure == measure);
    let points = of_measure.filter_map(|figure| Some((number(figure.resources), value(figure)?)));
    let mut points: Vec<(f64, f64)> = points.collect();
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    Line {
        name,
        points,
        dashed: false,
    }
}

/// The time for all resources, at this rate per second.
pub fn seconds(figure: &Figure, rate: Option<f64>) -> Option<f64> {
    let rate = rate.filter(|rate| *rate > 0.0)?;
    Some(number(figure.resources) / rate)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Figures of three sizes, unsorted.
    pub fn figures() -> Vec<Figure> {
        let mut figures = Vec::new();
        for (size, memory, rate) in [
            (10_000, 38.0, 250.0),
            (100, 12.0, 200.0),
            (1_000, 14.5, 250.0),
        ] {
            figures.push(Figure::new(Measure::SettledMemory, size, memory));
            figures.push(Figure::new(Measure::StartPeak, size, memory * 1.5));
            figures.push(Figure::beside(Measure::CreateRate, size, rate, Some(400.0)));
            figures.push(Figure::beside(Measure::RotationRate, size, rate, None));
        }
        figures
    }

    #[test]
    fn a_line_goes_from_the_smallest_to_the_largest() {
        let line = of(&figures(), "settled", Measure::SettledMemory, |figure| {
            Some(figure.ours)
        });
        assert_eq!(
            line.points,
            [(100.0, 12.0), (1_000.0, 14.5), (10_000.0, 38.0)]
        );
    }

    #[test]
    fn rates_become_the_time_for_all() {
        let figures = figures();
        let time = of(&figures, "", Measure::CreateRate, |figure| {
            seconds(figure, figure.bare)
        });
        assert_eq!(
            time.points,
            [(100.0, 0.25), (1_000.0, 2.5), (10_000.0, 25.0)]
        );
        let none = of(&figures, "", Measure::RotationRate, |figure| {
            seconds(figure, figure.bare)
        });
        assert!(none.points.is_empty());
    }

    #[test]
    fn a_rate_of_none_a_second_takes_no_time_that_could_be_drawn() {
        let figure = Figure::new(Measure::CreateRate, 100, 0.0);
        assert_eq!(seconds(&figure, Some(figure.ours)), None);
        assert_eq!(seconds(&figure, None), None);
    }

    #[test]
    fn only_the_bare_client_is_dashed() {
        let line = of(&figures(), "settled", Measure::SettledMemory, |figure| {
            Some(figure.ours)
        });
        assert!(!line.dashed && line.dashed().dashed);
    }
}
