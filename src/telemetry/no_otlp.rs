//! What stands in for the exporter in a build that sends nothing: there is never one.

use std::convert::Infallible;

use tracing::Span;
use tracing_subscriber::layer::Identity;

use super::Collector;

/// Nothing is sent.
#[derive(Debug)]
pub struct Exporter(Infallible);

/// What the flag says already.
#[derive(Debug, thiserror::Error)]
#[error("this operator was built without the feature otlp")]
pub struct ExporterBuildError;

impl Exporter {
    pub(super) fn new(_: &Collector) -> Result<Self, ExporterBuildError> {
        Err(ExporterBuildError)
    }

    pub(super) fn layer(&self) -> Identity {
        match self.0 {}
    }

    /// There is nothing to send.
    #[expect(clippy::unused_async, reason = "as the one that sends")]
    pub async fn end(self) {
        match self.0 {}
    }
}

pub(super) fn tell_trace(_: &Span) {}
