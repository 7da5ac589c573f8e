//! The two texts in which metrics are told: `OpenMetrics`, which Prometheus asks for, and the older one
//! that every other program reads, `promtool check metrics` among them.

use std::collections::BTreeSet;

/// One of the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `OpenMetrics` 1.0.
    Open,
    /// Prometheus's own, 0.0.4.
    Plain,
}

impl Format {
    /// The text that a client asks for by its `Accept` header.
    #[must_use]
    pub fn accepted(accept: Option<&str>) -> Self {
        let open = accept.is_some_and(|accept| accept.contains("application/openmetrics-text"));
        if open { Self::Open } else { Self::Plain }
    }

    /// What the `Content-Type` header says of it.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Open => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Plain => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// What stands at the end.
    #[must_use]
    pub fn end(self) -> &'static str {
        match self {
            Self::Open => "# EOF\n",
            Self::Plain => "",
        }
    }

    /// Families in `OpenMetrics` in this text. A counter is described there without its suffix.
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
