//! The compressed form of a resource: a settled resource is not reconciled for hours.

use kube::api::ObjectMeta;

use crate::{api::StaticAwsCredentials, domain::resource::copied};

/// Text that most resources have in common. It affects only the compressed size.
const DICTIONARY: &[u8] = include_bytes!("compressed/dictionary.json");

/// A resource without what no decision needs, such as `managedFields` and annotations.
pub struct CompressedObject(Box<[u8]>);

impl CompressedObject {
    /// Compresses a resource with only the labels that have these keys.
    pub fn new(object: &StaticAwsCredentials, keys: &[String]) -> Self {
        let metadata = &object.metadata;
        let labels = copied(object, keys);
        let pruned = StaticAwsCredentials {
            metadata: ObjectMeta {
                name: metadata.name.clone(),
                namespace: metadata.namespace.clone(),
                uid: metadata.uid.clone(),
                resource_version: metadata.resource_version.clone(),
                generation: metadata.generation,
                creation_timestamp: metadata.creation_timestamp.clone(),
                deletion_timestamp: metadata.deletion_timestamp.clone(),
                labels: (!labels.is_empty()).then_some(labels),
                ..ObjectMeta::default()
            },
            spec: object.spec.clone(),
            status: object.status.clone(),
        };
        // Cannot fail: the resource was read from JSON.
        let text = serde_json::to_vec(&pruned).unwrap_or_default();
        Self(lz4_flex::block::compress_prepend_size_with_dict(&text, DICTIONARY).into())
    }

    /// Decompresses the resource.
    ///
    /// # Errors
    /// None for what [`Self::new`] made.
    pub fn unpack(&self) -> Result<StaticAwsCredentials, String> {
        let text = lz4_flex::block::decompress_size_prepended_with_dict(&self.0, DICTIONARY);
        let text = text.map_err(|error| error.to_string())?;
        serde_json::from_slice(&text).map_err(|error| error.to_string())
    }

    #[cfg(test)]
    pub fn size(&self) -> usize {
        self.0.len()
    }
}
