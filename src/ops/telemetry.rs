//! Logs on standard error, with a cap on libraries that log what they send or receive; and spans for a collector, if
//! one is configured.

mod collector;
#[cfg(feature = "otlp")]
mod otlp;
#[cfg(not(feature = "otlp"))]
#[path = "telemetry/no_otlp.rs"]
mod otlp;

use clap::ValueEnum;
use tracing_subscriber::{
    Layer, Registry,
    filter::{FilterExt, LevelFilter, ParseError, Targets},
    layer::SubscriberExt,
    util::{SubscriberInitExt, TryInitError},
};

use tracing::{Span, field::Empty};

pub use collector::Collector;
pub use otlp::{Exporter, ExporterBuildError};

use crate::domain::index::NamespacedName;

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be parsed.
    #[error("--log: not a filter; use a level such as info, or target=level, separated by commas")]
    Filter(#[source] ParseError),
    /// The exporter of spans cannot be built.
    #[error("--otlp-endpoint: spans cannot be sent")]
    Exporter(#[from] ExporterBuildError),
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

/// The span of one reconcile. Its log lines carry the identifier of the reconcile, and that of its trace if spans are
/// sent to a collector.
#[must_use]
pub fn run(resource: &NamespacedName) -> Span {
    // Without randomness all reconciles share an identifier, which does no other harm.
    let id = getrandom::u64().unwrap_or_default();
    let span =
        tracing::info_span!("run", id = format_args!("{id:016x}"), %resource, trace_id = Empty);
    otlp::tell_trace(&span);
    span
}

/// Sets logging up, and the export of spans if there is a collector.
///
/// # Errors
/// The filter cannot be parsed, the exporter cannot be built, or logging was set up before.
pub fn init(
    format: LogFormat,
    filter: &str,
    collector: Option<&Collector>,
) -> Result<Option<Exporter>, TelemetryError> {
    let chosen: Targets = filter.parse().map_err(TelemetryError::Filter)?;
    let exporter = collector.map(Exporter::new).transpose()?;
    // Spans of libraries are never sent, regardless of their log level.
    let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), LevelFilter::DEBUG);
    let spans = exporter
        .as_ref()
        .map(|exporter| exporter.layer().with_filter(ours));
    tracing_subscriber::registry()
        .with(lines(format, chosen))
        .with(spans)
        .try_init()
        .map_err(TelemetryError::Twice)?;
    Ok(exporter)
}

/// Sends the remaining spans, if there is an exporter.
pub async fn end(exporter: Option<Exporter>) {
    if let Some(exporter) = exporter {
        exporter.end().await;
    }
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
