//! The stand-in for the exporter in a build that sends no spans: no value of it ever exists.

use std::convert::Infallible;

use tracing::Span;
use tracing_subscriber::layer::Identity;

use super::Collector;

/// An exporter that cannot exist.
#[derive(Debug)]
pub struct Exporter(Infallible);

/// Never returned in practice: parsing the flag fails first.
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

    /// Cannot be called, since no exporter exists.
    #[expect(clippy::unused_async, reason = "as the one that sends")]
    pub async fn end(self) {
        match self.0 {}
    }
}

pub(super) fn tell_trace(_: &Span) {}
