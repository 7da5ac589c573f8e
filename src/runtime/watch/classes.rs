//! The watch of the classes, one for the process.

use std::sync::Arc;

use futures::{StreamExt, future};
use kube::{Api, runtime::watcher};
use tokio::sync::watch;

use super::{recovery::Recovery, watcher::watch_stream};
use crate::{
    api::CLASS_KIND,
    domain::{decide::Cause, index::NamespacedName, lock::lock},
    ops::health::HealthCheck,
    runtime::{context::ProcessContext, watched_class::WatchedClass},
};

/// Classes are few. A failed watch concerns only resources that name one, and neither readiness nor other resources.
#[derive(Default)]
struct ClassRecovery(watch::Sender<u64>);

impl Recovery for ClassRecovery {
    fn restores(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }

    fn on_etcd_restore(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    fn on_recovered(&self) {}
}

/// Watches the classes, and enqueues the resources of those that change.
pub async fn classes(shared: Arc<ProcessContext>) {
    let api: Api<WatchedClass> = Api::all(shared.client.clone());
    let health = HealthCheck::optional(format!("watch of {CLASS_KIND}es"));
    let liveness = shared.metrics.watches.open(CLASS_KIND, None);
    let events = watch_stream(
        api,
        Arc::new(ClassRecovery::default()) as _,
        health,
        Arc::clone(&liveness),
    );
    events
        .for_each(|event| {
            match event {
                Ok(event) => match shared.classes.on_event(event) {
                    Some(names) if names.is_empty() => {}
                    names => enqueue(&shared, names.as_deref()),
                },
                Err(error) if is_denied(&error) => {
                    // The API server works: a release without the definition of classes has no stalled watch.
                    liveness.now();
                    if shared.classes.on_denied() {
                        enqueue(&shared, None);
                    }
                }
                Err(_) => {}
            }
            future::ready(())
        })
        .await;
}

fn enqueue(shared: &ProcessContext, names: Option<&[String]>) {
    let stores = shared.scopes.stores();
    let found = stores.iter().map(|store| lock(store).of_classes(names));
    let keys: Vec<NamespacedName> = found.flatten().collect();
    shared.queue.enqueue(keys, Cause::Change);
}

/// Whether the kind does not exist, or the operator may not list it.
fn is_denied(error: &watcher::Error) -> bool {
    let (watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error)) =
        error
    else {
        return false;
    };
    matches!(error, kube::Error::Api(status) if matches!(status.code, 403 | 404))
}
