//! One measured figure, with that of the bare client and whether the goal is met.

use serde::{Deserialize, Serialize};

use crate::{
    measure::{Goal, Measure},
    stats::{Range, Spread},
};

/// A figure of the operator, and that of the bare client if there is one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    pub measure: Measure,
    /// The number of resources.
    pub resources: usize,
    /// The median, if it was measured several times.
    pub ours: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bare: Option<f64>,
    /// The range of `ours`, if it was measured several times and is judged without the bare client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// The ratios of all comparisons. Figures of single measurements have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratios: Option<Ratios>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// For readers of the JSON file; derived from the other fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub met: Option<bool>,
}

/// The operator's figure relative to the bare client's, in several comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratios {
    pub median: f64,
    #[serde(flatten)]
    pub range: Range,
}

impl Figure {
    /// A figure that was measured once.
    pub fn new(measure: Measure, resources: usize, ours: f64) -> Self {
        Self::beside(measure, resources, ours, None)
    }

    /// The same with the figure of the bare client in the same run.
    pub fn beside(measure: Measure, resources: usize, ours: f64, bare: Option<f64>) -> Self {
        Self {
            measure,
            resources,
            ours,
            bare,
            range: None,
            ratios: None,
            goal: measure.goal(resources),
            met: None,
        }
        .judged()
    }

    /// The median of several measurements, with their range.
    pub fn repeated(measure: Measure, resources: usize, ours: &[f64]) -> Self {
        let spread = Spread::of(ours.iter().copied());
        Self {
            range: Some(spread.range()),
            ..Self::new(measure, resources, spread.median())
        }
    }

    /// The medians of several comparisons, each with the operator's figure first, and the ratio in each comparison.
    pub fn compared(measure: Measure, resources: usize, comparisons: &[(f64, f64)]) -> Self {
        let ours: Vec<f64> = comparisons.iter().map(|(ours, _)| *ours).collect();
        let bare = Spread::of(comparisons.iter().map(|(_, bare)| *bare));
        let ratios = Spread::of(comparisons.iter().map(|(ours, bare)| ours / bare));
        let is_comparable = bare.range().least > 0.0;
        let figure = Self::repeated(measure, resources, &ours);
        Self {
            bare: is_comparable.then(|| bare.median()),
            range: figure.range.filter(|_| !measure.is_judged_by_ratio()),
            ratios: is_comparable.then(|| Ratios {
                median: ratios.median(),
                range: ratios.range(),
            }),
            ..figure
        }
        .judged()
    }

    /// The operator's figure relative to the bare client's: the median if there were several comparisons.
    pub fn ratio(&self) -> Option<f64> {
        let bare = self.bare.filter(|bare| *bare > 0.0)?;
        let ratios = self.ratios.as_ref();
        Some(ratios.map_or(self.ours / bare, |ratios| ratios.median))
    }

    fn judged(self) -> Self {
        let met = self.goal.and_then(|goal| match goal {
            Goal::AtMost(most) => Some(self.ours <= most),
            Goal::RatioAtMost(most) => self.ratio().map(|ratio| ratio <= most),
            Goal::RatioAtLeast(least) => self.ratio().map(|ratio| ratio >= least),
        });
        Self { met, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_judged_by_itself() {
        let figure = |ours| Figure::new(Measure::IdleMemory, 0, ours);
        assert_eq!(figure(12.0).met, Some(true));
        assert_eq!(figure(12.1).met, Some(false));
    }

    #[test]
    fn a_time_is_judged_against_the_bare_clients() {
        let figure = |ours| Figure::beside(Measure::RotationMedian, 100, ours, Some(4.0));
        assert_eq!(figure(6.0).met, Some(true));
        assert_eq!(figure(6.1).met, Some(false));
    }

    #[test]
    fn a_rate_is_to_reach_nine_tenths_of_the_bare_clients() {
        let figure = |ours| Figure::beside(Measure::CreateRate, 2_000, ours, Some(300.0));
        assert_eq!(figure(270.0).met, Some(true));
        assert_eq!(figure(269.0).met, Some(false));
    }

    #[test]
    fn what_is_compared_is_not_judged_without_the_other() {
        let alone = Figure::new(Measure::CreateRate, 2_000, 300.0);
        assert_eq!((alone.met, alone.ratio()), (None, None));
        let nothing = Figure::beside(Measure::CreateRate, 2_000, 300.0, Some(0.0));
        assert_eq!((nothing.met, nothing.ratio()), (None, None));
    }

    #[test]
    fn a_goal_for_thousands_does_not_judge_hundreds() {
        let small = Figure::new(Measure::StartPeak, 100, 10.0);
        assert_eq!((small.goal, small.met), (None, None));
        assert!(Figure::new(Measure::StartPeak, 10_000, 10.0).goal.is_some());
    }

    #[test]
    fn a_figure_without_a_goal_is_never_met_or_missed() {
        assert_eq!(Figure::new(Measure::RestartLists, 10_000, 300.0).met, None);
    }

    #[test]
    fn none_at_all_is_met_by_none_alone() {
        let figure = |ours| Figure::new(Measure::RestartWrites, 10_000, ours);
        assert_eq!(figure(0.0).met, Some(true));
        assert_eq!(figure(1.0).met, Some(false));
    }

    #[test]
    fn a_ratio_is_ours_to_the_bare_clients() {
        let figure = Figure::beside(Measure::IdleCpu, 100, 3.0, Some(4.0));
        assert_eq!(figure.ratio(), Some(0.75));
    }

    #[test]
    fn several_comparisons_are_judged_by_the_median_of_their_ratios() {
        // The medians of both sides, 300 and 300, would be a ratio of 1.
        let comparisons = [(250.0, 300.0), (300.0, 310.0), (310.0, 280.0)];
        let met = Figure::compared(Measure::CreateRate, 2_000, &comparisons);
        let ratios = met.ratios.expect("ratios");
        assert!((ratios.median - 300.0 / 310.0).abs() < 1e-9, "{ratios:?}");
        assert!((ratios.range.least - 250.0 / 300.0).abs() < 1e-9);
        assert!((ratios.range.greatest - 310.0 / 280.0).abs() < 1e-9);
        assert_eq!((met.ours, met.bare, met.range), (300.0, Some(300.0), None));
        assert_eq!(met.met, Some(true));
        let comparisons = [(290.0, 280.0), (200.0, 300.0), (240.0, 300.0)];
        let missed = Figure::compared(Measure::CreateRate, 2_000, &comparisons);
        assert_eq!((missed.ratio(), missed.met), (Some(0.8), Some(false)));
    }

    #[test]
    fn what_is_judged_by_itself_has_a_range_of_its_own() {
        let comparisons = [(2.5, 20.0), (1.5, 21.0), (1.75, 28.0)];
        let figure = Figure::compared(Measure::NeighbourRotation, 2_000, &comparisons);
        let (least, greatest) = (1.5, 2.5);
        assert_eq!(figure.range, Some(Range { least, greatest }));
        assert_eq!((figure.ours, figure.met), (1.75, Some(true)));
        let small = Figure::compared(Measure::NeighbourRotation, 100, &comparisons);
        assert_eq!((small.range, small.met), (figure.range, None));
        let waits = Figure::repeated(Measure::LongestCreateWait, 2_000, &[2.5, 1.5, 2.25]);
        assert_eq!(waits.range, Some(Range { least, greatest }));
        assert_eq!((waits.ours, waits.met), (2.25, Some(false)));
    }

    #[test]
    fn a_comparison_with_nothing_is_not_judged() {
        let comparisons = [(300.0, 300.0), (300.0, 0.0), (300.0, 310.0)];
        let figure = Figure::compared(Measure::CreateRate, 2_000, &comparisons);
        assert_eq!((figure.ratio(), figure.met), (None, None));
    }

    #[test]
    fn a_file_without_ranges_is_read() {
        let text = r#"{"measure": "create-rate", "resources": 100, "ours": 3.0, "bare": 4.0}"#;
        let figure: Figure = serde_json::from_str(text).expect("a figure");
        assert_eq!((figure.ratio(), figure.ratios), (Some(0.75), None));
    }
}
