//! Who answers a request about a pair: AWS STS, or the store of a class. Each store has a rate limiter, a circuit breaker
//! and a cache of its own, so that a slow store delays no other pair.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex},
};

use futures::{FutureExt, future::BoxFuture};
use tokio::time::Instant;

use crate::{
    api::Reason,
    domain::{lock::lock, place::Store, verdict::Answer},
    error::chain,
    ops::metrics::Calls,
    runtime::classes::Classes,
    s3,
    sts::{CachedSts, CallerIdentityReply, CallerIdentityRequest, Rate, Sts},
};

/// AWS STS and the stores.
pub struct Provers {
    sts: Arc<dyn Sts>,
    rate: Rate,
    calls: Calls,
    classes: Arc<Classes>,
    /// By the key of the place. A class that has changed is another store, of which nothing is known.
    stores: Mutex<Vec<(String, Arc<dyn Sts>)>>,
}

impl Provers {
    /// STS, and no store yet. Each store is called at most at this rate.
    #[must_use]
    pub fn new(sts: Arc<dyn Sts>, rate: Rate, calls: Calls, classes: Arc<Classes>) -> Self {
        Self {
            sts,
            rate,
            calls,
            classes,
            stores: Mutex::default(),
        }
    }

    fn of(&self, store: &Arc<Store>) -> Result<Arc<dyn Sts>, String> {
        let key = store.key();
        let mut stores = lock(&self.stores);
        if let Some((_, known)) = stores.iter().find(|(known, _)| *known == key) {
            return Ok(Arc::clone(known));
        }
        let client = s3::Client::new(Arc::clone(store)).map_err(|error| chain(&error))?;
        let client = self.calls.of_store(client);
        let prover = CachedSts::new(client, self.rate).map_err(|error| error.to_string())?;
        let prover: Arc<dyn Sts> = Arc::new(prover);
        let known = self.classes.places();
        stores.retain(|(key, _)| known.contains(key));
        stores.push((key, Arc::clone(&prover)));
        Ok(prover)
    }
}

impl Sts for Provers {
    fn get_caller_identity(
        &self,
        request: CallerIdentityRequest,
    ) -> BoxFuture<'_, CallerIdentityReply> {
        let Some(store) = &request.store else {
            return self.sts.get_caller_identity(request);
        };
        match self.of(store) {
            Ok(prover) => async move { prover.get_caller_identity(request).await }.boxed(),
            Err(error) => {
                tracing::error!(
                    class = store.class,
                    error,
                    "the store of a class cannot be asked"
                );
                let answer = Answer::Undetermined(Reason::EndpointUnreachable);
                let at = Instant::now();
                async move { CallerIdentityReply { answer, at } }.boxed()
            }
        }
    }

    fn waiting(&self) -> usize {
        let stores = lock(&self.stores);
        self.sts.waiting()
            + stores
                .iter()
                .map(|(_, store)| store.waiting())
                .sum::<usize>()
    }

    fn held(&self) -> usize {
        let stores = lock(&self.stores);
        self.sts.held() + stores.iter().map(|(_, store)| store.held()).sum::<usize>()
    }

    fn outage(&self, request: &CallerIdentityRequest) -> Option<Reason> {
        match &request.store {
            None => self.sts.outage(request),
            Some(store) => self.of(store).ok()?.outage(request),
        }
    }

    fn destination<'a>(&'a self, request: &'a CallerIdentityRequest) -> Cow<'a, str> {
        match &request.store {
            None => self.sts.destination(request),
            Some(store) => Cow::Borrowed(&store.url),
        }
    }
}
