//! Figures of a process from the kernel.

use std::{fs, time::Duration};

use anyhow::{Context, Result};

const REST: Duration = Duration::from_millis(500);
/// CPU time per `REST` below which a process counts as idle: less than for 10 events a second.
const AT_REST: Duration = Duration::from_millis(1);
const PATIENCE: u32 = 600;

/// A process, by its id.
#[derive(Clone, Copy, Debug)]
pub struct Process(pub u32);

impl Process {
    /// The resident memory, in MiB.
    pub fn resident(self) -> Result<f64> {
        self.status("VmRSS:")
    }

    /// The maximum of the resident memory since the start, in MiB.
    pub fn peak(self) -> Result<f64> {
        self.status("VmHWM:")
    }

    /// The CPU time of all threads, from `schedstat`: one tick of `stat` is as much as an idle
    /// process uses in seconds.
    pub fn cpu(self) -> Result<Duration> {
        self.threads(|_| true)
    }

    /// The same without the threads of this name.
    pub fn cpu_without(self, name: &str) -> Result<Duration> {
        self.threads(|thread| thread != name)
    }

    fn threads(self, counts: impl Fn(&str) -> bool) -> Result<Duration> {
        let mut sum = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.0))? {
            let thread = thread?.path();
            let read = |file| fs::read_to_string(thread.join(file));
            // A thread may end while the others are read.
            let (Ok(name), Ok(text)) = (read("comm"), read("schedstat")) else {
                continue;
            };
            if !counts(name.trim_end()) {
                continue;
            }
            sum += on_processor(&text).context("a schedstat without a number")?;
        }
        Ok(Duration::from_nanos(sum))
    }

    /// Waits until the process is idle.
    pub async fn until_at_rest(self) -> Result<()> {
        let (mut before, mut idle_rounds) = (self.cpu()?, 0);
        for _ in 0..PATIENCE {
            tokio::time::sleep(REST).await;
            let now = self.cpu()?;
            idle_rounds = if now.saturating_sub(before) < AT_REST {
                idle_rounds + 1
            } else {
                0
            };
            if idle_rounds >= 4 {
                return Ok(());
            }
            before = now;
        }
        anyhow::bail!("the operator does not come to rest")
    }

    fn status(self, name: &str) -> Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.0))?;
        let kib = field(&text, name).with_context(|| format!("no {name}"))?;
        Ok(kib / 1024.0)
    }
}

/// Thousandths of a CPU.
pub fn milli_cpu(used: Duration, span: Duration) -> f64 {
    used.as_secs_f64() / span.as_secs_f64() * 1e3
}

fn field(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

fn on_processor(schedstat: &str) -> Option<u64> {
    schedstat.split(' ').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let status = "Name:\tx\nVmPeak:\t    3060 kB\nVmHWM:\t    1784 kB\nVmRSS:\t     512 kB\n";
        assert_eq!(field(status, "VmRSS:"), Some(512.0));
        assert_eq!(field(status, "VmHWM:"), Some(1784.0));
        assert_eq!(field(status, "VmSwap:"), None);
    }

    #[test]
    fn the_first_of_three_numbers_is_the_time_on_a_processor() {
        assert_eq!(on_processor("2057005 81 12\n"), Some(2_057_005));
        assert_eq!(on_processor(""), None);
    }

    #[test]
    fn two_milliseconds_a_second_are_two_thousandths() {
        let used = Duration::from_millis(20);
        assert!((milli_cpu(used, Duration::from_secs(10)) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn this_process_has_memory_and_uses_processors() {
        let me = Process(std::process::id());
        assert!(me.resident().expect("memory") > 0.5);
        assert!(me.peak().expect("a peak") >= me.resident().expect("memory") - 0.5);
        assert!(me.cpu().expect("time") > Duration::ZERO);
    }

    #[test]
    fn threads_are_told_apart_by_name() {
        let (done, wait) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let work = move || {
            let sum = (0..2_000_000_u64).fold(0, |sum, number| std::hint::black_box(sum ^ number));
            done.send(sum).expect("somebody waits");
            let _ = ended.recv();
        };
        let named = std::thread::Builder::new().name("counted".to_owned());
        let busy = named.spawn(work).expect("a thread");
        wait.recv().expect("it has worked");
        let me = Process(std::process::id());
        let of = |name: &str| me.threads(|thread| thread == name).expect("time");
        assert!(of("counted") > Duration::ZERO);
        assert_eq!(of("another"), Duration::ZERO);
        drop(end);
        busy.join().expect("it ends");
    }
}
