//! The resources of one scope as last seen by their watch, and the runtime state of each.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use k8s_openapi::jiff::Timestamp;

use crate::{
    api::StaticAwsCredentials,
    domain::{
        index::NamespacedName,
        reconcile::RuntimeState,
        resource::Undecodable,
        rotation::{Key, Keys, Others},
        uid::Uid,
    },
    ops::metrics::{Summary, WatchLiveness},
    runtime::{compressed::CompressedObject, pending_verification::PendingVerification},
};

mod find;

/// After this silence of the watch, the metrics leave out the resources. Another replica may have changed them, and an
/// alert must not depend on their former state. The alert on the watch fires by then.
const OUTDATED: Duration = Duration::from_mins(15);

/// The resources of one scope.
#[derive(Default)]
pub struct Store {
    /// Keys of the labels that are copied from resources to targets. No other label of a resource is kept.
    copied_labels: Vec<String>,
    records: BTreeMap<NamespacedName, Record>,
    watch: Option<Arc<WatchLiveness>>,
}

struct Record {
    uid: Uid,
    object: Result<CompressedObject, Box<Undecodable>>,
    /// Name of the class that the spec names.
    class: Option<Box<str>>,
    state: Option<Box<RuntimeState>>,
    question: Option<Box<PendingVerification>>,
    summary: Summary,
    keys: Keys,
    listed: bool,
}

impl Store {
    /// A store that keeps only the labels with these keys.
    #[must_use]
    pub fn with_labels(keys: Vec<String>) -> Self {
        Self {
            copied_labels: keys,
            ..Self::default()
        }
    }

    /// Sets the watch from which the resources come.
    pub fn set_watch(&mut self, watch: Arc<WatchLiveness>) {
        self.watch = Some(watch);
    }

    /// Records the current state of a resource. A changed UID means that the resource was
    /// recreated: its state is dropped.
    pub fn upsert(
        &mut self,
        key: &NamespacedName,
        uid: Uid,
        object: Result<&StaticAwsCredentials, Box<Undecodable>>,
    ) {
        let status = match &object {
            Ok(object) => object.status.as_ref(),
            Err(undecodable) => undecodable.status.as_ref(),
        };
        let summary = status.map(Summary::of).unwrap_or_default();
        let keys = status.map(Keys::of).unwrap_or_default();
        let version = object.as_ref().ok().and_then(|object| version(object));
        let class = object.as_ref().ok().and_then(|object| class(object));
        let object = object.map(|object| CompressedObject::new(object, &self.copied_labels));
        if let Some(record) = self.records.get_mut(key) {
            if record.uid != uid {
                record.state = None;
                record.question = None;
            }
            if let Some((state, version)) = record.state.as_mut().zip(version) {
                state.observed(version);
            }
            record.uid = uid;
            record.object = object;
            record.class = class;
            record.summary = summary;
            record.keys = keys;
            record.listed = true;
            return;
        }
        let record = Record {
            uid,
            object,
            class,
            state: None,
            question: None,
            summary,
            keys,
            listed: true,
        };
        self.records.insert(key.clone(), record);
    }

    /// Whether an object differs from the known one only by a status that this process wrote.
    #[must_use]
    pub fn wrote(&self, key: &NamespacedName, uid: &Uid, object: &StaticAwsCredentials) -> bool {
        let record = self.records.get(key).filter(|record| record.uid == *uid);
        let state = record.and_then(|record| record.state.as_ref());
        let known = state.zip(version(object));
        known.is_some_and(|(state, version)| state.wrote(version))
    }

    /// Removes a deleted resource.
    pub fn remove(&mut self, key: &NamespacedName) {
        self.records.remove(key);
    }

    /// A list begins. A resource that is not recorded again before its end is gone.
    pub fn start_relist(&mut self) {
        for record in self.records.values_mut() {
            record.listed = false;
        }
    }

    /// A list is complete. Removes and returns the resources missing from it, decodable or not.
    pub fn finish_relist(&mut self) -> Vec<NamespacedName> {
        let gone = self.records.extract_if(.., |_, record| !record.listed);
        gone.map(|(key, _)| key).collect()
    }

    /// UID of a resource.
    #[must_use]
    pub fn uid(&self, key: &NamespacedName) -> Option<&Uid> {
        self.records.get(key).map(|record| &record.uid)
    }

    /// A resource, or why it cannot be decoded.
    #[must_use]
    pub fn object(
        &self,
        key: &NamespacedName,
    ) -> Option<Result<StaticAwsCredentials, Box<Undecodable>>> {
        let record = self.records.get(key)?;
        Some(match &record.object {
            Ok(compressed) => compressed.unpack().map_err(|error| {
                Box::new(Undecodable {
                    error,
                    metadata: metadata(key, &record.uid),
                    status: None,
                })
            }),
            Err(invalid) => Err(invalid.clone()),
        })
    }

    /// Reads or changes the runtime state of a resource. For a deleted or recreated resource, the
    /// change is discarded.
    pub fn with_state<T>(
        &mut self,
        key: &NamespacedName,
        uid: &Uid,
        with: impl FnOnce(&mut RuntimeState) -> T,
    ) -> T {
        let record = self.records.get_mut(key);
        match record.filter(|record| record.uid == *uid) {
            Some(record) => with(record.state.get_or_insert_default()),
            None => with(&mut RuntimeState::default()),
        }
    }

    /// Drops all runtime states: another replica or a restore of the store made them obsolete.
    pub fn clear_states(&mut self) {
        for record in self.records.values_mut() {
            record.state = None;
            record.question = None;
        }
    }

    /// Reads or changes the pending request to STS of a resource; there is none for a deleted or recreated one.
    pub fn question<T>(
        &mut self,
        key: &NamespacedName,
        uid: &Uid,
        with: impl FnOnce(&mut Option<Box<PendingVerification>>) -> T,
    ) -> T {
        let record = self.records.get_mut(key);
        match record.filter(|record| record.uid == *uid) {
            Some(record) => with(&mut record.question),
            None => with(&mut None),
        }
    }

    /// Cancels the request to STS of a resource: no reconcile of it will use the answer.
    pub fn cancel_question(&mut self, key: &NamespacedName) {
        if let Some(record) = self.records.get_mut(key) {
            record.question = None;
        }
    }

    /// Cancels all requests to STS: no reconcile will use the answers.
    pub fn cancel_questions(&mut self) {
        for record in self.records.values_mut() {
            record.question = None;
        }
    }

    /// Adds every other resource that is related to these keys to `others`.
    pub fn with_keys(
        &self,
        resource: &NamespacedName,
        keys: &[Key],
        now: Timestamp,
        others: &mut Others,
    ) {
        for (key, record) in self.records.iter().filter(|(key, _)| *key != resource) {
            let state = record.state.as_ref();
            let own = state.and_then(|state| state.overlap.own());
            let written = state.and_then(|state| state.written.as_ref());
            // Our own last status takes precedence: the watch may not have delivered it yet.
            let relation = match written {
                Some(written) => Keys::of(&written.status).relation(keys, own, now),
                None => record.keys.relation(keys, own, now),
            };
            if let Some(relation) = relation {
                others.add(key, resource, relation);
            }
        }
    }

    /// The stored key of a known resource; a clone shares its memory.
    #[must_use]
    pub fn intern(&self, key: &NamespacedName) -> Option<NamespacedName> {
        self.records.get_key_value(key).map(|(key, _)| key.clone())
    }

    /// The keys of all resources.
    pub fn keys(&self) -> impl Iterator<Item = &NamespacedName> {
        self.records.keys()
    }
}

fn class(object: &StaticAwsCredentials) -> Option<Box<str>> {
    let class = object.spec.class_ref.as_ref()?;
    Some(class.name.as_str().into())
}

fn version(object: &StaticAwsCredentials) -> Option<u64> {
    object.metadata.resource_version.as_deref()?.parse().ok()
}

fn metadata(key: &NamespacedName, uid: &Uid) -> kube::api::ObjectMeta {
    kube::api::ObjectMeta {
        namespace: Some(key.namespace.to_string()),
        name: Some(key.name.to_string()),
        uid: Some(uid.to_string()),
        ..kube::api::ObjectMeta::default()
    }
}

#[cfg(test)]
mod tests;
