//! The flag that says where spans are sent.

use std::{fmt, str::FromStr};

use axum::http::Uri;

use crate::sts::has_sound_port;

/// Where spans are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector(Uri);

/// What is no address of a collector, or of no use.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NoCollector {
    /// It is none.
    #[error(
        "must be the address of a collector, as in http://collector.monitoring:4318; of https there is none, so \
         let a collector on the way encrypt what leaves the cluster"
    )]
    Malformed,
    /// This build sends nothing.
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
