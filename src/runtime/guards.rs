//! Whether the chart's admission policies are enforced. A policy may be deleted or relaxed after the installation,
//! so the leader checks the policies at the start of its term and every 5 minutes.

mod look;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::StreamExt as _;
use kube::Client;
use strum::VariantArray as _;
use tokio::{sync::watch, time::Instant};

use crate::{
    api::Reason,
    domain::{lock::lock, policy::Policy, verdict::Finding},
    ops::{health::Notes, metrics::Policies},
    runtime::leader::Leader,
};
pub use look::{read, refused_by};

const PERIOD: Duration = Duration::from_mins(5);
/// The shorter period after a policy was not enforced or the API server did not answer.
const AGAIN: Duration = Duration::from_secs(30);
/// Interval of the checks for the end of a term, which cost no request.
const TURN: Duration = Duration::from_secs(5);

/// `Ok` for a policy that was seen to be enforced, else why it was not.
pub type Seen = Result<(), String>;

/// Which policies are expected, and what follows if one is not enforced.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The prefix of the policies' names; without one nothing is looked at.
    pub prefix: Option<&'a str>,
    /// Whether the install has no policies at all.
    pub unguarded: bool,
    /// Whether writes are blocked until the policies are seen to be enforced.
    pub required: bool,
    /// Whether the operator restarts workloads, which a policy of its own limits.
    pub restarts: bool,
    /// The namespace of the dry runs.
    pub namespace: &'a str,
}

/// The results of the policy checks.
#[derive(Debug)]
pub struct Guards {
    prefix: Option<String>,
    policies: Vec<Policy>,
    required: bool,
    namespace: String,
    seen: Mutex<BTreeMap<Policy, Seen>>,
    metric: Policies,
    /// Counts changes of the results that may allow or block writes of Secrets.
    changes: watch::Sender<u64>,
}

impl Guards {
    /// The policies that are expected, not checked yet.
    #[must_use]
    pub fn new(expected: &Expected<'_>, metric: Policies) -> Self {
        let looks = expected.prefix.is_some() || expected.unguarded;
        let is_expected =
            |policy: &Policy| looks && (*policy != Policy::Restarts || expected.restarts);
        let all = Policy::VARIANTS.iter().copied();
        let policies: Vec<Policy> = all.filter(is_expected).collect();
        let mut seen = BTreeMap::new();
        if expected.unguarded {
            for policy in &policies {
                let why = "none is part of the install; set policies.enabled of the chart";
                metric.set(*policy, Some(false));
                seen.insert(*policy, Err(why.to_owned()));
            }
        }
        Self {
            prefix: expected
                .prefix
                .filter(|_| !expected.unguarded)
                .map(str::to_owned),
            policies,
            required: expected.required,
            namespace: expected.namespace.to_owned(),
            seen: Mutex::new(seen),
            metric,
            changes: watch::Sender::default(),
        }
    }

    /// Whether reconciles may begin. With `--require-policies` a leader waits for the first check.
    #[must_use]
    pub fn may_run(&self, leads: bool) -> bool {
        !self.required || !leads || lock(&self.seen).len() == self.policies.len()
    }

    /// Notifies when the results of [`Self::may_run`] and [`Self::obstacle`] may have changed.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Why writes are blocked, with `--require-policies`; `None` if they are not.
    #[must_use]
    pub fn obstacle(&self) -> Option<Finding> {
        if !self.required {
            return None;
        }
        let seen = lock(&self.seen);
        let lacking = |policy: &&Policy| seen.get(policy) != Some(&Ok(()));
        let policy = self.policies.iter().find(lacking)?;
        let why = match seen.get(policy) {
            Some(Err(why)) => why,
            _ => "it was not checked yet",
        };
        let name = self.name(*policy);
        let message = format!(
            "nothing is written, since --require-policies is set and ValidatingAdmissionPolicy {name} is not seen to be enforced: {why}"
        );
        Some(Finding::new(Reason::PoliciesMissing, message))
    }

    /// Checks the policies while this replica leads, for as long as the process lives.
    pub async fn watch(self: Arc<Self>, client: Client, leader: Leader) {
        if self.prefix.is_none() {
            return std::future::pending().await;
        }
        let mut terms = pin!(leader.acquisitions());
        let mut due = Instant::now();
        loop {
            if !leader.leads() {
                self.forget();
                due = Instant::now();
            } else if Instant::now() >= due {
                let is_guarded = self.look(&client).await;
                due = Instant::now() + if is_guarded { PERIOD } else { AGAIN };
            }
            tokio::select! {
                () = tokio::time::sleep(TURN) => {}
                Some(()) = terms.next() => due = Instant::now(),
            }
        }
    }

    /// Drops the results, which become outdated: another replica leads and checks now.
    fn forget(&self) {
        if std::mem::take(&mut *lock(&self.seen)).is_empty() {
            return;
        }
        for policy in &self.policies {
            self.metric.set(*policy, None);
        }
    }

    /// Checks each policy once, and returns whether this check found all of them enforced.
    pub async fn look(&self, client: &Client) -> bool {
        let mut looks = Vec::new();
        for policy in &self.policies {
            let name = self.name(*policy);
            looks.push((
                *policy,
                look::look(client, *policy, &name, &self.namespace).await,
            ));
        }
        // If the API server ignores all policies that were tried, a read of the others proves nothing.
        let is_ignored =
            |look: &Result<Seen, String>| matches!(look, Ok(Err(why)) if why == look::IGNORED);
        let ignored = looks.iter().filter(|(_, look)| is_ignored(look)).count();
        let (mut enforced, mut changed) = (true, false);
        for (policy, look) in looks {
            let known = lock(&self.seen).get(&policy).cloned();
            enforced &= look.is_ok();
            let seen = match look {
                Ok(Ok(())) if ignored == Policy::TRIED => Err(look::IGNORED.to_owned()),
                Ok(seen) => seen,
                Err(failure) => known.clone().unwrap_or(Err(failure)),
            };
            enforced &= seen.is_ok();
            changed |= known.as_ref() != Some(&seen);
            self.saw(policy, known.as_ref(), seen);
        }
        if changed && self.required {
            self.changes.send_modify(|count| *count += 1);
        }
        enforced
    }

    fn saw(&self, policy: Policy, known: Option<&Seen>, seen: Seen) {
        self.metric.set(policy, Some(seen.is_ok()));
        if known != Some(&seen) {
            let name = self.name(policy);
            match &seen {
                Ok(()) => tracing::info!(policy = name, "the policy is enforced"),
                Err(why) => {
                    tracing::error!(policy = name, why, "the policy is not seen to be enforced");
                }
            }
        }
        lock(&self.seen).insert(policy, seen);
    }

    fn name(&self, policy: Policy) -> String {
        let prefix = self.prefix.as_deref().unwrap_or("static-aws-credentials");
        policy.named(prefix)
    }
}

/// A line for each expected policy.
impl Notes for Guards {
    fn lines(&self) -> String {
        let seen = lock(&self.seen);
        let mut text = String::new();
        for policy in &self.policies {
            let name = self.name(*policy);
            // Writing to a string does not fail.
            let _ = match seen.get(policy) {
                Some(Ok(())) => writeln!(text, "policy {name} is enforced"),
                Some(Err(why)) => {
                    writeln!(text, "policy {name} is NOT seen to be enforced: {why}")
                }
                None => writeln!(text, "policy {name} is looked at by the leader"),
            };
        }
        text
    }
}
