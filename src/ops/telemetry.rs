//! Logs on standard error, with a cap on libraries that log what they send or receive.

use clap::ValueEnum;
use tracing::Span;
use tracing_subscriber::{
    Layer, Registry,
    filter::{FilterExt, LevelFilter, ParseError, Targets},
    layer::SubscriberExt,
    util::{SubscriberInitExt, TryInitError},
};

use crate::domain::{decide::Cause, index::NamespacedName};

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be parsed.
    #[error("--log: not a filter; use a level such as info, or target=level, separated by commas")]
    Filter(#[source] ParseError),
    /// Logging was set up before.
    #[error("logging is set up already")]
    Twice(#[source] TryInitError),
}

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Plain text.
    Text,
    /// One JSON object per line.
    Json,
}

/// Libraries that log whole bodies, headers or signed requests at some level. `kube_client` logs the body of a
/// response that it cannot decode at WARN, even that of a Secret.
const CAPPED: [(&str, LevelFilter); 14] = [
    ("kube_client", LevelFilter::ERROR),
    ("kube_runtime", LevelFilter::ERROR),
    ("hyper", LevelFilter::ERROR),
    ("hyper_util", LevelFilter::ERROR),
    ("h2", LevelFilter::ERROR),
    ("rustls", LevelFilter::ERROR),
    ("tower", LevelFilter::ERROR),
    ("aws_config", LevelFilter::ERROR),
    ("aws_runtime", LevelFilter::ERROR),
    ("aws_sdk_sts", LevelFilter::ERROR),
    ("aws_sigv4", LevelFilter::ERROR),
    ("aws_smithy_http_client", LevelFilter::ERROR),
    ("aws_smithy_runtime", LevelFilter::ERROR),
    ("aws_smithy_runtime_api", LevelFilter::ERROR),
];

/// The span of one reconcile, whose identifier its log lines carry.
#[must_use]
pub fn run(resource: &NamespacedName, cause: Option<Cause>) -> Span {
    // Without randomness all reconciles share an identifier, which does no other harm.
    let id = getrandom::u64().unwrap_or_default();
    let cause = cause.map(<&str>::from);
    tracing::info_span!("run", id = format_args!("{id:016x}"), %resource, cause)
}

/// Sets logging up.
///
/// # Errors
/// The filter cannot be parsed, or logging was set up before.
pub fn init(format: LogFormat, filter: &str) -> Result<(), TelemetryError> {
    let chosen: Targets = filter.parse().map_err(TelemetryError::Filter)?;
    tracing_subscriber::registry()
        .with(lines(format, chosen))
        .try_init()
        .map_err(TelemetryError::Twice)
}

/// The cap applies in addition to the user's filter, so that no filter lifts it.
fn lines(format: LogFormat, chosen: Targets) -> impl Layer<Registry> {
    let cap = Targets::new()
        .with_default(LevelFilter::TRACE)
        .with_targets(CAPPED);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .boxed(),
    };
    lines.with_filter(cap.and(chosen))
}
