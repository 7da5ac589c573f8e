//! What tests read: the status as one line, the target's pair, the requests.

use static_aws_credentials::api::{ConditionType, StaticAwsCredentialsStatus};
use static_aws_credentials::domain::conditions;

use super::{Pair, TARGET, World, universe};

impl World {
    /// The status of `orders`.
    pub fn status(&self) -> StaticAwsCredentialsStatus {
        self.status_of("orders")
    }

    /// The status of a resource.
    pub fn status_of(&self, name: &str) -> StaticAwsCredentialsStatus {
        self.store.resources[name]
            .status
            .clone()
            .unwrap_or_default()
    }

    /// The conditions of `orders` in one line.
    pub fn state(&self) -> String {
        self.state_of("orders")
    }

    /// The conditions of a resource in one line.
    pub fn state_of(&self, name: &str) -> String {
        let status = self.status_of(name);
        let show =
            |condition: &k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition| match condition
                .type_
                .as_str()
            {
                "Reconciling" | "Stalled" => condition.type_.clone(),
                kind => format!("{kind}={} {}", condition.status, condition.reason),
            };
        let lines: Vec<String> = status.conditions.iter().map(show).collect();
        lines.join(", ")
    }

    /// The message of a condition of `orders`.
    pub fn message(&self, kind: ConditionType) -> String {
        let status = self.status();
        conditions::find(&status.conditions, kind)
            .map(|condition| condition.message.clone())
            .unwrap_or_default()
    }

    /// The pair in a Secret. Fails if it holds several.
    pub fn pair_in(&self, name: &str) -> Option<Pair> {
        let data = self.store.secret(name)?.data.clone()?;
        let holds = |text: &str| data.values().any(|value| value.0 == text.as_bytes());
        let mut pairs: Vec<Pair> = universe().into();
        pairs.retain(|pair| holds(&pair.id) && holds(&pair.secret));
        assert!(pairs.len() <= 1, "{name} holds several pairs");
        pairs.pop()
    }

    /// The pair in the target of `orders`.
    pub fn target(&self) -> Option<Pair> {
        self.pair_in(TARGET)
    }

    /// The requests since the last call of this method.
    pub fn requests(&mut self) -> String {
        std::mem::take(&mut self.log).join(", ")
    }

    /// The number of calls to STS so far.
    pub fn questions(&self) -> usize {
        self.aws.asked.len()
    }

    /// Settles, and checks that another reconcile of each resource makes no request.
    pub fn settle_twice(&mut self) {
        self.settle();
        let before = self.log.len();
        let names: Vec<String> = self.store.resources.keys().cloned().collect();
        for name in names {
            self.run(&name);
        }
        self.settle();
        let further = self.log.split_off(before);
        assert!(further.is_empty(), "a second run asks for {further:?}");
    }
}
