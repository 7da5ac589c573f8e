//! What is measured, with its unit and its goal.

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

/// A measure, its description, its unit, and its goal with the smallest number of resources that it applies to.
type Row = (Measure, &'static str, &'static str, Option<(Goal, usize)>);

/// Goals for large clusters do not apply to smaller ones.
const MANY: usize = 10_000;
const BURST: usize = 2_000;

#[rustfmt::skip]
const ROWS: &[Row] = &[
    (M::IdleMemory, "memory without a resource", "MiB", Some((AtMost(12.0), 0))),
    (M::SettledMemory, "memory, settled after a start", "MiB", Some((AtMost(40.0), MANY))),
    (M::MemoryAfterBursts, "memory, settled after the bursts", "MiB", Some((AtMost(40.0), MANY))),
    (M::StartPeak, "memory, peak of a start", "MiB", Some((AtMost(64.0), MANY))),
    (M::LargeSecrets, "300 unrelated Secrets of 1 MiB: memory grows by", "MiB", Some((AtMost(1.0), 0))),
    (M::LargeAnnotations, "500 Secrets with 256 KiB annotations: memory grows by", "MiB", Some((AtMost(1.0), 0))),
    (M::LargeStartPeak, "memory, peak of a start beside all of those", "MiB", None),
    (M::RotationMedian, "one rotation at a time, median", "ms", Some((RatioAtMost(2.0), 0))),
    (M::RotationP99, "one rotation at a time, p99 (bare client: median)", "ms", Some((RatioAtMost(5.0), 0))),
    (M::CreateRate, "burst of creates", "/s", Some((RatioAtLeast(0.9), BURST))),
    (M::RotationRate, "burst of rotations", "/s", Some((RatioAtLeast(0.9), BURST))),
    (M::ProcessorTime, "burst of rotations: processor time for one", "ms", None),
    (M::LongestCreateWait, "burst of creates: longest wait to median", "×", Some((AtMost(2.0), BURST))),
    (M::LongestRotationWait, "burst of rotations: longest wait to median", "×", Some((AtMost(2.0), BURST))),
    (M::NeighbourRotation, "rotation beside another namespace's burst, to quiet", "×", Some((AtMost(2.0), MANY))),
    (M::OutageEnd, "an outage of STS: from its end until the last is ready", "s", Some((AtMost(30.0), 0))),
    (M::RestartTime, "restart: until ready", "s", Some((AtMost(5.0), MANY))),
    (M::RestartGets, "restart: reads of one object", "", Some((AtMost(0.0), 0))),
    (M::RestartWrites, "restart: writes", "", Some((AtMost(0.0), 0))),
    (M::RestartCalls, "restart: calls of STS", "", Some((AtMost(0.0), 0))),
    (M::RestartLists, "restart: pages of lists", "", None),
    (M::IdleCpu, "CPU when nothing changes", "mCPU", Some((AtMost(2.0), MANY))),
    (M::IdleRequests, "requests when nothing changes", "", Some((AtMost(0.0), 0))),
    (M::ChurnCpu, "CPU while unrelated Secrets change", "mCPU", Some((AtMost(50.0), 0))),
    (M::ChurnChanges, "so often they change", "/s", None),
    (M::ChurnRequests, "requests while unrelated Secrets change", "", Some((AtMost(0.0), 0))),
    (M::GetsPerRotation, "reads for one rotation", "", Some((AtMost(1.0), 0))),
    (M::WritesPerRotation, "writes for one rotation", "", Some((AtMost(2.0), 0))),
    (M::CallsPerPair, "calls of STS for one pair, at most", "", Some((AtMost(1.0), 0))),
    (M::MemoryOfOneMore, "one more resource: memory", "KiB", None),
    (M::MemorySlope, "one more resource: memory, to that at a tenth of the size", "×", Some((AtMost(1.25), MANY))),
    (M::TimeSlope, "one more rotation: time, to that at a tenth of the size", "×", Some((RatioAtMost(1.25), MANY))),
    (M::BinarySize, "binary", "MB", Some((AtMost(10.0), 0))),
    (M::ImageSize, "image", "MB", Some((AtMost(12.0), 0))),
];

impl Measure {
    /// The description and the unit.
    pub fn words(self) -> (&'static str, &'static str) {
        self.row()
            .map_or(("", ""), |(_, words, unit, _)| (words, unit))
    }

    /// The goal, if one applies to a cluster with this number of resources.
    pub fn goal(self, resources: usize) -> Option<Goal> {
        let (_, _, _, goal) = self.row()?;
        let (goal, from) = (*goal)?;
        (resources >= from).then_some(goal)
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
        assert_eq!(Measure::CreateRate.goal(1_999), None);
        assert_eq!(Measure::CreateRate.goal(2_000), Some(RatioAtLeast(0.9)));
        assert_eq!(Measure::SettledMemory.goal(10_000), Some(AtMost(40.0)));
        assert_eq!(Measure::IdleMemory.goal(0), Some(AtMost(12.0)));
    }
}
