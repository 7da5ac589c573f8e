//! The flag for the address that spans are sent to.

use std::{fmt, str::FromStr};

use axum::http::Uri;

use crate::sts::has_sound_port;

/// The address that spans are sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector(Uri);

/// Why the flag is rejected.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NoCollector {
    /// It is not the address of a collector.
    #[error(
        "must be the address of a collector, as in http://collector.monitoring:4318; of https there is none, so \
         let a collector on the way encrypt what leaves the cluster"
    )]
    Malformed,
    /// This build sends no spans.
    #[error(
        "this operator was built without the feature otlp, and sends no spans; leave the flag out, or build it with --features otlp"
    )]
    NotBuilt,
}

impl FromStr for Collector {
    type Err = NoCollector;

    fn from_str(text: &str) -> Result<Self, NoCollector> {
        if !cfg!(feature = "otlp") {
            return Err(NoCollector::NotBuilt);
        }
        let uri: Uri = text.parse().map_err(|_| NoCollector::Malformed)?;
        let plain = uri.scheme_str() == Some("http");
        let host = uri.host().is_some_and(|host| !host.is_empty());
        let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let address = uri
            .authority()
            .is_some_and(|all| !all.as_str().contains('@') && has_sound_port(all));
        if plain && host && bare && address {
            Ok(Self(uri))
        } else {
            Err(NoCollector::Malformed)
        }
    }
}

impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_string().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests;
