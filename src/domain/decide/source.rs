//! Reads the source and finds what is wrong with the Secret itself, before its pair is checked.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;

use crate::{
    api::Reason,
    domain::{
        fingerprint::{Fingerprint, FingerprintKey},
        format,
        index::SecretVersion,
        pair::{KeyPair, SecretBytes},
        resource::ValidatedCredentials,
        target,
        verdict::Finding,
    },
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

type Check = fn(&Secret, &str) -> Option<Finding>;

/// Checks of the Secret that must pass before a pair is read from it. The first violation is reported.
const VIOLATIONS: [Check; 2] = [source_is_target, source_type_forbidden];

/// Extracts the pair from the source.
#[must_use]
pub fn examine(
    secret: Secret,
    seen: SecretVersion,
    resource: &ValidatedCredentials,
    key: &FingerprintKey,
) -> FoundSource {
    let name = resource.source.name.as_str();
    let violation = VIOLATIONS.iter().find_map(|check| check(&secret, name));
    let pair = match violation {
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
    let names = format::Names {
        secret: &source.name,
        access_key_id_key: &source.access_key_id_key,
        secret_access_key_key: &source.secret_access_key_key,
        any_store: resource.checks.any_store,
    };
    // Every value is converted, also those that the spec does not name, so that all of them are wiped.
    let mut data: std::collections::BTreeMap<String, SecretBytes> = secret
        .data
        .unwrap_or_default()
        .into_iter()
        .map(|(name, bytes)| (name, SecretBytes::new(bytes.0)))
        .collect();
    let id = data.remove(&source.access_key_id_key);
    let secret_key = data.remove(&source.secret_access_key_key);
    let checked = format::check(&names, id, secret_key)?;
    Ok(SourcePair {
        fingerprint: key.of(&checked.pair, &[]),
        pair: Arc::new(checked.pair),
        notes: checked.notes,
    })
}

/// A Secret counts as a target by its controller reference or its label, not because a spec names it:
/// otherwise any user could block a source by naming it as a target.
fn source_is_target(secret: &Secret, name: &str) -> Option<Finding> {
    let metadata = &secret.metadata;
    let known_by = if target::our_controller(metadata).is_some() {
        "its owner reference"
    } else if target::uid_label(metadata).is_some() {
        "its label awscredentials.dev/uid"
    } else {
        return None;
    };
    let message = format!(
        "spec.secretRef: Secret \"{name}\" is the target of a StaticAwsCredentials, by {known_by}; name the Secret that a person or pipeline fills, or, if this one is a copy of a target, take that off the copy"
    );
    Some(Finding::new(Reason::SourceIsTarget, message))
}

fn source_type_forbidden(secret: &Secret, name: &str) -> Option<Finding> {
    const FORBIDDEN: [&str; 3] = [
        "kubernetes.io/service-account-token",
        "bootstrap.kubernetes.io/token",
        "helm.sh/release.v1",
    ];
    let kind = secret.type_.as_deref().unwrap_or("Opaque");
    FORBIDDEN.contains(&kind).then(|| {
        let message =
            format!("spec.secretRef: Secret \"{name}\" is of type {kind}, which never holds a key pair; use an Opaque Secret");
        Finding::new(Reason::SourceTypeForbidden, message)
    })
}
