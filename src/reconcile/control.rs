//! Control questions: an endpoint that refuses a published pair is asked about others that it accepted before.
//! If it refuses all, the refusal is its own, or that of something on the way.

use std::{cmp::Reverse, collections::HashSet, sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};

use super::{Reconcile, with_deadline};
use crate::{
    api::SourceVersion,
    context::{ProcessContext, ScopeContext},
    decide::{Source, SourcePair},
    error::Error,
    index::{NamespacedName, Observed},
    lock::lock,
    observe,
    region::{Partition, Region},
    resource::ValidatedCredentials,
    store::Store,
    sts::{CallerIdentityRequest, Endpoint, Priority},
    verdict::{Answer, Control},
};

/// How many pairs are asked about.
const MOST: usize = 3;
/// How many resources are looked at for that, of each namespace and in all.
const OF_A_NAMESPACE: usize = 4;
const IN_ALL: usize = 64;
/// How many of their sources are read: one that has changed since it was proven says nothing.
const READ: usize = 8;
/// After this time there is no answer.
const DEADLINE: Duration = Duration::from_secs(30);
/// How often a run that waits for the answers looks whether its own resource or source has changed.
const LOOK: Duration = Duration::from_millis(500);

/// A resource with a pair that may be asked about.
struct Other {
    resource: ValidatedCredentials,
    account: String,
    version: SourceVersion,
}

/// What the source of another resource holds.
enum Found {
    /// The pair that was proven.
    Pair(SourcePair),
    /// The key that is refused.
    SameKey,
    /// Another version than the one that was proven, or it cannot be read.
    Unknown,
}

impl Reconcile<'_> {
    /// Asks about other pairs until one is accepted.
    ///
    /// # Errors
    /// The resource or its source changed meanwhile: the next run decides from these.
    pub(super) async fn ask_about_others(&mut self, region: &Region) -> Result<(), Error> {
        let (context, resource, source) = (self.context, self.resource, self.view.source.clone());
        let asked = tokio::select! {
            asked = timeout(DEADLINE, self.control_of(region)) => asked,
            () = overtaken(context, resource, &source) => return Err(Error::Overtaken),
        };
        let control = asked.unwrap_or(Control::Undetermined);
        self.context.shared.metrics.controlled(control);
        tracing::info!(resource = %self.resource.key, result = <&str>::from(control), "asked AWS about other pairs, since it refuses the published one");
        self.control = Some(control);
        Ok(())
    }

    async fn control_of(&mut self, region: &Region) -> Control {
        let mut control = Control::NoPair;
        let mut asked = 0;
        for other in self.others(region).into_iter().take(READ) {
            let pair = match self.pair_of(&other).await {
                Found::Pair(pair) => pair,
                Found::SameKey => continue,
                // A pair that cannot be asked about must not pass for the absence of one.
                Found::Unknown => {
                    control = undetermined_unless_refused(control);
                    continue;
                }
            };
            // AWS may take long: no other resource waits behind this run meanwhile.
            self.place = None;
            match self.answer_about(&other, pair).await {
                Answer::Identity(_) => return Control::Accepted,
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

    /// Who is asked about, in this order: pairs of other accounts first, then those accepted last. Each comes from
    /// another namespace or account than those before it, and namespaces take turns: no tenant can answer
    /// for all.
    fn others(&self, region: &Region) -> Vec<Other> {
        let account = self.status.identity.as_ref();
        let account = account.map(|identity| identity.account_id.as_str());
        let namespace = &self.resource.key.namespace;
        let endpoint = self.context.shared.endpoint.as_ref();
        let mut others: Vec<Other> = candidates(&self.context.shared, &self.resource.key)
            .into_iter()
            .filter(|other| {
                let elsewhere = other.resource.key.namespace != *namespace;
                elsewhere || Some(other.account.as_str()) != account
            })
            .filter(|other| {
                let own = other.resource.region.as_ref();
                own.is_some_and(|own| are_asked_alike(own, region, endpoint))
            })
            .collect();
        others.sort_by_key(|other| Some(other.account.as_str()) == account);
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

    /// The pair that was proven, if the source holds it still.
    async fn pair_of(&mut self, other: &Other) -> Found {
        self.acquire_slot().await;
        let shared = &self.context.shared;
        let read = observe::source(&shared.client, &other.resource, &shared.key);
        let Ok(Source::Found(found)) = with_deadline(read).await else {
            return Found::Unknown;
        };
        let version = &other.version;
        let same = found.seen.is(&version.uid, &version.resource_version);
        let own = self
            .pair()
            .map(|own| own.pair.access_key_id.expose_secret());
        match found.pair {
            Ok(pair) if Some(pair.pair.access_key_id.expose_secret()) == own => Found::SameKey,
            Ok(pair) if same => Found::Pair(pair),
            _ => Found::Unknown,
        }
    }

    async fn answer_about(&self, other: &Other, pair: SourcePair) -> Answer {
        let Some(region) = &other.resource.region else {
            return Answer::Undetermined(crate::api::Reason::StsUnexpectedResponse);
        };
        let question = CallerIdentityRequest {
            namespace: self.resource.key.namespace.to_string(),
            pair: pair.pair,
            region: region.as_str().to_owned(),
            endpoint: region.sts_endpoint(),
            // A verdict waits for it, and it is asked rarely.
            priority: Priority::NewPair,
            not_before: Instant::now(),
        };
        let shared = &self.context.shared;
        let answer = shared.sts.get_caller_identity(question).await.answer;
        shared.metrics.answered(&answer);
        answer
    }
}

/// Returns once the resource or its source is another than a run has seen.
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

/// Whether pairs of 2 regions are asked about at one endpoint. An endpoint of AWS serves one region, and so does each
/// that a pattern stands for.
fn are_asked_alike(own: &Region, other: &Region, endpoint: Option<&Endpoint>) -> bool {
    let shared =
        endpoint.is_some_and(|endpoint| endpoint.of(own.as_str()) == endpoint.of(other.as_str()));
    own == other || shared && own.partition() == other.partition()
}

/// A refusal says more than an answer that says nothing.
fn undetermined_unless_refused(control: Control) -> Control {
    if control == Control::Refused {
        control
    } else {
        Control::Undetermined
    }
}

/// Resources of all scopes whose pair was accepted, the last one first.
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
        .filter_map(|(_, key, store)| candidate(&lock(store), &key))
        .collect()
}

fn candidate(store: &Store, key: &NamespacedName) -> Option<Other> {
    let object = store.object(key)?.ok()?;
    let resource = ValidatedCredentials::parse(&object).ok()?;
    let status = object.status?;
    let identity = status.identity?;
    let usable = !resource.suspend
        && !resource.deleting
        && resource.verifies_with_sts()
        && status.observed_generation == resource.generation;
    let here = Partition::of_arn(&identity.arn) == resource.region.as_ref().map(Region::partition);
    Some(Other {
        resource,
        account: identity.account_id,
        version: status.source?,
    })
    .filter(|_| usable && here)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::sts::parse_endpoint;

    #[test]
    fn pairs_of_another_region_answer_for_an_endpoint_that_serves_both_alone() {
        let alike = |own: &str, other: &str, endpoint: Option<&str>| {
            let [own, other] = [own, other].map(|region| Region::parse(region).unwrap());
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
