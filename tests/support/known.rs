//! Resources known only by their names and statuses.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;
use static_aws_credentials::{
    api::{StaticAwsCredentials, StaticAwsCredentialsStatus},
    domain::index::NamespacedName,
    ops::metrics::{Summary, WatchLiveness},
    runtime::store::Store,
};

/// A store that the test fills.
#[derive(Default)]
pub struct Known(Mutex<Store>);

impl Known {
    /// Adds or updates a resource.
    pub fn saw(&self, key: &NamespacedName, status: Option<&StaticAwsCredentialsStatus>) {
        let object = json!({
            "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
            "metadata": { "name": &*key.name, "namespace": &*key.namespace },
            "spec": { "secretRef": { "name": "pair" } },
            "status": status,
        });
        let object: StaticAwsCredentials =
            serde_json::from_value(object).unwrap_or_else(|error| panic!("no object: {error}"));
        let mut store = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        store.upsert(key, "uid".into(), Ok(&object));
    }

    /// Sets the watch from which the resources come.
    #[allow(dead_code, reason = "not every suite has a watch")]
    pub fn follows(&self, watch: Arc<WatchLiveness>) {
        let mut store = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        store.set_watch(watch);
    }

    /// Removes a resource.
    #[allow(dead_code, reason = "not every suite has resources go")]
    pub fn gone(&self, key: &NamespacedName) {
        let mut store = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        store.remove(key);
    }

    /// A page of the store.
    pub fn page(
        &self,
        last: Option<&NamespacedName>,
        most: usize,
    ) -> Vec<(NamespacedName, Summary)> {
        let store = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        store.page(last, most)
    }
}
