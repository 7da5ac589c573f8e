//! What a replica does while another one leads: it keeps its index ready. The watch sends no event
//! for a source that is older than the resource that references it, so its metadata is read here.

use crate::{
    domain::{index::Observed, lock::lock, resource::ValidatedCredentials},
    error::chain,
    runtime::{context::ScopeContext, observe, reconcile::with_deadline},
};

/// Reads the metadata of the source if nothing is known of it.
pub async fn prefetch_source_metadata(context: &ScopeContext, resource: &ValidatedCredentials) {
    let source = lock(&context.index).view(&resource.key).source;
    if source != Observed::Unknown {
        return;
    }
    let (namespace, name) = (&resource.key.namespace, &resource.source.name);
    match with_deadline(observe::secret_metadata(
        &context.shared.client,
        namespace,
        name,
    ))
    .await
    {
        // No resource is enqueued: the next leader reconciles every resource.
        Ok(observed) => {
            let _ = lock(&context.index).record(namespace, name, &source, &observed);
        }
        // The next leader reads the metadata instead.
        Err(error) => {
            tracing::debug!(resource = %resource.key, error = chain(&error), "the source could not be read");
        }
    }
}
