//! One run: its figures, its conditions, and its file.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::{args::Args, figure::Figure};

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub conditions: Conditions,
    pub figures: Vec<Figure>,
}

/// The conditions of the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Conditions {
    /// The day.
    pub date: String,
    /// The commit of the repository, marked if there are uncommitted changes.
    pub commit: String,
    pub processors: usize,
    /// The version of the API server.
    pub kubernetes: String,
    pub clients: usize,
    pub pairs: usize,
    pub sts_delay_ms: u64,
    /// Comparisons of the operator with the bare client that each ratio is the median of; 0 if ratios are of one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub comparisons: usize,
    /// The 1-minute load average of the machine before the run.
    pub load_before: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Conditions {
    pub fn of(args: &Args) -> Self {
        let processors = std::thread::available_parallelism().map_or(0, usize::from);
        let now = k8s_openapi::jiff::Timestamp::now().to_string();
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            date: now.split('T').next().unwrap_or_default().to_owned(),
            commit: commit().unwrap_or_default(),
            processors,
            kubernetes: String::new(),
            clients: args.clients,
            pairs: args.pairs,
            sts_delay_ms: args.sts_delay,
            comparisons: 0,
            load_before: load.split(' ').next().unwrap_or_default().to_owned(),
        }
    }

    /// The conditions as a sentence.
    pub fn words(&self) -> String {
        let Self {
            date,
            commit,
            processors,
            kubernetes,
            clients,
            pairs,
            sts_delay_ms,
            comparisons,
            load_before,
        } = self;
        let ratios = match comparisons {
            0 => String::new(),
            count => format!(" Ratios are medians of {count} comparisons (least–greatest)."),
        };
        format!(
            "Measured on {date} at commit {commit}: {processors} processors that API server, etcd, \
             operator and clients share (load {load_before} before the run), Kubernetes {kubernetes}, \
             {clients} clients, {pairs} key pairs at each time, STS answers after {sts_delay_ms} ms.{ratios}"
        )
    }
}

/// The commit of this repository, in any working directory.
fn commit() -> Option<String> {
    let described = std::process::Command::new("git")
        .args(["describe", "--always", "--dirty"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .ok()?;
    Some(String::from_utf8(described.stdout).ok()?.trim().to_owned())
}

impl Report {
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is no report", path.display()))
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Measure;

    pub fn report() -> Report {
        Report {
            conditions: Conditions {
                date: "2026-01-02".to_owned(),
                commit: "abcdef0".to_owned(),
                processors: 2,
                kubernetes: "v1.37.2".to_owned(),
                clients: 32,
                pairs: 100,
                sts_delay_ms: 0,
                comparisons: 3,
                load_before: "0.10".to_owned(),
            },
            figures: vec![
                Figure::new(Measure::IdleMemory, 0, 11.5),
                Figure::compared(
                    Measure::CreateRate,
                    2_000,
                    &[(290.0, 350.0), (280.0, 350.0)],
                ),
                Figure::new(Measure::RestartLists, 2_000, 60.0),
            ],
        }
    }

    #[test]
    fn what_is_written_can_be_read_again() {
        let path = std::env::temp_dir().join(format!("report-{}.json", std::process::id()));
        report().write(&path).expect("it is written");
        let read = Report::read(&path);
        std::fs::remove_file(&path).expect("it was there");
        assert_eq!(read.expect("it is read"), report());
    }

    #[test]
    fn others_can_read_it_without_this_program() {
        let json = serde_json::to_value(report()).expect("JSON");
        let create = &json["figures"][1];
        assert_eq!(create["measure"], "create-rate");
        assert_eq!(create["goal"]["ratio-at-least"], 0.9);
        assert_eq!(create["met"], false);
        assert_eq!(create["ratios"]["median"], 0.8);
        assert_eq!(create["ratios"]["least"], 0.8);
        assert_eq!(json["conditions"]["stsDelayMs"], 0);
        assert!(json["figures"][2].get("goal").is_none());
    }

    #[test]
    fn a_file_that_is_none_is_named() {
        let error = Report::read(Path::new("/nowhere/report.json")).expect_err("no file");
        assert!(
            error.to_string().contains("/nowhere/report.json"),
            "{error}"
        );
    }

    #[test]
    fn the_conditions_are_a_sentence() {
        let words = report().conditions.words();
        for part in [
            "2026-01-02",
            "abcdef0",
            "2 processors",
            "v1.37.2",
            "32 clients",
            "0 ms. Ratios are medians of 3 comparisons",
        ] {
            assert!(words.contains(part), "{part}: {words}");
        }
    }

    #[test]
    fn what_is_not_there_is_left_out() {
        let json = serde_json::to_value(report()).expect("JSON");
        let figure = json["figures"][2].as_object().expect("a figure");
        let keys: Vec<&String> = figure.keys().collect();
        assert_eq!(keys, ["measure", "ours", "resources"]);
    }

    #[test]
    fn a_file_of_a_single_comparison_is_read() {
        let mut json = serde_json::to_value(report()).expect("JSON");
        let conditions = json["conditions"].as_object_mut().expect("conditions");
        conditions.remove("comparisons");
        let report: Report = serde_json::from_value(json).expect("a report");
        assert!(report.conditions.words().ends_with("after 0 ms."));
    }

    #[test]
    fn a_measure_that_is_not_known_is_an_error() {
        let mut json = serde_json::to_value(report()).expect("JSON");
        json["figures"][0]["measure"] = "speed-of-light".into();
        assert!(serde_json::from_value::<Report>(json).is_err());
    }

    #[test]
    fn the_conditions_are_those_of_the_command() {
        use clap::Parser;
        let words = [
            "bench",
            "--clients",
            "8",
            "--pairs",
            "7",
            "--sts-delay",
            "20",
        ];
        let conditions = Conditions::of(&Args::try_parse_from(words).expect("a command line"));
        assert_eq!((conditions.clients, conditions.pairs), (8, 7));
        assert_eq!(conditions.sts_delay_ms, 20);
        assert!(conditions.processors > 0 && conditions.date.len() == 10);
    }
}
