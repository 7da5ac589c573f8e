//! What a replica does while another leads: it sees to it that its index would do. A watch says
//! nothing of a source that is older than the resource that names it, so that is looked at here.

use crate::{
    context::ScopeContext, error::chain, index::Observed, lock::lock, observe,
    reconcile::with_deadline, resource::ValidatedCredentials,
};

/// Looks at the source's metadata if nothing is known of it.
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
        Ok(sight) => lock(&context.index).record(namespace, name, &source, &sight),
        // The next leader reads it then.
        Err(error) => {
            tracing::debug!(resource = %resource.key, error = chain(&error), "the source was not looked at");
        }
    }
}
