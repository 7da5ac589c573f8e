//! A resource in the form in which it rests: a settled one is not looked at for hours.

use kube::api::ObjectMeta;

use crate::{api::StaticAwsCredentials, resource::copied};

/// What most resources have in common. Only its length in memory depends on what this says.
const DICTIONARY: &[u8] = include_bytes!("compressed/dictionary.json");

/// A resource without what no decision needs: who owns which field, how it was last applied.
pub struct CompressedObject(Box<[u8]>);

impl CompressedObject {
    /// Packs a resource without its labels.
    #[must_use]
    pub fn new(object: &StaticAwsCredentials) -> Self {
        Self::with_labels(object, &[])
    }

    /// Packs a resource with those of its labels that have these keys.
    #[must_use]
    pub fn with_labels(object: &StaticAwsCredentials, keys: &[String]) -> Self {
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
        // What was read as JSON can be written as JSON.
        let text = serde_json::to_vec(&pruned).unwrap_or_default();
        Self(lz4_flex::block::compress_prepend_size_with_dict(&text, DICTIONARY).into())
    }

    /// The resource.
    ///
    /// # Errors
    /// None for what [`Self::new`] made.
    pub fn unpack(&self) -> Result<StaticAwsCredentials, String> {
        let text = lz4_flex::block::decompress_size_prepended_with_dict(&self.0, DICTIONARY);
        let text = text.map_err(|error| error.to_string())?;
        serde_json::from_slice(&text).map_err(|error| error.to_string())
    }

    /// How many bytes it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.len()
    }
}
