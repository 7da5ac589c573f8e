//! What is measured, with its unit and its goals.

use std::ops::Range;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use Goal::{AtMost, RatioAtLeast, RatioAtMost};
use Measure as M;

/// One kind of figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    IdleMemory,
    SettledMemory,
    MemoryAfterBursts,
    StartPeak,
    LargeSecrets,
    LargeAnnotations,
    LargeStartPeak,
    RotationMedian,
    RotationP99,
    CreateRate,
    RotationRate,
    ProcessorTime,
    LostEvents,
    LongestCreateWait,
    LongestRotationWait,
    NeighbourRotation,
    OutageEnd,
    RestartTime,
    RestartGets,
    RestartWrites,
    RestartCalls,
    RestartLists,
    IdleCpu,
    IdleRequests,
    ChurnCpu,
    ChurnChanges,
    ChurnRequests,
    GetsPerRotation,
    WritesPerRotation,
    CallsPerPair,
    MemoryOfOneMore,
    MemorySlope,
    TimeSlope,
    BinarySize,
    ImageSize,
}

/// The goal of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// At most this value.
    AtMost(f64),
    /// At most this multiple of the bare client's figure.
    RatioAtMost(f64),
    /// At least this fraction of the bare client's figure.
    RatioAtLeast(f64),
}

/// A measure, its description, its unit, and its goals, each with the numbers of resources that it applies to.
type Row = (
    Measure,
    &'static str,
    &'static str,
    &'static [(Goal, Range<usize>)],
);

const ANY: Range<usize> = 0..usize::MAX;
/// A burst of fewer resources is over before a rate is reached.
const BURST: Range<usize> = 1_000..usize::MAX;
/// Goals for large clusters do not apply to smaller ones.
const MANY: Range<usize> = 10_000..LARGE.start;
const LARGE: Range<usize> = 50_000..usize::MAX;

#[rustfmt::skip]
const ROWS: &[Row] = &[
    (M::IdleMemory, "memory without a resource", "MiB", &[(AtMost(12.0), ANY)]),
    (M::SettledMemory, "memory, settled after a start", "MiB", &[(AtMost(40.0), MANY), (AtMost(150.0), LARGE)]),
    (M::MemoryAfterBursts, "memory, settled after the bursts", "MiB", &[(AtMost(40.0), MANY)]),
    (M::StartPeak, "memory, peak of a start", "MiB", &[(AtMost(64.0), MANY)]),
    (M::LargeSecrets, "300 unrelated Secrets of 1 MiB: memory grows by", "MiB", &[(AtMost(1.0), ANY)]),
    (M::LargeAnnotations, "500 Secrets with 256 KiB annotations: memory grows by", "MiB", &[(AtMost(1.0), ANY)]),
    (M::LargeStartPeak, "memory, peak of a start beside all of those", "MiB", &[]),
    (M::RotationMedian, "one rotation at a time, median", "ms", &[(RatioAtMost(1.5), ANY)]),
    (M::RotationP99, "one rotation at a time, p99 (bare client: median)", "ms", &[(RatioAtMost(5.0), ANY)]),
    (M::CreateRate, "burst of creates", "/s", &[(RatioAtLeast(0.9), BURST)]),
    (M::RotationRate, "burst of rotations", "/s", &[(RatioAtLeast(0.9), BURST)]),
    (M::ProcessorTime, "burst of rotations: processor time for one", "ms", &[(RatioAtMost(1.5), BURST)]),
    (M::LostEvents, "events that were not published, of a burst", "", &[(AtMost(0.0), ANY)]),
    (M::LongestCreateWait, "burst of creates: longest wait to median", "×", &[(AtMost(2.0), BURST)]),
    (M::LongestRotationWait, "burst of rotations: longest wait to median", "×", &[(AtMost(2.0), BURST)]),
    (M::NeighbourRotation, "rotation beside another namespace's burst, to quiet", "×", &[(AtMost(2.0), BURST)]),
    (M::OutageEnd, "an outage of STS: from its end until the last is ready", "s", &[(AtMost(30.0), ANY)]),
    (M::RestartTime, "restart: until ready", "s", &[(AtMost(5.0), MANY), (AtMost(10.0), LARGE)]),
    (M::RestartGets, "restart: reads of one object", "", &[(AtMost(0.0), ANY)]),
    (M::RestartWrites, "restart: writes", "", &[(AtMost(0.0), ANY)]),
    (M::RestartCalls, "restart: calls of STS", "", &[(AtMost(0.0), ANY)]),
    (M::RestartLists, "restart: pages of lists", "", &[]),
    (M::IdleCpu, "CPU when nothing changes", "mCPU", &[(AtMost(2.0), MANY), (AtMost(2.0), LARGE)]),
    (M::IdleRequests, "requests when nothing changes", "", &[(AtMost(0.0), ANY)]),
    (M::ChurnCpu, "CPU while unrelated Secrets change", "mCPU", &[(AtMost(50.0), ANY)]),
    (M::ChurnChanges, "so often they change", "/s", &[]),
    (M::ChurnRequests, "requests while unrelated Secrets change", "", &[(AtMost(0.0), ANY)]),
    (M::GetsPerRotation, "reads for one rotation", "", &[(AtMost(1.0), ANY)]),
    (M::WritesPerRotation, "writes for one rotation", "", &[(AtMost(2.0), ANY)]),
    (M::CallsPerPair, "calls of STS for one pair, at most", "", &[(AtMost(1.0), ANY)]),
    (M::MemoryOfOneMore, "one more resource: memory", "KiB", &[]),
    (M::MemorySlope, "one more resource: memory, to that at a tenth of the size", "×", &[(AtMost(1.25), MANY)]),
    (M::TimeSlope, "one more rotation: time, to that at a tenth of the size", "×", &[(RatioAtMost(1.25), MANY)]),
    (M::BinarySize, "binary", "MB", &[(AtMost(10.0), ANY)]),
    (M::ImageSize, "image", "MB", &[(AtMost(12.0), ANY)]),
];

impl Measure {
    /// The description and the unit.
    pub fn words(self) -> (&'static str, &'static str) {
        self.row()
            .map_or(("", ""), |(_, words, unit, _)| (words, unit))
    }

    /// The goal, if one applies to a cluster with this number of resources.
    pub fn goal(self, resources: usize) -> Option<Goal> {
        let (_, _, _, goals) = self.row()?;
        let mut goals = goals.iter();
        let (goal, _) = goals.find(|(_, sizes)| sizes.contains(&resources))?;
        Some(*goal)
    }

    /// Whether a goal is a ratio to the bare client's figure.
    pub fn is_judged_by_ratio(self) -> bool {
        let goals = self.row().map_or(&[][..], |(_, _, _, goals)| goals);
        let mut goals = goals.iter();
        goals.any(|(goal, _)| matches!(goal, RatioAtMost(_) | RatioAtLeast(_)))
    }

    fn row(self) -> Option<&'static Row> {
        ROWS.iter().find(|(measure, ..)| *measure == self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_has_its_row_in_their_order() {
        let rows: Vec<Measure> = ROWS.iter().map(|(measure, ..)| *measure).collect();
        assert_eq!(rows, Measure::value_variants());
    }

    #[test]
    fn no_two_measures_are_worded_alike() {
        let words: std::collections::BTreeSet<_> = ROWS.iter().map(|row| row.1).collect();
        assert_eq!(words.len(), ROWS.len());
    }

    #[test]
    fn goals_that_speak_of_thousands_begin_there() {
        assert_eq!(Measure::CreateRate.goal(999), None);
        for size in [1_000, 2_000, 10_000] {
            assert_eq!(Measure::CreateRate.goal(size), Some(RatioAtLeast(0.9)));
            assert_eq!(Measure::ProcessorTime.goal(size), Some(RatioAtMost(1.5)));
        }
        assert_eq!(Measure::SettledMemory.goal(10_000), Some(AtMost(40.0)));
        assert_eq!(Measure::IdleMemory.goal(0), Some(AtMost(12.0)));
    }

    #[test]
    fn a_ratio_judges_what_the_bare_client_does_too_but_a_neighbour() {
        assert!(Measure::CreateRate.is_judged_by_ratio());
        assert!(Measure::RotationP99.is_judged_by_ratio());
        assert!(!Measure::NeighbourRotation.is_judged_by_ratio());
        assert!(!Measure::RestartLists.is_judged_by_ratio());
    }

    #[test]
    fn a_large_cluster_has_goals_of_its_own() {
        let goal = |measure: Measure| measure.goal(50_000);
        assert_eq!(goal(Measure::SettledMemory), Some(AtMost(150.0)));
        assert_eq!(goal(Measure::RestartTime), Some(AtMost(10.0)));
        assert_eq!(goal(Measure::StartPeak), None);
        assert_eq!(goal(Measure::IdleRequests), Some(AtMost(0.0)));
    }
}
