//! Control requests: if an endpoint rejects a published pair, other pairs that it accepted before are sent to it.
//! If it rejects all, the cause is the endpoint, or something on the way, and not the pair.

use std::{cmp::Reverse, collections::HashSet, sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};

use super::{Driver, with_deadline};
use crate::{
    api::SourceVersion,
    domain::{
        decide::{Source, SourcePair},
        index::{NamespacedName, Observed},
        lock::lock,
        place::Place,
        reconcile::Event,
        resource::ValidatedCredentials,
        verdict::{Answer, Control},
    },
    error::Error,
    runtime::{
        context::{ProcessContext, ScopeContext},
        observe,
        store::Store,
    },
    sts::{CallerIdentityRequest, Endpoint, Priority},
};

/// Pairs that are sent to STS at most.
const MOST: usize = 3;
/// Candidate resources at most, per namespace and in total.
const OF_A_NAMESPACE: usize = 4;
const IN_ALL: usize = 64;
/// Sources that are read at most: a source that has changed since its proof is skipped.
const READ: usize = 8;
/// Time limit of all control requests together; after it, the result is undetermined.
const DEADLINE: Duration = Duration::from_secs(30);
/// Interval at which a reconcile that waits for the answers checks its own resource and source for changes.
const LOOK: Duration = Duration::from_millis(500);

/// Another resource, whose pair may be sent in a control request.
struct Other {
    resource: ValidatedCredentials,
    place: Place,
    /// The AWS account; a store names none.
    account: Option<String>,
    version: SourceVersion,
}

/// The content of another resource's source.
enum Found {
    /// The pair that was proven.
    Pair(SourcePair),
    /// The same access key as the rejected pair.
    SameKey,
    /// The source has another version than the proven one, or cannot be read.
    Unknown,
}

impl Driver<'_> {
    /// Sends control requests with other pairs until a pair is accepted.
    ///
    /// # Errors
    /// The resource or its source changed meanwhile: the next reconcile decides from the new state.
    pub(super) async fn ask_about_others(&mut self, place: &Place) -> Result<Event, Error> {
        let (context, resource) = (self.context, self.resource);
        let source = self.run.observed_source().clone();
        let asked = tokio::select! {
            asked = timeout(DEADLINE, self.control_of(place)) => asked,
            () = overtaken(context, resource, &source) => return Err(Error::Overtaken),
        };
        let control = asked.unwrap_or(Control::Undetermined);
        self.context.shared.metrics.controlled(control);
        tracing::info!(resource = %self.resource.key, result = <&str>::from(control), "checked other pairs with AWS, since AWS rejects the published pair");
        Ok(Event::Control(control))
    }

    async fn control_of(&mut self, place: &Place) -> Control {
        let mut control = Control::NoPair;
        let mut asked = 0;
        for other in self.others(place).into_iter().take(READ) {
            let pair = match self.pair_of(&other).await {
                Found::Pair(pair) => pair,
                Found::SameKey => continue,
                // An unreadable pair must not count as the absence of a pair.
                Found::Unknown => {
                    control = undetermined_unless_refused(control);
                    continue;
                }
            };
            // STS may take long: the slot is released for other resources meanwhile.
            self.slot = None;
            match self.answer_about(&other, pair).await {
                Answer::Identity(_) | Answer::Authenticated => return Control::Accepted,
                Answer::Undetermined(_) | Answer::Outage(_) => {
                    control = undetermined_unless_refused(control);
                }
                _ => control = Control::Refused,
            }
            asked += 1;
            if asked == MOST {
                break;
            }
        }
        control
    }

    /// The resources whose pairs are sent, 1 for each namespace and account. The order: the first resource of each
    /// namespace before further ones, then other AWS accounts before the own, then the latest proof. Thus no
    /// tenant decides the result.
    fn others(&self, place: &Place) -> Vec<Other> {
        let account = self.run.status().identity.as_ref();
        let account = account.map(|identity| identity.account_id.as_str());
        let namespace = &self.resource.key.namespace;
        let endpoint = self.context.shared.endpoint.as_ref();
        let mut others: Vec<Other> = candidates(&self.context.shared, &self.resource.key)
            .into_iter()
            .filter(|other| {
                let elsewhere = other.resource.key.namespace != *namespace;
                elsewhere || other.account.as_deref() != account
            })
            .filter(|other| are_asked_alike(&other.place, place, endpoint))
            .collect();
        others.sort_by_key(|other| other.account.as_deref() == account);
        let mut known = HashSet::new();
        others.retain(|other| {
            let namespace = Arc::clone(&other.resource.key.namespace);
            known.insert((namespace, other.account.clone()))
        });
        let mut namespaces = HashSet::new();
        others.sort_by_cached_key(|other| {
            let namespace = Arc::clone(&other.resource.key.namespace);
            !namespaces.insert(namespace)
        });
        others
    }

    /// Reads another resource's source and returns the proven pair if the source is unchanged since the proof.
    async fn pair_of(&mut self, other: &Other) -> Found {
        self.acquire_slot().await;
        let shared = &self.context.shared;
        let read = observe::source(&shared.client, &other.resource, &shared.key);
        let Ok(Source::Found(found)) = with_deadline(read).await else {
            return Found::Unknown;
        };
        let version = &other.version;
        let same = found.seen.is(&version.uid, &version.resource_version);
        let own = self.run.pair();
        let own = own.map(|own| own.pair.access_key_id.expose_secret());
        match found.pair {
            Ok(pair) if Some(pair.pair.access_key_id.expose_secret()) == own => Found::SameKey,
            Ok(pair) if same => Found::Pair(pair),
            _ => Found::Unknown,
        }
    }

    async fn answer_about(&self, other: &Other, pair: SourcePair) -> Answer {
        let question = CallerIdentityRequest::new(
            &self.resource.key.namespace,
            pair.pair,
            &other.place,
            // High priority, since a verdict waits for the answer and control requests are rare.
            Priority::NewPair,
            Instant::now(),
        );
        let shared = &self.context.shared;
        let answer = shared.sts.get_caller_identity(question).await.answer;
        shared.metrics.answered(&answer);
        answer
    }
}

/// Returns when the resource or its source differs from what the reconcile has read.
async fn overtaken(context: &ScopeContext, resource: &ValidatedCredentials, source: &Observed) {
    loop {
        tokio::time::sleep(LOOK).await;
        let view = lock(&context.index).view(&resource.key);
        let object = lock(&context.store).object(&resource.key);
        let same_spec = object.is_some_and(|object| {
            object.is_ok_and(|object| {
                object.metadata.generation == Some(resource.generation)
                    && object.metadata.deletion_timestamp.is_some() == resource.deleting
            })
        });
        if view.source != *source || !same_spec {
            return;
        }
    }
}

/// Whether pairs of 2 places are verified at the same endpoint, in the same partition. An AWS endpoint serves 1
/// region, as does each endpoint made from a `{region}` pattern.
fn are_asked_alike(own: &Place, other: &Place, endpoint: Option<&Endpoint>) -> bool {
    let (Place::Sts(own), Place::Sts(other)) = (own, other) else {
        return own.key() == other.key();
    };
    let shared =
        endpoint.is_some_and(|endpoint| endpoint.of(own.as_str()) == endpoint.of(other.as_str()));
    own == other || shared && own.partition() == other.partition()
}

/// An inconclusive answer does not replace an earlier rejection.
fn undetermined_unless_refused(control: Control) -> Control {
    if control == Control::Refused {
        control
    } else {
        Control::Undetermined
    }
}

/// Resources of all scopes whose pair AWS accepted, the latest first.
fn candidates(shared: &ProcessContext, own: &NamespacedName) -> Vec<Other> {
    let stores = shared.scopes.stores();
    let mut found = Vec::new();
    for store in &stores {
        let accepted = lock(store).accepted_lately(OF_A_NAMESPACE);
        let accepted = accepted.into_iter().filter(|(_, key)| key != own);
        found.extend(accepted.map(|(at, key)| (at, key, store)));
    }
    found.sort_by_key(|(at, ..)| Reverse(*at));
    let first = found.into_iter().take(IN_ALL);
    first
        .filter_map(|(_, key, store)| candidate(shared, &lock(store), &key))
        .collect()
}

fn candidate(shared: &ProcessContext, store: &Store, key: &NamespacedName) -> Option<Other> {
    let object = store.object(key)?.ok()?;
    let resource = shared.classes.validated(&object).ok()??;
    let status = object.status?;
    let place = resource.place()?;
    let is_recorded = place.is_recorded_in(&status);
    let is_usable = !resource.suspend
        && !resource.deleting
        && status.observed_generation == resource.generation;
    Some(Other {
        resource,
        place,
        account: status.identity.map(|identity| identity.account_id),
        version: status.source?,
    })
    .filter(|_| is_usable && is_recorded)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::{domain::region::Region, sts::parse_endpoint};

    #[test]
    fn pairs_of_another_region_answer_for_an_endpoint_that_serves_both_alone() {
        let alike = |own: &str, other: &str, endpoint: Option<&str>| {
            let [own, other] =
                [own, other].map(|region| Place::Sts(Region::parse(region).unwrap()));
            let endpoint = endpoint.map(|endpoint| parse_endpoint(endpoint).unwrap());
            are_asked_alike(&own, &other, endpoint.as_ref())
        };
        let one = Some("https://sts.example.com");
        let pattern = Some("https://sts.{region}.example.com");
        let (here, there) = ("eu-west-1", "eu-central-1");
        assert!(alike(here, here, None) && alike(here, here, pattern));
        assert!(alike(here, there, one));
        assert!(!alike(here, there, None));
        assert!(!alike(here, there, pattern));
        assert!(!alike(here, "cn-north-1", one));
    }
}
