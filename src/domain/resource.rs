//! A resource whose strings were parsed once: later code uses these types and need not parse again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use k8s_openapi::jiff::Timestamp;
use kube::{ResourceExt, api::ObjectMeta};

use crate::{
    api::{
        DeletionPolicy, Layout, OnRejected, RootUser, SecretRef, StaticAwsCredentials,
        StaticAwsCredentialsStatus, TargetValue, ValidationLevel,
    },
    domain::{
        arn::ArnPattern,
        class, fingerprint,
        index::{NamespacedName, References},
        layout,
        place::{Place, Store},
        region::Region,
        target::Owner,
        verdict::Finding,
    },
};

mod fields;

pub(crate) use fields::interval;
use fields::{check_class, check_keys, invalid};

/// A resource, parsed.
#[derive(Clone, Debug)]
pub struct ValidatedCredentials {
    /// Namespace and name.
    pub key: NamespacedName,
    /// UID.
    pub uid: String,
    /// Generation of the spec.
    pub generation: i64,
    /// Whether the resource is being deleted.
    pub deleting: bool,
    /// Whether the user suspended the resource.
    pub suspend: bool,
    /// The source.
    pub source: SecretRef,
    /// AWS region, if set.
    pub region: Option<Region>,
    /// The store of the class that the spec names, or why the class cannot be used. Resolved by the caller.
    pub class: Option<Result<Arc<Store>, Finding>>,
    /// How the pair is verified.
    pub checks: Checks,
    /// Name of the target.
    pub target: String,
    /// Layouts of the target.
    pub layouts: Vec<Layout>,
    /// Further keys of the target.
    pub keys: BTreeMap<String, TargetValue>,
    /// For how many seconds SDKs cache the output of a `credential_process`: a setting of the
    /// operator, not of the spec.
    pub credential_process_ttl: u32,
    /// Labels copied from the resource to the target, by a setting of the operator.
    pub copied_labels: BTreeMap<String, String>,
    /// What happens to the target when the resource is deleted.
    pub deletion_policy: DeletionPolicy,
}

/// A resource that cannot be decoded.
#[derive(Clone, Debug, Default)]
pub struct Undecodable {
    /// The decoding error.
    pub error: String,
    /// Metadata of the resource.
    pub metadata: ObjectMeta,
    /// The status, or its decodable part.
    pub status: Option<StaticAwsCredentialsStatus>,
}

/// How a pair is verified.
#[derive(Clone, Debug)]
pub struct Checks {
    /// Level of the verification.
    pub level: ValidationLevel,
    /// The account that the pair must belong to.
    pub account: Option<String>,
    /// The user that the pair must belong to, as an ARN pattern.
    pub arn: Option<ArnPattern>,
    /// Whether the pair may belong to the root user.
    pub root_user: RootUser,
    /// How often a published pair is verified again.
    pub interval: Duration,
    /// What happens after a confirmed rejection by AWS.
    pub on_rejected: OnRejected,
    /// Whether the pair may come from a store other than AWS: STS is not called, and no account ID is set.
    pub any_store: bool,
}

impl ValidatedCredentials {
    /// Parses a resource as the API server stored it.
    ///
    /// # Errors
    /// A field holds a value that the schema would have rejected.
    pub fn parse(object: &StaticAwsCredentials) -> Result<Self, Finding> {
        let spec = &object.spec;
        let region = spec.region.as_deref().map(Region::parse).transpose();
        let region = region.map_err(|error| invalid("spec.region", &error))?;
        let level = spec.validation.level;
        let has_class = spec.class_ref.is_some();
        if level == ValidationLevel::Identity && region.is_none() && !has_class {
            return Err(invalid("spec.region", "it is required at level Identity"));
        }
        check_class(spec)?;
        check_keys(&spec.target.keys, region.is_some() || has_class)?;
        let arn = spec
            .validation
            .arn
            .as_deref()
            .map(ArnPattern::parse)
            .transpose();
        Ok(Self {
            key: key_of(object),
            uid: object.uid().unwrap_or_default(),
            generation: object.metadata.generation.unwrap_or_default(),
            deleting: object.metadata.deletion_timestamp.is_some(),
            suspend: spec.suspend,
            source: spec.secret_ref.clone(),
            region,
            // Unusable until the caller has resolved the class.
            class: spec
                .class_ref
                .as_ref()
                .map(|class| Err(class::not_found(&class.name))),
            checks: Checks {
                level,
                account: spec.validation.account_id.clone(),
                arn: arn.map_err(|error| invalid("spec.validation.arn", &error))?,
                root_user: spec.validation.root_user,
                interval: interval(&spec.validation.interval)?,
                on_rejected: spec.validation.on_rejected,
                any_store: level == ValidationLevel::Format && spec.validation.account_id.is_none(),
            },
            target: target_name(object),
            layouts: spec.target.layouts.clone(),
            keys: spec.target.keys.clone(),
            credential_process_ttl: layout::DEFAULT_TTL,
            copied_labels: BTreeMap::new(),
            deletion_policy: spec.target.deletion_policy,
        })
    }

    /// The owner of the target.
    #[must_use]
    pub fn owner(&self) -> Owner {
        Owner {
            namespace: self.key.namespace.to_string(),
            name: self.key.name.to_string(),
            uid: self.uid.clone(),
            copied_labels: self.copied_labels.clone(),
            deletion_policy: self.deletion_policy,
        }
    }

    /// The layouts and keys to render for the target.
    #[must_use]
    pub fn layout_request(&self) -> layout::Request<'_> {
        layout::Request {
            layouts: &self.layouts,
            keys: &self.keys,
            region: self.layout_region(),
            ttl: self.credential_process_ttl,
        }
    }

    /// The TTL setting of the operator, if the layouts of this target use it.
    #[must_use]
    pub fn rendered_ttl(&self) -> Option<i64> {
        let is_rendered = self.layouts.contains(&Layout::CredentialProcess);
        is_rendered.then(|| self.credential_process_ttl.into())
    }

    /// Digest of the copied labels, for the status.
    #[must_use]
    pub fn labels_digest(&self) -> Option<String> {
        let texts = self
            .copied_labels
            .iter()
            .flat_map(|(key, value)| [key.as_bytes(), value.as_bytes()]);
        (!self.copied_labels.is_empty()).then(|| fingerprint::digest(texts))
    }

    /// Whether AWS or the store of the class is asked at all.
    #[must_use]
    pub fn verifies_online(&self) -> bool {
        self.checks.level == ValidationLevel::Identity
    }

    /// Where the pair is proven; `None` at level Format, and while the class cannot be used.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        if !self.verifies_online() {
            return None;
        }
        match &self.class {
            None => self.region.clone().map(Place::Sts),
            Some(class) => class.as_ref().ok().cloned().map(Place::Store),
        }
    }

    /// The store of the class.
    #[must_use]
    pub fn store(&self) -> Option<&Arc<Store>> {
        self.class.as_ref()?.as_ref().ok()
    }

    /// The region in layouts: that of the spec, or that of the class.
    #[must_use]
    pub fn layout_region(&self) -> Option<&str> {
        let own = self.region.as_ref().map(Region::as_str);
        own.or_else(|| self.store().map(|store| store.region.as_str()))
    }

    /// Whether the access key ID may have another form than those of AWS.
    #[must_use]
    pub fn takes_any_key_id(&self) -> bool {
        match &self.class {
            // The form is not known. The finding about the class comes first.
            Some(Err(_)) => true,
            Some(Ok(store)) => store.any_key_id,
            None => self.checks.any_store,
        }
    }
}

/// The labels of an object that are copied to its target.
#[must_use]
pub fn copied(object: &StaticAwsCredentials, keys: &[String]) -> BTreeMap<String, String> {
    let labels = object.labels();
    let found = keys.iter().filter_map(|key| labels.get_key_value(key));
    found
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// Namespace and name of an object.
#[must_use]
pub fn key_of(object: &StaticAwsCredentials) -> NamespacedName {
    NamespacedName::new(&object.namespace().unwrap_or_default(), &object.name_any())
}

/// Name of the target that the spec asks for.
#[must_use]
pub fn target_name(object: &StaticAwsCredentials) -> String {
    let default = || format!("{}-credentials", object.name_any());
    object.spec.target.name.clone().unwrap_or_else(default)
}

/// The identity of a resource and the Secrets that it references; `status` is the last one written.
#[must_use]
pub fn references(
    object: &StaticAwsCredentials,
    status: Option<&StaticAwsCredentialsStatus>,
) -> References {
    let created = object.metadata.creation_timestamp.as_ref();
    let published = status.and_then(|status| status.published.as_ref());
    References {
        uid: object.uid().unwrap_or_default().into(),
        created: created.map_or(Timestamp::MAX, |time| time.0).as_second(),
        source: object.spec.secret_ref.name.as_str().into(),
        target: target_name(object).into(),
        published: published.map(|published| published.secret_name.as_str().into()),
    }
}
