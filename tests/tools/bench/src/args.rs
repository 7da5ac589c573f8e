//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Measures the operator on a real control plane, against a bare client that sends the requests of a perfect
/// reconcile to the same API server in the same run.
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo bench-cluster", bin_name = "cargo bench-cluster")]
pub struct Args {
    /// Number of resources; each size has a cluster of its own
    #[arg(
        long,
        value_name = "N,…",
        value_delimiter = ',',
        default_value = "2000"
    )]
    pub sizes: Vec<usize>,

    /// What to measure; by default everything but large
    #[arg(long, value_name = "MODE,…", value_delimiter = ',')]
    pub mode: Vec<Mode>,

    /// Number of concurrent clients, for the bare client and for the load on the operator
    #[arg(long, value_name = "N", default_value = "32")]
    pub clients: usize,

    /// Number of key pairs that the resources share
    #[arg(long, value_name = "N", default_value = "100")]
    pub pairs: usize,

    /// Time until STS answers, in milliseconds
    #[arg(long, value_name = "MS", default_value = "0")]
    pub sts_delay: u64,

    /// Number of rotations in the sequential mode, split over the comparisons
    #[arg(long, value_name = "N", default_value = "600")]
    pub turns: usize,

    /// Number of resources in the mode large
    #[arg(long, value_name = "N", default_value = "50000")]
    pub large: usize,

    /// Measure this binary of the operator instead of building one
    #[arg(long, value_name = "PATH")]
    pub operator: Option<PathBuf>,

    /// Also build the image and measure its size
    #[arg(long)]
    pub image: bool,

    /// Write the figures as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Draw memory and time against the number of resources, as SVG
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,

    /// Measure everything at 100, 1,000, 2,000 and 10,000 resources, and the mode large, and rewrite docs/performance.*
    #[arg(long, conflicts_with_all = ["sizes", "mode", "large", "json", "plot"])]
    pub document: bool,

    /// Read the figures from this JSON instead of measuring
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
}

/// One kind of measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Mode {
    /// Memory without a resource; CPU and requests when nothing changes
    Idle,
    /// All resources are created at once
    Create,
    /// All sources are rotated at once
    Rotation,
    /// Sources are rotated one at a time
    Sequential,
    /// How much the burst of one namespace slows down another
    Fairness,
    /// Time until ready after a restart, and the requests for it
    Restart,
    /// STS is unavailable for a minute while all sources are rotated: time from its return until all are ready
    Outage,
    /// Unrelated Secrets change 500 times a second
    Churn,
    /// Memory when settled, at the peak of a start, and with large Secrets
    Memory,
    /// A start with 50,000 resources and 100,000 Secrets, in a cluster of its own
    Large,
}

impl Args {
    /// Applies what `--document` implies, and sorts the sizes.
    #[must_use]
    pub fn settled(mut self) -> Self {
        if self.document {
            self.sizes = vec![100, 1_000, 2_000, 10_000];
            self.image = true;
        }
        // This mode has a size of its own.
        if !self.mode.is_empty() && self.mode.iter().all(|mode| *mode == Mode::Large) {
            self.sizes.clear();
        }
        self.sizes.sort_unstable();
        self.sizes.dedup();
        self
    }

    pub fn measures(&self, mode: Mode) -> bool {
        match mode {
            Mode::Large => self.document || self.mode.contains(&mode),
            _ => self.mode.is_empty() || self.mode.contains(&mode),
        }
    }

    /// Whether a mode that takes long and matters most at the largest size is measured at this size.
    pub fn measures_last(&self, mode: Mode, size: usize) -> bool {
        self.measures(mode) && self.sizes.last() == Some(&size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Args {
        let words = ["bench"].iter().chain(words);
        Args::try_parse_from(words)
            .expect("a command line")
            .settled()
    }

    #[test]
    fn without_a_mode_everything_but_the_large_cluster_is_measured() {
        let args = parsed(&[]);
        assert_eq!(args.sizes, [2_000]);
        for mode in Mode::value_variants() {
            assert_eq!(args.measures(*mode), *mode != Mode::Large, "{mode:?}");
        }
    }

    #[test]
    fn the_large_cluster_alone_needs_no_other() {
        let args = parsed(&["--mode", "large"]);
        assert!(args.measures(Mode::Large) && args.sizes.is_empty());
        assert_eq!(args.large, 50_000);
        assert_eq!(parsed(&["--mode", "large,idle"]).sizes, [2_000]);
    }

    #[test]
    fn with_modes_nothing_else_is() {
        let args = parsed(&["--mode", "create,idle"]);
        assert!(args.measures(Mode::Create) && args.measures(Mode::Idle));
        assert!(!args.measures(Mode::Memory));
    }

    #[test]
    fn sizes_grow_and_the_last_is_the_largest() {
        let args = parsed(&["--sizes", "1000,100,1000"]);
        assert_eq!(args.sizes, [100, 1_000]);
        assert!(args.measures_last(Mode::Memory, 1_000));
        assert!(!args.measures_last(Mode::Memory, 100));
    }

    #[test]
    fn the_documentation_is_measured_whole() {
        let args = parsed(&["--document"]);
        assert_eq!(args.sizes, [100, 1_000, 2_000, 10_000]);
        assert!(args.image && args.measures(Mode::Fairness) && args.measures(Mode::Large));
        assert!(Args::try_parse_from(["bench", "--document", "--sizes", "5"]).is_err());
    }
}
