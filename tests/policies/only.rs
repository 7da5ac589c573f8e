//! What else the operator's account may write, with all rights that there are.

use std::sync::Arc;

use anyhow::Result;
use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenRequestSpec},
    core::v1::ServiceAccount,
};
use kube::{Api, api::PostParams};
use serde_json::{Value, json};

use crate::{
    attempt::{Attempt, Things, assert_passes, assert_refused, pod, resource},
    stage::{RELEASE, RELEASE_NAMESPACE, Stage, tests},
};

tests![
    the_operator_writes_events_statuses_and_its_lease,
    the_operator_writes_nothing_else,
    the_operator_has_no_lease_but_its_own,
    the_operator_gets_no_token,
];

const NOTHING_ELSE: &str = "and nothing else; this is";

fn lease(name: &Value) -> Value {
    json!({ "metadata": name, "spec": { "holderIdentity": "x" } })
}

fn event(namespace: &str) -> Value {
    json!({
        "metadata": { "name": "orders.1" },
        "eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "x", "reportingInstance": "x",
        "action": "x", "reason": "x", "type": "Normal", "note": "x",
        "regarding": { "kind": "StaticAwsCredentials", "namespace": namespace, "name": "orders" },
    })
}

async fn the_operator_writes_events_statuses_and_its_lease(stage: Arc<Stage>) -> Result<()> {
    let namespace = stage.cluster()?.namespace("only").await?;
    let admin = Attempt::new(&stage.admin()?, &namespace);
    admin
        .create(Things::Resources, &resource("orders", json!({})))
        .await?;
    let operator = Attempt::new(&stage.operator()?, &namespace);
    let made = operator.create(Things::Events, &event(&namespace)).await;
    assert_passes(&made, "an event");
    let name = made?.metadata.name.unwrap_or_default();
    let again =
        json!({ "series": { "count": 2, "lastObservedTime": "2026-01-01T00:00:00.000000Z" } });
    let answer = operator.merge(Things::Events, &name, &again).await;
    assert_passes(&answer, "the event again");
    let status = json!({ "status": { "observedGeneration": 1 } });
    let answer = operator
        .merge_status(Things::Resources, "orders", &status)
        .await;
    assert_passes(&answer, "a status");

    let home = Attempt::new(&stage.operator()?, RELEASE_NAMESPACE);
    let lease = lease(&json!({ "name": RELEASE }));
    assert_passes(&home.apply(Things::Leases, &lease).await, "the lease, new");
    assert_passes(
        &home.apply(Things::Leases, &lease).await,
        "the lease, renewed",
    );
    let mut taken = lease.clone();
    taken["spec"]["holderIdentity"] = json!("y");
    assert_passes(
        &home.merge(Things::Leases, RELEASE, &taken).await,
        "the lease, taken",
    );
    Ok(())
}

async fn the_operator_writes_nothing_else(stage: Arc<Stage>) -> Result<()> {
    let namespace = stage.cluster()?.namespace("only").await?;
    let admin = Attempt::new(&stage.admin()?, &namespace);
    let operator = Attempt::dry(&stage.operator()?, &namespace);
    admin
        .create(Things::Resources, &resource("orders", json!({})))
        .await?;
    admin
        .create(
            Things::ConfigMaps,
            &json!({ "metadata": { "name": "plain" } }),
        )
        .await?;
    let plain = json!({ "metadata": { "name": "new" } });
    let event = json!({
        "metadata": { "name": "orders.2" }, "reason": "x", "message": "x", "type": "Normal",
        "involvedObject": { "kind": "StaticAwsCredentials", "namespace": namespace, "name": "orders" },
    });
    let creates = [
        (Things::ConfigMaps, plain.clone(), "CREATE of configmaps"),
        (Things::ServiceAccounts, plain, "CREATE of serviceaccounts"),
        (Things::Pods, pod(&json!({}), json!({})), "CREATE of pods"),
        (Things::CoreEvents, event, "CREATE of events"),
        (
            Things::Resources,
            resource("mine", json!({})),
            "CREATE of awscredentials.dev/staticawscredentials",
        ),
    ];
    for (things, manifest, words) in creates {
        let answer = operator.create(things, &manifest).await;
        assert_refused(&answer, "only", NOTHING_ELSE, words);
        assert_refused(&answer, "only", words, words);
    }
    let spec = json!({ "spec": { "suspend": true } });
    let answer = operator.merge(Things::Resources, "orders", &spec).await;
    assert_refused(
        &answer,
        "only",
        "UPDATE of awscredentials.dev/staticawscredentials",
        "a spec",
    );
    let answer = operator.delete(Things::Resources, "orders").await;
    assert_refused(
        &answer,
        "only",
        "DELETE of awscredentials.dev/staticawscredentials",
        "a resource",
    );
    let answer = operator.delete(Things::ConfigMaps, "plain").await;
    assert_refused(&answer, "only", "DELETE of configmaps", "a config map");
    let answer = operator.delete_all(Things::ConfigMaps, "").await;
    assert_refused(&answer, "only", "DELETE of configmaps", "all config maps");
    Ok(())
}

async fn the_operator_has_no_lease_but_its_own(stage: Arc<Stage>) -> Result<()> {
    let namespace = stage.cluster()?.namespace("only").await?;
    let home = Attempt::dry(&stage.operator()?, RELEASE_NAMESPACE);
    let away = Attempt::dry(&stage.operator()?, &namespace);
    let words = "the operator's lease is static-aws-credentials in namespace aws";
    let made_up = format!("{RELEASE}-");
    let cases = [
        (&home, json!({ "name": "another" }), "another name"),
        (
            &home,
            json!({ "generateName": made_up }),
            "a name that the server makes up",
        ),
        (&away, json!({ "name": RELEASE }), "another namespace"),
    ];
    for (operator, name, what) in cases {
        let answer = operator.create(Things::Leases, &lease(&name)).await;
        assert_refused(&answer, "only", words, what);
    }
    let system = Attempt::new(&stage.admin()?, "kube-system");
    let scheduler = lease(&json!({ "name": "kube-scheduler" }));
    system.apply(Things::Leases, &scheduler).await?;
    let operator = Attempt::dry(&stage.operator()?, "kube-system");
    let answer = operator
        .merge(Things::Leases, "kube-scheduler", &scheduler)
        .await;
    assert_refused(&answer, "only", words, "the scheduler's");
    let answer = operator.delete(Things::Leases, "kube-scheduler").await;
    assert_refused(&answer, "only", NOTHING_ELSE, "the scheduler's");
    Ok(())
}

async fn the_operator_gets_no_token(stage: Arc<Stage>) -> Result<()> {
    for (namespace, account) in [("kube-system", "default"), (RELEASE_NAMESPACE, RELEASE)] {
        let accounts: Api<ServiceAccount> = Api::namespaced(stage.operator()?, namespace);
        let request = TokenRequest {
            spec: Some(TokenRequestSpec::default()),
            ..TokenRequest::default()
        };
        let answer = accounts
            .create_token_request(account, &PostParams::default(), &request)
            .await;
        assert_refused(&answer, "only", "CREATE of serviceaccounts/token", account);
    }
    Ok(())
}
