//! The source as it was read: its pair, or why there is none.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;

use super::checks;
use crate::domain::{
    credentials_file,
    fingerprint::{Fingerprint, FingerprintKey},
    format,
    index::{Observed, SecretVersion},
    layout::{self, Rendered},
    pair::{KeyPair, SecretBytes},
    resource::ValidatedCredentials,
    verdict::Finding,
};

/// The source as it was read.
#[derive(Debug)]
pub enum Source {
    /// The Secret does not exist.
    Absent,
    /// The Secret exists.
    Found(FoundSource),
}

/// A source that exists.
#[derive(Debug)]
pub struct FoundSource {
    /// Metadata, as the index keeps it.
    pub seen: SecretVersion,
    /// The pair, or why there is none.
    pub pair: Result<SourcePair, Finding>,
}

/// A well-formed pair.
#[derive(Clone, Debug)]
pub struct SourcePair {
    /// The pair.
    pub pair: Arc<KeyPair>,
    /// The fingerprint by which this process recognizes the pair.
    pub fingerprint: Fingerprint,
    /// What is unusual about the pair.
    pub notes: Vec<String>,
    /// The data of a target with the pair, or the layout that cannot carry the pair. Rendered once, since a reconcile
    /// decides several times.
    pub data: Result<Arc<Rendered>, Finding>,
}

impl Source {
    /// What the read observed under the Secret's name.
    #[must_use]
    pub fn observed(&self) -> Observed {
        match self {
            Self::Absent => Observed::NotFound,
            Self::Found(found) => Observed::Found(found.seen.clone()),
        }
    }

    /// The pair, if the source exists and holds a well-formed one.
    #[must_use]
    pub fn pair(&self) -> Option<&SourcePair> {
        match self {
            Self::Found(found) => found.pair.as_ref().ok(),
            Self::Absent => None,
        }
    }
}

impl SourcePair {
    /// Appends what is unusual about the pair to a finding about the pair.
    pub(super) fn note(&self, finding: &mut Finding) {
        for note in &self.notes {
            finding.message.push_str("; ");
            finding.message.push_str(note);
        }
    }
}

/// Extracts the pair from the source.
#[must_use]
pub fn examine(
    secret: Secret,
    seen: SecretVersion,
    resource: &ValidatedCredentials,
    key: &FingerprintKey,
) -> FoundSource {
    let name = resource.source.name.as_str();
    let pair = match checks::of_secret(&secret, name) {
        Some(finding) => Err(finding),
        None => well_formed(secret, resource, key),
    };
    FoundSource { seen, pair }
}

fn well_formed(
    secret: Secret,
    resource: &ValidatedCredentials,
    key: &FingerprintKey,
) -> Result<SourcePair, Finding> {
    let source = &resource.source;
    let file = source.credentials_file.as_ref();
    let names = format::Names {
        secret: &source.name,
        file,
        access_key_id_key: file.map_or(source.access_key_id_key.as_str(), |_| {
            credentials_file::ACCESS_KEY_ID
        }),
        secret_access_key_key: file.map_or(source.secret_access_key_key.as_str(), |_| {
            credentials_file::SECRET_ACCESS_KEY
        }),
        any_store: resource.takes_any_key_id(),
    };
    // Every value is converted, also those that the spec does not name, so that all of them are wiped.
    let mut data: std::collections::BTreeMap<String, SecretBytes> = secret
        .data
        .unwrap_or_default()
        .into_iter()
        .map(|(name, bytes)| (name, SecretBytes::new(bytes.0)))
        .collect();
    let values = match file {
        None => credentials_file::Values {
            access_key_id: data.remove(&source.access_key_id_key),
            secret_access_key: data.remove(&source.secret_access_key_key),
        },
        Some(file) => credentials_file::read(data.remove(&file.key), file, &source.name)?,
    };
    let checked = format::check(&names, values.access_key_id, values.secret_access_key)?;
    Ok(SourcePair {
        data: layout::render(&resource.layout_request(), &checked.pair).map(Arc::new),
        fingerprint: key.of(&checked.pair, &[]),
        pair: Arc::new(checked.pair),
        // A class says that its store issues pairs of another form than AWS.
        notes: if resource.store().is_some_and(|store| store.any_key_id) {
            Vec::new()
        } else {
            checked.notes
        },
    })
}
