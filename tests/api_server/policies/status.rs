//! Accounts that may write a status.

use std::sync::Arc;

use anyhow::Result;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::{
    policies::{
        attempt::{Attempt, Things, assert_passes, assert_refused, resource},
        test_cluster::TestCluster,
    },
    suite::tests,
};

tests![a16_only_the_operator_writes_a_status];

const ONLY: &str =
    "status: only the operator (system:serviceaccount:aws:static-aws-credentials) writes it";

async fn a16_only_the_operator_writes_a_status(test_cluster: Arc<TestCluster>) -> Result<()> {
    let namespace = test_cluster.cluster().namespace("status").await?;
    let rules = json!([{
        "apiGroups": ["awscredentials.dev"],
        "resources": ["staticawscredentials", "staticawscredentials/status"], "verbs": ["*"],
    }]);
    let user = test_cluster.account(&namespace, "user", rules).await?;
    let admin = Attempt::new(&test_cluster.admin(), &namespace);
    admin
        .create(Things::Resources, &resource("orders", json!({})))
        .await?;
    let ready = json!({ "status": { "observedGeneration": 1, "conditions": [{
        "type": "Ready", "status": "True", "reason": "Published", "message": "x",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }] } });
    let both = json!({ "spec": { "suspend": true }, "status": ready["status"] });
    for (who, client) in [("a user", user), ("an administrator", test_cluster.admin())] {
        let attempt = Attempt::new(&client, &namespace);
        for status in [&ready, &both] {
            let answer = attempt
                .merge_status(Things::Resources, "orders", status)
                .await;
            assert_refused(&answer, "status", ONLY, who);
        }
        let mut whole = attempt.api(Things::Resources).get("orders").await?;
        whole.data["status"] = ready["status"].clone();
        let answer = attempt
            .api(Things::Resources)
            .replace_status("orders", &kube::api::PostParams::default(), &whole)
            .await;
        assert_refused(&answer, "status", ONLY, who);
        whole.metadata.managed_fields = None;
        let parameters = PatchParams::apply("attempt").force();
        let patch = Patch::Apply(&whole);
        let answer = attempt
            .api(Things::Resources)
            .patch_status("orders", &parameters, &patch)
            .await;
        assert_refused(&answer, "status", ONLY, who);
    }
    // Outside the status subresource, the API server drops the status.
    let answer = admin.merge(Things::Resources, "orders", &ready).await;
    assert_passes(&answer, "a status in the resource");
    let kept = answer?;
    assert_eq!(
        kept.data["status"]["observedGeneration"],
        json!(-1),
        "{kept:?}"
    );
    Ok(())
}
