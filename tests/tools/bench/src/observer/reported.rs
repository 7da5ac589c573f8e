//! The status that a resource reports.

use std::time::Instant;

use serde::Deserialize;

use crate::requests::Metadata;

/// Whether a resource reports that it is ready, and for which version of the source.
#[derive(Clone, Debug)]
pub struct Reported {
    pub source: String,
    pub ready: bool,
    pub at: Instant,
}

/// The part of a resource that is read.
#[derive(Clone, Deserialize)]
pub struct Resource {
    pub metadata: Metadata,
    #[serde(default)]
    status: Status,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Status {
    conditions: Vec<Condition>,
    source: Source,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Source {
    resource_version: String,
}

impl Resource {
    /// The present status.
    pub fn reported(&self) -> Reported {
        let mut conditions = self.status.conditions.iter();
        Reported {
            source: self.status.source.resource_version.clone(),
            ready: conditions
                .any(|condition| condition.kind == "Ready" && condition.status == "True"),
            at: Instant::now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resource(conditions: &serde_json::Value) -> Reported {
        let object = json!({
            "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
            "metadata": { "name": "orders", "generation": 1 },
            "status": {
                "observedGeneration": 1, "conditions": conditions,
                "source": { "uid": "u", "resourceVersion": "7" },
            },
        });
        let object: Resource = serde_json::from_value(object).expect("a resource");
        object.reported()
    }

    #[test]
    fn a_resource_that_is_ready_says_of_which_version() {
        let reported = resource(&json!([
            { "type": "Verified", "status": "False", "reason": "x" },
            { "type": "Ready", "status": "True", "reason": "Published" },
        ]));
        assert!(reported.ready);
        assert_eq!(reported.source, "7");
    }

    #[test]
    fn another_condition_that_is_true_does_not_make_it_ready() {
        let reported = resource(&json!([
            { "type": "Ready", "status": "False" },
            { "type": "Published", "status": "True" },
        ]));
        assert!(!reported.ready);
    }

    #[test]
    fn a_resource_without_a_status_says_nothing() {
        let object = json!({ "metadata": { "name": "orders" } });
        let object: Resource = serde_json::from_value(object).expect("a resource");
        let reported = object.reported();
        assert!(!reported.ready && reported.source.is_empty());
    }
}
