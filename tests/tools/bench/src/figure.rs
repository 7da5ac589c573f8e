//! One measured figure, with that of the bare client and whether the goal is met.

use serde::{Deserialize, Serialize};

use crate::measure::{Goal, Measure};

/// A figure of the operator, and that of the bare client if there is one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    pub measure: Measure,
    /// The number of resources.
    pub resources: usize,
    pub ours: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bare: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// For readers of the JSON file; derived from the other fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub met: Option<bool>,
}

impl Figure {
    pub fn new(measure: Measure, resources: usize, ours: f64) -> Self {
        Self::beside(measure, resources, ours, None)
    }

    /// The same with the figure of the bare client in the same run.
    pub fn beside(measure: Measure, resources: usize, ours: f64, bare: Option<f64>) -> Self {
        let goal = measure.goal(resources);
        let mut figure = Self {
            measure,
            resources,
            ours,
            bare,
            goal,
            met: None,
        };
        figure.met = goal.and_then(|goal| figure.meets(goal));
        figure
    }

    /// The operator's figure relative to the bare client's.
    pub fn ratio(&self) -> Option<f64> {
        let bare = self.bare.filter(|bare| *bare > 0.0)?;
        Some(self.ours / bare)
    }

    fn meets(&self, goal: Goal) -> Option<bool> {
        match goal {
            Goal::AtMost(most) => Some(self.ours <= most),
            Goal::RatioAtMost(most) => self.ratio().map(|ratio| ratio <= most),
            Goal::RatioAtLeast(least) => self.ratio().map(|ratio| ratio >= least),
        }
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
        assert_eq!(figure(8.0).met, Some(true));
        assert_eq!(figure(8.1).met, Some(false));
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
}
