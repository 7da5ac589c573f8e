//! Users and the Secrets that they may use as source and target.

use std::sync::Arc;

use anyhow::Result;
use kube::Client;
use serde_json::{Value, json};

use crate::{
    policies::{
        attempt::{Attempt, Things, assert_passes, assert_refused, resource},
        fence::foreign,
        test_cluster::TestCluster,
    },
    suite::tests,
};

tests![
    a1_rights_on_the_kind_alone_copy_nothing,
    a1_who_may_get_the_source_and_write_the_target_may_have_it_copied,
    a1_a_right_to_the_source_alone_writes_no_target,
    a1_a_right_to_the_target_alone_reads_no_source,
    a1_a_refusal_does_not_tell_whether_a_secret_exists,
];

const KIND: &str = "staticawscredentials";
const MAY_NOT_GET: &str = "may not get Secret \"pair\" and so may not have it copied";
const MAY_NOT_WRITE: &str = "may not create and update Secret \"orders-credentials\"";

/// An account with all rights on the kind, and these rights on Secrets.
pub async fn account(
    test_cluster: &TestCluster,
    namespace: &str,
    name: &str,
    secrets: Value,
) -> Result<Client> {
    let mut rules = vec![json!({
        "apiGroups": ["awscredentials.dev"], "resources": [KIND], "verbs": ["*"],
    })];
    for rule in secrets.as_array().into_iter().flatten() {
        rules.push(json!({
            "apiGroups": [""], "resources": ["secrets"],
            "resourceNames": [rule[0]], "verbs": rule[1],
        }));
    }
    test_cluster.account(namespace, name, json!(rules)).await
}

/// A namespace with the source, and with a resource that an administrator created.
pub async fn prepared_namespace(test_cluster: &TestCluster) -> Result<String> {
    let namespace = test_cluster.cluster().namespace("requester").await?;
    let admin = Attempt::new(&test_cluster.admin(), &namespace);
    admin.create(Things::Secrets, &foreign("pair")).await?;
    admin
        .create(Things::Resources, &resource("made", json!({})))
        .await?;
    Ok(namespace)
}

async fn a1_rights_on_the_kind_alone_copy_nothing(test_cluster: Arc<TestCluster>) -> Result<()> {
    let namespace = prepared_namespace(&test_cluster).await?;
    let user = account(&test_cluster, &namespace, "user", json!([])).await?;
    let orders = resource("orders", json!({}));
    let made_up = json!({ "metadata": { "generateName": "orders-" }, "spec": orders["spec"] });
    let marked = json!({
        "metadata": { "name": "orders", "annotations": { "awscredentials.dev/adopt-by": "orders" } },
        "spec": orders["spec"],
    });
    for attempt in [
        Attempt::new(&user, &namespace),
        Attempt::dry(&user, &namespace),
    ] {
        for manifest in [&orders, &made_up, &marked] {
            let answer = attempt.create(Things::Resources, manifest).await;
            assert_refused(&answer, "requester", MAY_NOT_GET, "create");
        }
        let answer = attempt.apply(Things::Resources, &orders).await;
        assert_refused(&answer, "requester", MAY_NOT_GET, "apply");
        let mut made = orders.clone();
        made["metadata"]["name"] = json!("made");
        made["spec"]["suspend"] = json!(true);
        let answer = attempt.apply(Things::Resources, &made).await;
        assert_refused(&answer, "requester", MAY_NOT_GET, "apply with force");
        let answer = attempt
            .merge(Things::Resources, "made", &json!({ "spec": made["spec"] }))
            .await;
        assert_refused(&answer, "requester", MAY_NOT_GET, "patch");
        let mut whole = attempt.api(Things::Resources).get("made").await?;
        whole.data["spec"]["region"] = json!("eu-west-2");
        let whole = serde_json::to_value(whole)?;
        let answer = attempt.replace(Things::Resources, &whole).await;
        assert_refused(&answer, "requester", MAY_NOT_GET, "replace");
    }
    Ok(())
}

async fn a1_who_may_get_the_source_and_write_the_target_may_have_it_copied(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let namespace = prepared_namespace(&test_cluster).await?;
    let secrets = json!([
        ["pair", ["get"]],
        ["orders-credentials", ["create", "update"]]
    ]);
    let user = account(&test_cluster, &namespace, "user", secrets).await?;
    let attempt = Attempt::new(&user, &namespace);
    let orders = resource("orders", json!({}));
    assert_passes(&attempt.create(Things::Resources, &orders).await, "create");
    let change = json!({ "spec": { "region": "eu-west-2" } });
    assert_passes(
        &attempt.merge(Things::Resources, "orders", &change).await,
        "patch",
    );
    assert_passes(
        &attempt.apply(Things::Resources, &orders).await,
        "apply with force",
    );
    let named = json!({ "spec": { "target": { "name": "orders-credentials" } } });
    assert_passes(
        &attempt.merge(Things::Resources, "orders", &named).await,
        "by name",
    );
    // With `generateName`, the name of the default target is not known before the request.
    let made_up = json!({ "metadata": { "generateName": "orders-" }, "spec": orders["spec"] });
    let answer = attempt.create(Things::Resources, &made_up).await;
    assert_refused(
        &answer,
        "requester",
        "may not create and update Secret \"orders-",
        "generateName",
    );
    Ok(())
}

async fn a1_a_right_to_the_source_alone_writes_no_target(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let namespace = prepared_namespace(&test_cluster).await?;
    for verbs in [
        json!(["get"]),
        json!(["create"]),
        json!(["update"]),
        json!(["patch", "delete"]),
    ] {
        let name = format!("user-{}", verbs.as_array().map_or(0, Vec::len));
        let name = format!("{name}-{}", verbs[0].as_str().unwrap_or("none"));
        let secrets = json!([["pair", ["get"]], ["orders-credentials", verbs]]);
        let user = account(&test_cluster, &namespace, &name, secrets).await?;
        let attempt = Attempt::new(&user, &namespace);
        let answer = attempt
            .create(Things::Resources, &resource("orders", json!({})))
            .await;
        assert_refused(&answer, "requester", MAY_NOT_WRITE, &name);
        let named = resource("x", json!({ "target": { "name": "orders-credentials" } }));
        let answer = attempt.create(Things::Resources, &named).await;
        assert_refused(&answer, "requester", MAY_NOT_WRITE, &name);
    }
    Ok(())
}

async fn a1_a_right_to_the_target_alone_reads_no_source(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let namespace = prepared_namespace(&test_cluster).await?;
    let secrets = json!([
        ["pair", ["create", "update", "patch", "delete"]],
        ["orders-credentials", ["*"]],
    ]);
    let user = account(&test_cluster, &namespace, "user", secrets).await?;
    let attempt = Attempt::new(&user, &namespace);
    let answer = attempt
        .create(Things::Resources, &resource("orders", json!({})))
        .await;
    assert_refused(&answer, "requester", MAY_NOT_GET, "create");
    Ok(())
}

async fn a1_a_refusal_does_not_tell_whether_a_secret_exists(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let namespace = prepared_namespace(&test_cluster).await?;
    let user = account(
        &test_cluster,
        &namespace,
        "user",
        json!([["pair", ["get"]]]),
    )
    .await?;
    let attempt = Attempt::new(&user, &namespace);
    let words = async |spec: Value| {
        let answer = attempt
            .create(Things::Resources, &resource("orders", spec))
            .await;
        match answer {
            Err(kube::Error::Api(status)) => status.message.replace("absent", "present"),
            answer => panic!("{answer:?}"),
        }
    };
    let admin = Attempt::new(&test_cluster.admin(), &namespace);
    admin.create(Things::Secrets, &foreign("present")).await?;
    for spec in [
        |name: &str| json!({ "target": { "name": name } }),
        |name: &str| json!({ "secretRef": { "name": name } }),
    ] {
        assert_eq!(words(spec("present")).await, words(spec("absent")).await);
    }
    Ok(())
}
