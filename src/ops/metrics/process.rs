//! The process as the kernel reports it, under the names that all exporters use.

use std::{fmt, fs};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};
use rustix::param::{clock_ticks_per_second, page_size};

/// This process. Figures that the kernel does not report are left out.
#[derive(Debug)]
pub struct Process {
    started: Option<f64>,
}

/// Fields of `/proc/self/stat`, in ticks, bytes and pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    busy: u64,
    started: u64,
    addressed: u64,
    resident: u64,
}

impl Process {
    /// The current process.
    #[must_use]
    pub fn this() -> Self {
        let boot = fs::read_to_string("/proc/stat").ok();
        let boot = boot.as_deref().and_then(boot_time);
        let started = stat().map(|stat| seconds(stat.started));
        Self {
            started: boot.zip(started).map(|(boot, started)| boot + started),
        }
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let stat = stat();
        if let Some(stat) = stat {
            let (name, help) = ("process_cpu_seconds", "CPU time of the process in seconds.");
            let family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(seconds(stat.busy)).encode(family)?;
        }
        let pages = u64::try_from(page_size()).unwrap_or_default();
        let bytes = |stat: Stat| number(stat.resident.saturating_mul(pages));
        let gauges = [
            (
                "process_resident_memory_bytes",
                "Resident memory in bytes.",
                stat.map(bytes),
            ),
            (
                "process_virtual_memory_bytes",
                "Virtual memory in bytes.",
                stat.map(|stat| number(stat.addressed)),
            ),
            (
                "process_start_time_seconds",
                "Start time of the process, in seconds since 1970.",
                self.started,
            ),
            (
                "process_open_fds",
                "Number of open file descriptors.",
                open_files(),
            ),
            (
                "process_max_fds",
                "Maximum number of open file descriptors.",
                most_files(),
            ),
        ];
        for (name, help, value) in gauges {
            if let Some(value) = value {
                let family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
                ConstGauge::new(value).encode(family)?;
            }
        }
        Ok(())
    }
}

fn stat() -> Option<Stat> {
    fs::read_to_string("/proc/self/stat")
        .ok()
        .as_deref()
        .and_then(parse)
}

/// The second field is the program's name in parentheses, which may hold any character.
fn parse(text: &str) -> Option<Stat> {
    let (_, fields) = text.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some(Stat {
        busy: field(14)?.saturating_add(field(15)?),
        started: field(22)?,
        addressed: field(23)?,
        resident: field(24)?,
    })
}

fn boot_time(text: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.trim().parse().ok()
}

fn open_files() -> Option<f64> {
    let open = fs::read_dir("/proc/self/fd").ok()?.count();
    // One of them is the descriptor by which the directory is read.
    u64::try_from(open)
        .ok()
        .map(|open| number(open.saturating_sub(1)))
}

fn most_files() -> Option<f64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

fn seconds(ticks: u64) -> f64 {
    number(ticks) / number(clock_ticks_per_second())
}

/// Prometheus has floating-point numbers only.
#[allow(clippy::cast_precision_loss, reason = "nothing here has 53 bits")]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_program_may_hold_anything() {
        let numbers: Vec<String> = (4..=52).map(|number| number.to_string()).collect();
        let text = format!("7 (a) S 1 (b) S {}\n", numbers.join(" "));
        let expected = Stat {
            busy: 14 + 15,
            started: 22,
            addressed: 23,
            resident: 24,
        };
        assert_eq!(parse(&text), Some(expected));
        assert_eq!(parse("7 (a) S 1 2"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn the_system_booted_at_some_time() {
        assert_eq!(boot_time("cpu 1 2\nbtime 1700000000\n"), Some(1.7e9));
        assert_eq!(boot_time("cpu 1 2\n"), None);
    }
}
