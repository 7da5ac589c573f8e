//! The bare client and the operator by turns: the speed of a machine varies from minute to minute, so a ratio of two
//! figures means something only if they were measured one after the other, and several times.

use std::path::Path;

use anyhow::Result;

use crate::{
    args::{Args, Mode},
    bursts::{self, Served},
    ceiling,
    figure::Figure,
    measure::Measure,
    operator::Operator,
    progress::say,
    stats::Spread,
    test_cluster::TestCluster,
};

/// Comparisons in one run.
pub const COMPARISONS: usize = 3;

/// The modes in which the operator is compared with the bare client.
const COMPARED: [Mode; 3] = [Mode::Create, Mode::Rotation, Mode::Sequential];

/// The figures of one side in one comparison.
#[derive(Clone, Default)]
pub struct Side {
    /// Creates per second.
    pub creates: Option<f64>,
    /// Rotations per second.
    pub rotations: Option<f64>,
    /// Milliseconds of CPU time per rotation of a burst.
    pub processor: Option<f64>,
    /// Milliseconds of one rotation at a time.
    pub alone: Option<Spread>,
    /// The time of one rotation beside a burst, relative to that without.
    pub beside: Option<f64>,
    /// Of a burst of creates, the longest wait relative to the median.
    pub longest_create: Option<f64>,
    /// The same of a burst of rotations.
    pub longest_rotation: Option<f64>,
    /// Events that were not published, in the burst with the most of them.
    pub lost_events: Option<f64>,
}

type Value = fn(&Side) -> Option<f64>;

/// Each measure that has a ratio, with the operator's value and that of the bare client.
const RATIOS: [(Measure, Value, Value); 6] = [
    (
        Measure::CreateRate,
        |side| side.creates,
        |side| side.creates,
    ),
    (
        Measure::RotationRate,
        |side| side.rotations,
        |side| side.rotations,
    ),
    (
        Measure::ProcessorTime,
        |side| side.processor,
        |side| side.processor,
    ),
    (Measure::RotationMedian, median, median),
    (Measure::RotationP99, p99, median),
    (
        Measure::NeighbourRotation,
        |side| side.beside,
        |side| side.beside,
    ),
];

/// The measures of the operator alone.
const REPEATED: [(Measure, Value); 2] = [
    (Measure::LongestCreateWait, |side| side.longest_create),
    (Measure::LongestRotationWait, |side| side.longest_rotation),
];

fn median(side: &Side) -> Option<f64> {
    side.alone.as_ref().map(Spread::median)
}

fn p99(side: &Side) -> Option<f64> {
    side.alone.as_ref().map(|spread| spread.percentile(99))
}

impl Side {
    /// Adds a burst with this number of lost events.
    pub fn lost(&mut self, events: f64) {
        let most = self.lost_events.map_or(events, |before| before.max(events));
        self.lost_events = Some(most);
    }
}

/// Both sides of all comparisons so far.
#[derive(Default)]
struct Comparisons {
    bare: Vec<Side>,
    ours: Vec<Side>,
}

/// Compares at one size. Leaves the last operator running, with its settled resources.
pub async fn compare(
    test_cluster: &TestCluster,
    args: &Args,
    program: &Path,
    size: usize,
    figures: &mut Vec<Figure>,
) -> Result<Served> {
    let mut comparisons = Comparisons::default();
    if is_compared(args, size) {
        for _ in 1..COMPARISONS {
            let served = comparisons.add(test_cluster, args, program, size, figures);
            served.await?.end().await?;
        }
    }
    let served = comparisons.add(test_cluster, args, program, size, figures);
    let served = served.await?;
    figures.extend(comparisons.figures(size));
    Ok(served)
}

fn is_compared(args: &Args, size: usize) -> bool {
    COMPARED.iter().any(|mode| args.measures(*mode)) || args.measures_last(Mode::Fairness, size)
}

impl Comparisons {
    /// Measures the bare client, if it is needed, and then a new process of the operator. The first process starts
    /// without a resource.
    async fn add(
        &mut self,
        test_cluster: &TestCluster,
        args: &Args,
        program: &Path,
        size: usize,
        figures: &mut Vec<Figure>,
    ) -> Result<Served> {
        if is_compared(args, size) {
            let number = self.bare.len() + 1;
            say(&format!("comparison {number} of {COMPARISONS}"));
            let bare = ceiling::measure(test_cluster, args, size).await?;
            self.bare.push(bare);
        }
        let operator = Operator::start(test_cluster, program, None).await?;
        operator.ready().await?;
        if self.ours.is_empty() && args.measures_last(Mode::Idle, size) {
            bursts::idle(&operator, figures).await?;
        }
        let (served, ours) = bursts::measure(test_cluster, args, operator, size).await?;
        self.ours.push(ours);
        Ok(served)
    }

    fn figures(&self, size: usize) -> Vec<Figure> {
        let mut figures = Vec::new();
        for (measure, ours, bare) in RATIOS {
            let sides = self.ours.iter().zip(&self.bare);
            let values: Vec<(f64, f64)> = sides
                .filter_map(|(one, other)| ours(one).zip(bare(other)))
                .collect();
            if !values.is_empty() {
                figures.push(Figure::compared(measure, size, &values));
            }
        }
        for (measure, value) in REPEATED {
            let values: Vec<f64> = self.ours.iter().filter_map(value).collect();
            if !values.is_empty() {
                figures.push(Figure::repeated(measure, size, &values));
            }
        }
        let lost = self.ours.iter().filter_map(|side| side.lost_events);
        // The median would hide a burst that lost events.
        if let Some(most) = lost.reduce(f64::max) {
            figures.push(Figure::new(Measure::LostEvents, size, most));
        }
        figures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(rate: f64, times: [f64; 2]) -> Side {
        let mut side = Side {
            creates: Some(rate),
            alone: Some(Spread::of(times)),
            longest_create: Some(rate / 100.0),
            ..Side::default()
        };
        side.lost(0.0);
        side
    }

    fn comparisons() -> Comparisons {
        Comparisons {
            bare: vec![
                side(200.0, [4.0, 9.0]),
                side(100.0, [5.0, 9.0]),
                side(200.0, [6.0, 9.0]),
            ],
            ours: vec![
                side(180.0, [6.0, 40.0]),
                side(140.0, [6.0, 20.0]),
                side(100.0, [6.0, 30.0]),
            ],
        }
    }

    fn find(figures: &[Figure], measure: Measure) -> &Figure {
        let mut figures = figures.iter();
        let found = figures.find(|figure| figure.measure == measure);
        found.expect("a figure")
    }

    #[test]
    fn a_ratio_is_of_two_figures_of_one_comparison() {
        let figures = comparisons().figures(1_000);
        let rate = find(&figures, Measure::CreateRate);
        let ratios = rate.ratios.expect("ratios");
        assert_eq!((ratios.range.least, ratios.median), (0.5, 0.9));
        assert_eq!((ratios.range.greatest, rate.met), (1.4, Some(true)));
    }

    #[test]
    fn the_99th_percentile_is_compared_with_the_bare_clients_median() {
        let figures = comparisons().figures(1_000);
        let slow = find(&figures, Measure::RotationP99);
        let ratios = slow.ratios.expect("ratios");
        assert_eq!((ratios.range.least, ratios.range.greatest), (4.0, 10.0));
        assert_eq!((slow.ours, slow.bare), (30.0, Some(5.0)));
        let usual = find(&figures, Measure::RotationMedian);
        assert_eq!((usual.ratio(), usual.met), (Some(1.2), Some(true)));
    }

    #[test]
    fn one_lost_event_of_one_burst_is_one_too_many() {
        let mut comparisons = comparisons();
        let lost = |comparisons: &Comparisons| {
            let figures = comparisons.figures(1_000);
            let lost = find(&figures, Measure::LostEvents);
            (lost.ours, lost.met)
        };
        assert_eq!(lost(&comparisons), (0.0, Some(true)));
        comparisons.ours[1].lost(1.0);
        comparisons.ours[1].lost(0.0);
        assert_eq!(lost(&comparisons), (1.0, Some(false)));
    }

    #[test]
    fn a_mode_without_a_ratio_needs_no_bare_client() {
        use clap::Parser;
        let needs = |mode: &str, size| {
            let words = ["bench", "--sizes", "100,1000", "--mode", mode];
            let args = Args::try_parse_from(words).expect("a command line");
            is_compared(&args.settled(), size)
        };
        assert!(needs("rotation", 100) && needs("memory,create", 100));
        assert!(!needs("memory,outage,churn", 1_000));
        assert!(needs("fairness", 1_000) && !needs("fairness", 100));
    }

    #[test]
    fn what_was_not_measured_has_no_figure() {
        let figures = comparisons().figures(1_000);
        let measures: Vec<Measure> = figures.iter().map(|figure| figure.measure).collect();
        assert_eq!(
            measures,
            [
                Measure::CreateRate,
                Measure::RotationMedian,
                Measure::RotationP99,
                Measure::LongestCreateWait,
                Measure::LostEvents,
            ]
        );
        let alone = Comparisons {
            bare: Vec::new(),
            ours: vec![Side::default()],
        };
        assert!(alone.figures(1_000).is_empty());
    }
}
