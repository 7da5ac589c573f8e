//! A class, validated: the store that it describes, and the namespaces whose resources may name it.

use std::{sync::Arc, time::Duration};

use kube::ResourceExt;

use crate::{
    api::{AccessKeyIdFormat, AllowedNamespaces, AwsCredentialsClass, Reason},
    domain::{duration::duration, place::Store, verdict::Finding},
};

/// The longest time that a store may take until it accepts a new pair.
const LONGEST_SETTLING: Duration = Duration::from_mins(10);

/// A class, validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// The store.
    pub store: Arc<Store>,
    allowed: Option<AllowedNamespaces>,
}

impl Class {
    /// Parses a class as the API server stored it.
    ///
    /// # Errors
    /// A field holds a value that the schema would have rejected.
    pub fn parse(object: &AwsCredentialsClass) -> Result<Self, Finding> {
        let (name, spec) = (object.name_any(), &object.spec);
        let settling = duration(&spec.settling)
            .filter(|settling| *settling <= LONGEST_SETTLING)
            .ok_or_else(|| invalid(&name, "spec.settling", "it must lie between 0s and 10m"))?;
        let is_consented = |url: &str| spec.allow_plain_http && url.starts_with("http://");
        let url = spec.endpoint.url.as_str();
        if !url.starts_with("https://") && !is_consented(url) {
            let problem = "it must begin with https://, unless spec.allowPlainHttp is true";
            return Err(invalid(&name, "spec.endpoint.url", problem));
        }
        let store = Store {
            class: name,
            uid: object.uid().unwrap_or_default(),
            generation: object.metadata.generation.unwrap_or_default(),
            url: spec.endpoint.url.clone(),
            region: spec.region.clone(),
            ca_bundle: spec.endpoint.ca_bundle.clone(),
            any_key_id: spec.access_key_id_format == AccessKeyIdFormat::Any,
            settling,
        };
        Ok(Self {
            store: Arc::new(store),
            allowed: spec.allowed_namespaces.clone(),
        })
    }

    /// The store, if resources of the namespace may name the class.
    ///
    /// # Errors
    /// The class does not allow the namespace.
    pub fn for_namespace(&self, namespace: &str) -> Result<Arc<Store>, Finding> {
        let is_allowed = self.allowed.as_ref().is_some_and(|allowed| {
            allowed.names.is_empty() || allowed.names.iter().any(|name| name == namespace)
        });
        if is_allowed {
            return Ok(Arc::clone(&self.store));
        }
        let class = &self.store.class;
        Err(Finding::new(
            Reason::ClassNotAllowed,
            format!(
                "spec.classRef: AwsCredentialsClass \"{class}\" does not allow namespace {namespace}; ask an administrator to add the namespace to its spec.allowedNamespaces"
            ),
        ))
    }
}

/// The finding about a class that does not exist.
#[must_use]
pub fn not_found(name: &str) -> Finding {
    Finding::new(
        Reason::ClassNotFound,
        format!(
            "spec.classRef: AwsCredentialsClass \"{name}\" does not exist; create it, or name the right one"
        ),
    )
}

/// The finding about classes that the operator cannot list.
#[must_use]
pub fn not_listed(name: &str) -> Finding {
    Finding::new(
        Reason::ClassNotFound,
        format!(
            "spec.classRef: the operator cannot list AwsCredentialsClasses, and so does not know \"{name}\"; install the definition of AwsCredentialsClass, and let the operator list them"
        ),
    )
}

/// The finding about a class with a field that this version does not know.
#[must_use]
pub fn undecodable(name: &str, error: &str) -> Finding {
    Finding::new(
        Reason::ClassInvalid,
        format!(
            "AwsCredentialsClass \"{name}\" cannot be decoded by this version of the operator: {error}"
        ),
    )
}

/// The finding about a field of a class.
#[must_use]
pub fn invalid(name: &str, field: &str, problem: &str) -> Finding {
    Finding::new(
        Reason::ClassInvalid,
        format!("AwsCredentialsClass \"{name}\": {field}: {problem}"),
    )
}

#[cfg(test)]
mod tests;
