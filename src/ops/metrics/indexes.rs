//! The indexes of all scopes, counted at the scrape.

use std::sync::{Arc, Mutex, Weak};

use crate::domain::{index::Index, lock::lock};

/// The indexes that exist, one for each scope.
#[derive(Clone, Debug, Default)]
pub struct Indexes(Arc<Mutex<Vec<Weak<Mutex<Index>>>>>);

impl Indexes {
    /// Counts an index for as long as it lives.
    pub fn add(&self, index: &Arc<Mutex<Index>>) {
        let mut indexes = lock(&self.0);
        indexes.retain(|index| index.strong_count() > 0);
        indexes.push(Arc::downgrade(index));
    }

    /// How many Secrets all indexes keep.
    pub(super) fn tracked_secrets(&self) -> usize {
        let indexes = lock(&self.0);
        let indexes = indexes.iter().filter_map(Weak::upgrade);
        indexes.map(|index| lock(&index).tracked_secrets()).sum()
    }
}
