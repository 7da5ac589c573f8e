//! Whether the chart's admission policies are enforced. A policy may be deleted or relaxed after the installation,
//! so the leader checks the policies at the start of its term and every 5 minutes.

mod check;

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
pub use check::{read, refused_by};

const CHECK_INTERVAL: Duration = Duration::from_mins(5);
/// The shorter period after a policy was not enforced or the API server did not answer.
const RETRY_INTERVAL: Duration = Duration::from_secs(30);
/// Interval of the checks for the end of a term, which cost no request.
const TERM_CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// `Ok` for a policy that was seen to be enforced, else why it was not.
pub type Enforcement = Result<(), String>;

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
    results: Mutex<BTreeMap<Policy, Enforcement>>,
    metric: Policies,
    /// Counts changes of the results that may allow or block writes of Secrets.
    changes: watch::Sender<u64>,
}

impl Guards {
    /// The policies that are expected, not checked yet.
    #[must_use]
    pub fn new(expected: &Expected<'_>, metric: Policies) -> Self {
        let checks = expected.prefix.is_some() || expected.unguarded;
        let is_expected =
            |policy: &Policy| checks && (*policy != Policy::Restarts || expected.restarts);
        let all = Policy::VARIANTS.iter().copied();
        let policies: Vec<Policy> = all.filter(is_expected).collect();
        let mut results = BTreeMap::new();
        if expected.unguarded {
            for policy in &policies {
                let why = "none is part of the install; set policies.enabled of the chart";
                metric.set(*policy, Some(false));
                results.insert(*policy, Err(why.to_owned()));
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
            results: Mutex::new(results),
            metric,
            changes: watch::Sender::default(),
        }
    }

    /// Whether reconciles may begin. With `--require-policies` a leader waits for the first check.
    #[must_use]
    pub fn may_run(&self, leads: bool) -> bool {
        !self.required || !leads || lock(&self.results).len() == self.policies.len()
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
        let results = lock(&self.results);
        let is_lacking = |policy: &&Policy| results.get(policy) != Some(&Ok(()));
        let policy = self.policies.iter().find(is_lacking)?;
        let why = match results.get(policy) {
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
        let mut next_check = Instant::now();
        loop {
            if !leader.leads() {
                self.forget();
                next_check = Instant::now();
            } else if Instant::now() >= next_check {
                let is_guarded = self.check(&client).await;
                let interval = if is_guarded {
                    CHECK_INTERVAL
                } else {
                    RETRY_INTERVAL
                };
                next_check = Instant::now() + interval;
            }
            tokio::select! {
                () = tokio::time::sleep(TERM_CHECK_INTERVAL) => {}
                Some(()) = terms.next() => next_check = Instant::now(),
            }
        }
    }

    /// Drops the results, which become outdated: another replica leads and checks now.
    fn forget(&self) {
        if std::mem::take(&mut *lock(&self.results)).is_empty() {
            return;
        }
        for policy in &self.policies {
            self.metric.set(*policy, None);
        }
    }

    /// Checks each policy once, and returns whether this check found all of them enforced.
    pub async fn check(&self, client: &Client) -> bool {
        let mut results = Vec::new();
        for policy in &self.policies {
            let name = self.name(*policy);
            results.push((
                *policy,
                check::check(client, *policy, &name, &self.namespace).await,
            ));
        }
        // If the API server ignores all policies that were tried, a read of the others proves nothing.
        let ignored: Result<Enforcement, String> = Ok(Err(check::IGNORED.to_owned()));
        let tried = results.iter().filter(|(_, result)| *result == ignored);
        let all_ignored = tried.count() == Policy::TRIED;
        let (mut enforced, mut changed) = (true, false);
        for (policy, result) in results {
            let known = lock(&self.results).get(&policy).cloned();
            enforced &= result.is_ok();
            let enforcement = match result {
                Ok(Ok(())) if all_ignored => Err(check::IGNORED.to_owned()),
                Ok(enforcement) => enforcement,
                Err(failure) => known.clone().unwrap_or(Err(failure)),
            };
            enforced &= enforcement.is_ok();
            changed |= known.as_ref() != Some(&enforcement);
            self.record(policy, known.as_ref(), enforcement);
        }
        if changed && self.required {
            self.changes.send_modify(|count| *count += 1);
        }
        enforced
    }

    fn record(&self, policy: Policy, known: Option<&Enforcement>, enforcement: Enforcement) {
        self.metric.set(policy, Some(enforcement.is_ok()));
        if known != Some(&enforcement) {
            let name = self.name(policy);
            match &enforcement {
                Ok(()) => tracing::info!(policy = name, "the policy is enforced"),
                Err(why) => {
                    tracing::error!(policy = name, why, "the policy is not seen to be enforced");
                }
            }
        }
        lock(&self.results).insert(policy, enforcement);
    }

    fn name(&self, policy: Policy) -> String {
        let prefix = self.prefix.as_deref().unwrap_or("static-aws-credentials");
        policy.named(prefix)
    }
}

/// A line for each expected policy.
impl Notes for Guards {
    fn lines(&self) -> String {
        let results = lock(&self.results);
        let mut text = String::new();
        for policy in &self.policies {
            let name = self.name(*policy);
            // Writing to a string does not fail.
            let _ = match results.get(policy) {
                Some(Ok(())) => writeln!(text, "policy {name} is enforced"),
                Some(Err(why)) => {
                    writeln!(text, "policy {name} is NOT seen to be enforced: {why}")
                }
                None => writeln!(text, "policy {name} is checked by the leader"),
            };
        }
        text
    }
}
