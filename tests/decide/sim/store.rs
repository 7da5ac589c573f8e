//! The API server: objects with UIDs, versions, preconditions, field managers, and a watch.

use std::{collections::BTreeMap, rc::Rc};

use k8s_openapi::{
    ByteString,
    api::core::v1::Secret,
    apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry, Time},
    jiff::Timestamp,
};
use kube::ResourceExt;
use serde_json::{Value, json};
use static_aws_credentials::{
    api::{StaticAwsCredentials, StaticAwsCredentialsStatus},
    domain::{
        index::SecretVersion,
        target::{self, FIELD_MANAGER},
    },
};

/// The namespace of all objects.
pub const NAMESPACE: &str = "team";
const SOMEBODY: &str = "somebody";
/// 10 digits, so that a version differs from any other number in a text.
pub const FIRST_VERSION: u64 = 1_000_000_000;

/// An event of a watch.
#[derive(Debug)]
pub enum Event {
    Secret(String, SecretVersion),
    SecretGone(String, u64),
    Resource(Box<StaticAwsCredentials>),
    ResourceGone(Box<StaticAwsCredentials>),
}

impl Event {
    /// Whether the event is of the watch of Secrets.
    pub fn is_of_a_secret(&self) -> bool {
        matches!(self, Self::Secret(..) | Self::SecretGone(..))
    }
}

/// The object is not in the state that the writer expects.
#[derive(Debug)]
pub struct Conflict;

/// The objects.
#[derive(Clone, Debug, Default)]
pub struct Store {
    pub secrets: BTreeMap<String, Secret>,
    pub resources: BTreeMap<String, StaticAwsCredentials>,
    /// All events of watches, from the beginning. Each process reads them at its own pace.
    pub events: Vec<Rc<Event>>,
    /// Secrets that an admission policy protects from deletion.
    pub protected: std::collections::BTreeSet<String>,
    version: u64,
    uids: u64,
}

impl Store {
    /// The present state of a Secret.
    pub fn secret(&self, name: &str) -> Option<&Secret> {
        self.secrets.get(name)
    }

    /// Creates a Secret, unless the name exists.
    pub fn create(&mut self, mut secret: Secret, manager: &str) -> Result<SecretVersion, Conflict> {
        if self.secrets.contains_key(&secret.name_any()) {
            return Err(Conflict);
        }
        secret.metadata.uid = Some(self.uid());
        Ok(self.put(secret, manager))
    }

    /// The operator's write over a known version.
    pub fn replace(&mut self, mut secret: Secret) -> Result<SecretVersion, Conflict> {
        let current = self.secrets.get(&secret.name_any()).ok_or(Conflict)?;
        let same = current.metadata.uid == secret.metadata.uid
            && current.metadata.resource_version == secret.metadata.resource_version;
        // The metadata of an immutable Secret can be changed.
        let frozen = current.immutable == Some(true) && content(current) != content(&secret);
        if !same || frozen {
            return Err(Conflict);
        }
        secret
            .metadata
            .managed_fields
            .clone_from(&current.metadata.managed_fields);
        secret
            .metadata
            .deletion_timestamp
            .clone_from(&current.metadata.deletion_timestamp);
        if secret == *current {
            return SecretVersion::of(&current.metadata).ok_or(Conflict);
        }
        Ok(self.put(secret, FIELD_MANAGER))
    }

    /// Another user's edit of a Secret, or its creation.
    pub fn edit(&mut self, name: &str, change: impl FnOnce(&mut Secret)) {
        let before = self.secrets.get(name).cloned();
        let mut secret = before.clone().unwrap_or_else(|| {
            let mut secret = super::secret(name, BTreeMap::new());
            secret.metadata.uid = Some(self.uid());
            secret
        });
        change(&mut secret);
        if before.as_ref() != Some(&secret) {
            self.put(secret, SOMEBODY);
        }
    }

    /// Deletes a Secret, or leaves it to its finalizers.
    pub fn delete(&mut self, name: &str, expected: Option<&SecretVersion>) -> Result<(), Conflict> {
        let current = self.secrets.get(name).ok_or(Conflict)?;
        let seen = SecretVersion::of(&current.metadata);
        if expected.is_some_and(|expected| seen.as_ref() != Some(expected)) {
            return Err(Conflict);
        }
        if current.finalizers().is_empty() {
            self.secrets.remove(name);
            let version = self.version();
            self.tell(Event::SecretGone(name.to_owned(), version));
        } else {
            let mut secret = current.clone();
            secret.metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
            self.put(secret, SOMEBODY);
        }
        Ok(())
    }

    /// Creates a resource or changes its spec.
    pub fn apply(&mut self, mut resource: StaticAwsCredentials) {
        let name = resource.name_any();
        let metadata = match self.resources.get(&name) {
            Some(before) if before.spec == resource.spec => return,
            Some(before) => {
                resource.status.clone_from(&before.status);
                let mut metadata = before.metadata.clone();
                metadata.generation = metadata.generation.map(|generation| generation + 1);
                metadata
            }
            None => {
                resource.status = Some(never_observed());
                let mut metadata = resource.metadata.clone();
                metadata.namespace = Some(NAMESPACE.to_owned());
                metadata.uid = Some(self.uid());
                metadata.generation = Some(1);
                let created = Timestamp::from_second(i64::try_from(self.uids).unwrap_or(0));
                metadata.creation_timestamp = created.ok().map(Time);
                metadata
            }
        };
        resource.metadata = metadata;
        self.put_resource(resource);
    }

    /// Writes a status over a known version.
    pub fn write_status(
        &mut self,
        name: &str,
        version: &str,
        status: &StaticAwsCredentialsStatus,
    ) -> Result<u64, Conflict> {
        let mut resource = self.resources.get(name).cloned().ok_or(Conflict)?;
        if resource.metadata.resource_version.as_deref() != Some(version) {
            return Err(Conflict);
        }
        // The API server stores JSON.
        let stored = serde_json::to_value(status).and_then(serde_json::from_value);
        resource.status = Some(stored.expect("a status is JSON"));
        Ok(self.put_resource(resource))
    }

    /// Deletes a resource. Its Secrets are left to the garbage collector.
    pub fn delete_resource(&mut self, name: &str) {
        if let Some(resource) = self.resources.remove(name) {
            self.version();
            self.tell(Event::ResourceGone(Box::new(resource)));
        }
    }

    /// Deletes Secrets whose controller is gone.
    pub fn collect_garbage(&mut self) {
        let alive: Vec<String> = self
            .resources
            .values()
            .filter_map(ResourceExt::uid)
            .collect();
        let orphans = self.secrets.iter().filter(|(_, secret)| {
            target::controller(&secret.metadata).is_some_and(|owner| !alive.contains(&owner.uid))
        });
        let orphans: Vec<String> = orphans.map(|(name, _)| name.clone()).collect();
        for name in orphans {
            self.delete(&name, None).expect("it was there");
        }
    }

    fn put(&mut self, mut secret: Secret, manager: &str) -> SecretVersion {
        let name = secret.name_any();
        secret.metadata.namespace = Some(NAMESPACE.to_owned());
        secret.metadata.resource_version = Some(self.version().to_string());
        let before = self.secrets.get(&name);
        secret.metadata.managed_fields = Some(managed_fields(before, &secret, manager));
        let seen = SecretVersion::of(&secret.metadata).expect("it has a UID and a version");
        self.tell(Event::Secret(name.clone(), seen.clone()));
        self.secrets.insert(name, secret);
        seen
    }

    /// Stores a resource as a new version, with the generation that it has.
    pub fn put_resource(&mut self, mut resource: StaticAwsCredentials) -> u64 {
        let version = self.version();
        resource.metadata.resource_version = Some(version.to_string());
        self.tell(Event::Resource(Box::new(resource.clone())));
        self.resources.insert(resource.name_any(), resource);
        version
    }

    fn tell(&mut self, event: Event) {
        self.events.push(Rc::new(event));
    }

    fn version(&mut self) -> u64 {
        self.version += 1;
        FIRST_VERSION + self.version
    }

    fn uid(&mut self) -> String {
        self.uids += 1;
        format!("uid-{}", self.uids)
    }
}

/// The default status of the schema.
fn never_observed() -> StaticAwsCredentialsStatus {
    let status = json!({ "observedGeneration": -1, "conditions": [{
        "type": "Ready", "status": "Unknown", "reason": "Pending", "message": "not observed yet",
        "lastTransitionTime": "1970-01-01T00:00:00Z",
    }]});
    serde_json::from_value(status).expect("the default is a status")
}

type Content<'a> = (
    Option<&'a BTreeMap<String, ByteString>>,
    Option<&'a String>,
    Option<bool>,
);

fn content(secret: &Secret) -> Content<'_> {
    (
        secret.data.as_ref(),
        secret.type_.as_ref(),
        secret.immutable,
    )
}

/// A writer owns the fields that it changes. The operator takes the data from other writers.
fn managed_fields(
    before: Option<&Secret>,
    after: &Secret,
    manager: &str,
) -> Vec<ManagedFieldsEntry> {
    let writes_content = before.is_none_or(|before| content(before) != content(after));
    let fields = |content: bool| -> Value {
        if content {
            json!({ "f:data": {}, "f:type": {}, "f:metadata": {} })
        } else {
            json!({ "f:metadata": {} })
        }
    };
    let mut entries = before
        .and_then(|before| before.metadata.managed_fields.clone())
        .unwrap_or_default();
    let own = entries
        .iter()
        .position(|entry| entry.manager.as_deref() == Some(manager));
    let had = own
        .map(|at| entries.remove(at))
        .and_then(|entry| entry.fields_v1);
    let had = had.is_some_and(|fields| fields.0.get("f:data").is_some());
    if manager == FIELD_MANAGER && writes_content {
        for entry in &mut entries {
            entry.fields_v1 = Some(FieldsV1(fields(false)));
        }
    }
    entries.push(ManagedFieldsEntry {
        manager: Some(manager.to_owned()),
        fields_v1: Some(FieldsV1(fields(had || writes_content))),
        ..ManagedFieldsEntry::default()
    });
    entries
}
