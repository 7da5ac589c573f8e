//! Users who change a resource, and the Secrets that they may use as source and target.

use std::sync::Arc;

use anyhow::Result;
use serde_json::{Value, json};

use crate::{
    policies::{
        attempt::{Attempt, Things, assert_passes, assert_refused, resource},
        fence::foreign,
        requester::{account, prepared_namespace},
        test_cluster::TestCluster,
    },
    suite::tests,
};

tests![
    a1_a_change_needs_the_rights_to_what_it_names,
    a_rename_needs_the_right_to_what_it_deletes,
    what_changes_no_spec_needs_no_right_to_a_secret,
];

async fn a1_a_change_needs_the_rights_to_what_it_names(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let namespace = prepared_namespace(&test_cluster).await?;
    let admin = Attempt::new(&test_cluster.admin(), &namespace);
    admin
        .create(Things::Secrets, &foreign("others-pair"))
        .await?;
    let secrets = json!([
        ["pair", ["get"]],
        ["orders-credentials", ["create", "update"]]
    ]);
    let user = account(&test_cluster, &namespace, "user", secrets).await?;
    let attempt = Attempt::new(&user, &namespace);
    attempt
        .create(Things::Resources, &resource("orders", json!({})))
        .await?;
    let cases = [
        (
            json!({ "secretRef": { "name": "others-pair" } }),
            "may not get Secret \"others-pair\"",
        ),
        (
            json!({ "target": { "name": "others" } }),
            "may not create and update Secret \"others\"",
        ),
        (
            json!({ "target": { "name": "made-credentials" } }),
            "may not create and update Secret \"made-credentials\"",
        ),
    ];
    for (spec, words) in cases {
        let answer = attempt
            .merge(Things::Resources, "orders", &json!({ "spec": spec }))
            .await;
        assert_refused(&answer, "requester", words, words);
        let answer = attempt
            .apply(Things::Resources, &resource("orders", spec))
            .await;
        assert_refused(&answer, "requester", words, words);
    }
    // Through another user's resource, whose source this user may get.
    let change = json!({ "spec": { "target": { "layouts": ["Env"] } } });
    let answer = attempt.merge(Things::Resources, "made", &change).await;
    assert_refused(
        &answer,
        "requester",
        "Secret \"made-credentials\"",
        "another's resource",
    );
    Ok(())
}

async fn a_rename_needs_the_right_to_what_it_deletes(test_cluster: Arc<TestCluster>) -> Result<()> {
    let namespace = prepared_namespace(&test_cluster).await?;
    let secrets = json!([
        ["pair", ["get"]],
        ["mine", ["create", "update"]],
        ["named", ["create", "update"]]
    ]);
    let user = account(&test_cluster, &namespace, "user", secrets).await?;
    let attempt = Attempt::new(&user, &namespace);
    let target = |target: Value| json!({ "spec": { "target": target } });
    let mine = target(json!({ "name": "mine" }));
    let answer = attempt.merge(Things::Resources, "made", &mine).await;
    let words =
        "may not update Secret \"made-credentials\", which is deleted when the name changes";
    assert_refused(&answer, "requester", words, "another's target");
    let kept = target(json!({ "name": "mine", "deletionPolicy": "Retain" }));
    let answer = attempt.merge(Things::Resources, "made", &kept).await;
    assert_passes(&answer, "another's target stays");
    let named = target(json!({ "name": "named", "deletionPolicy": "Delete" }));
    let answer = attempt.merge(Things::Resources, "made", &named).await;
    assert_passes(&answer, "one's own goes");
    Ok(())
}

async fn what_changes_no_spec_needs_no_right_to_a_secret(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let namespace = prepared_namespace(&test_cluster).await?;
    let user = account(&test_cluster, &namespace, "user", json!([])).await?;
    let attempt = Attempt::new(&user, &namespace);
    let label =
        json!({ "metadata": { "labels": { "a": "b" }, "finalizers": ["example.com/hold"] } });
    assert_passes(
        &attempt.merge(Things::Resources, "made", &label).await,
        "a label",
    );
    attempt.delete(Things::Resources, "made").await?;
    // A resource in deletion is no longer served, so its spec has no effect.
    let change = json!({ "spec": { "suspend": true } });
    assert_passes(
        &attempt.merge(Things::Resources, "made", &change).await,
        "a spec at the end",
    );
    let off = json!({ "metadata": { "finalizers": null } });
    assert_passes(
        &attempt.merge(Things::Resources, "made", &off).await,
        "the finalizer",
    );
    Ok(())
}
