//! The scopes of a process, for what concerns resources of all of them.

use std::sync::{Arc, Mutex, Weak};

use k8s_openapi::jiff::Timestamp;
use tokio::sync::watch;

use crate::{
    consumers::{Key, Others},
    context::Context,
    index::ResourceKey,
    lock::lock,
    store::Store,
    watch::Stage,
};

/// The scopes of a process.
pub struct Scopes {
    expected: usize,
    everywhere: bool,
    all: Mutex<Vec<Scope>>,
}

#[derive(Clone)]
struct Scope {
    context: Weak<Context>,
    stage: watch::Receiver<Stage>,
}

impl Scopes {
    /// The scopes of these namespaces, or the one of the cluster, none of which is there yet.
    #[must_use]
    pub fn of(namespaces: &[Option<String>]) -> Self {
        Self {
            expected: namespaces.len(),
            everywhere: namespaces.contains(&None),
            all: Mutex::default(),
        }
    }

    /// A scope begins.
    pub fn add(&self, context: &Arc<Context>, stage: watch::Receiver<Stage>) {
        let context = Arc::downgrade(context);
        lock(&self.all).push(Scope { context, stage });
    }

    /// The resources of every scope.
    #[must_use]
    pub fn stores(&self) -> Vec<Arc<Mutex<Store>>> {
        let scopes = lock(&self.all);
        let contexts = scopes.iter().filter_map(|scope| scope.context.upgrade());
        contexts.map(|context| Arc::clone(&context.store)).collect()
    }

    /// The other resources that have to do with some keys, in all scopes. Nobody is asked for it.
    #[must_use]
    pub fn with_keys(&self, of: &ResourceKey, keys: &[Key], now: Timestamp) -> Others {
        let mut others = Others::new(self.everywhere);
        let mut listed = 0;
        for scope in lock(&self.all).clone() {
            let Some(context) = scope.context.upgrade() else {
                continue;
            };
            if *scope.stage.borrow() >= Stage::ResourcesListed && !context.is_relisting() {
                listed += 1;
            }
            lock(&context.store).with_keys(of, keys, now, &mut others);
        }
        others.listed = listed >= self.expected;
        others
    }
}
