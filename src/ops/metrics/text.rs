//! The two formats of metrics: `OpenMetrics`, which Prometheus asks for, and the older text format for scrapers that
//! ask for `text/plain`, as Telegraf, Elastic's Metricbeat and New Relic's nri-prometheus do by default.
//! nri-prometheus and `promtool check metrics` parse the older format alone: a counter in `OpenMetrics` would have no
//! type there.

use std::collections::BTreeSet;

/// One of the formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `OpenMetrics` 1.0.
    Open,
    /// The older format of Prometheus, 0.0.4.
    Plain,
}

impl Format {
    /// The format that a client asks for by its `Accept` header.
    #[must_use]
    pub fn accepted(accept: Option<&str>) -> Self {
        let open = accept.is_some_and(|accept| accept.contains("application/openmetrics-text"));
        if open { Self::Open } else { Self::Plain }
    }

    /// The value of the `Content-Type` header.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Open => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Plain => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// The end of the text.
    #[must_use]
    pub fn end(self) -> &'static str {
        match self {
            Self::Open => "# EOF\n",
            Self::Plain => "",
        }
    }

    /// Converts families from `OpenMetrics`, which describes a counter without its suffix `_total`, to this format.
    #[must_use]
    pub fn of(self, open: String) -> String {
        if self == Self::Open {
            return open;
        }
        let described = |line: &str| {
            line.strip_prefix("# TYPE ")?
                .strip_suffix(" counter")
                .map(str::to_owned)
        };
        let counters: BTreeSet<String> = open.lines().filter_map(described).collect();
        let mut plain = String::with_capacity(open.len());
        for line in open.lines() {
            let mut words = line.splitn(4, ' ');
            let head = (words.next(), words.next(), words.next(), words.next());
            match head {
                (Some("#"), Some(word), Some(name), Some(rest)) if counters.contains(name) => {
                    for part in ["# ", word, " ", name, "_total ", rest] {
                        plain.push_str(part);
                    }
                }
                _ => plain.push_str(line),
            }
            plain.push('\n');
        }
        plain
    }
}
