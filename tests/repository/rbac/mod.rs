//! The chart's objects and roles on a real API server: it accepts every set of values without an
//! unknown field, and reports the rights of each account.
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod review;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use cluster::{
    control_plane::{ControlPlane, Options},
    tools::Tool,
};
use review::{Question, allowed, check};
use serde_json::{Value, json};
use static_aws_credentials::cli::api_check;

use crate::chart::render::{NEWEST, objects, set, ways};

const PATIENCE: Duration = Duration::from_mins(1);
/// Namespace of the release in `helm template`.
const HOME: &str = "operators";
const OPERATOR: &str = "system:serviceaccount:operators:aws-static-aws-credentials";
const CHECKER: &str = "system:serviceaccount:operators:aws-static-aws-credentials-api-check";

#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_do_what_is_theirs_and_nothing_else() -> Result<()> {
    let cluster = ControlPlane::start(Options::default()).await?;
    for namespace in [HOME, "orders", "billing", "stock"] {
        let object =
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
        cluster.apply(&object.to_string()).await?;
    }
    every_way_is_taken(&cluster).await?;
    install(&cluster, &["scope.namespaces={orders,billing}"]).await?;
    check(&cluster, OPERATOR, &operators("orders", true)).await?;
    check(&cluster, OPERATOR, &operators("stock", false)).await?;
    check(&cluster, OPERATOR, &forbidden("orders")).await?;
    install(&cluster, &[]).await?;
    check(&cluster, OPERATOR, &operators("stock", true)).await?;
    check(&cluster, OPERATOR, &forbidden("stock")).await?;
    check(&cluster, OPERATOR, &lease()).await?;
    check(&cluster, CHECKER, &checkers()).await?;
    people(&cluster).await
}

/// A dry run, which fails on a field that is unknown to the API server.
async fn every_way_is_taken(cluster: &ControlPlane) -> Result<()> {
    for (way, values) in ways()? {
        let all = rendered(&values)?;
        // A pod is rejected if its account does not exist, also in a dry run.
        for account in all
            .iter()
            .filter(|object| object["kind"] == "ServiceAccount")
        {
            cluster.apply(&account.to_string()).await?;
        }
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": all }).to_string();
        let file = tempfile::Builder::new().suffix(".json").tempfile()?;
        std::fs::write(file.path(), list)?;
        let path = file.path().display().to_string();
        let flags = ["--server-side", "--dry-run=server", "--validate=strict"];
        let args = [&["apply", "-f", &path][..], &flags].concat();
        if let Err(error) = cluster.kubectl(&args).await {
            bail!("{way}: {error:?}");
        }
    }
    Ok(())
}

/// Installs like Helm, except for the pods of its tests, which Helm deletes before it creates them again.
async fn install(cluster: &ControlPlane, values: &[&str]) -> Result<()> {
    let mut items = rendered(&set(values))?;
    items.retain(|object| object["kind"] != "Pod");
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": items });
    cluster.apply(&list.to_string()).await.map(drop)
}

/// The chart's objects without kinds of the Prometheus operator.
fn rendered(values: &[String]) -> Result<Vec<Value>> {
    let mut all = objects(Tool::Helm4, NEWEST, values)?;
    all.retain(|object| object["apiVersion"] != "monitoring.coreos.com/v1");
    Ok(all)
}

/// Rights that the operator needs in a namespace that it serves.
fn operators(namespace: &str, allowed: bool) -> Vec<Question> {
    [
        "list staticawscredentials.awscredentials.dev",
        "watch staticawscredentials.awscredentials.dev",
        "patch staticawscredentials.awscredentials.dev/status",
        "get secrets",
        "list secrets",
        "watch secrets",
        "create secrets",
        "update secrets",
        "delete secrets",
        "create events.events.k8s.io",
        "patch events.events.k8s.io",
    ]
    .map(|asked| Question::new(asked, namespace, allowed))
    .to_vec()
}

/// Requests that an attacker with the operator's token would like to make.
fn forbidden(namespace: &str) -> Vec<Question> {
    [
        "get staticawscredentials.awscredentials.dev",
        "create staticawscredentials.awscredentials.dev",
        "update staticawscredentials.awscredentials.dev/status",
        "update staticawscredentials.awscredentials.dev/finalizers",
        "patch secrets",
        "deletecollection secrets",
        "get configmaps",
        "create pods",
        "create pods/exec",
        "create serviceaccounts/token",
        "impersonate users",
        "create roles.rbac.authorization.k8s.io",
        "bind clusterroles.rbac.authorization.k8s.io",
        "create leases.coordination.k8s.io",
        "get customresourcedefinitions.apiextensions.k8s.io",
        "update validatingadmissionpolicies.admissionregistration.k8s.io",
    ]
    .map(|asked| Question::new(asked, namespace, false))
    .to_vec()
}

fn lease() -> Vec<Question> {
    let lease = "leases.coordination.k8s.io";
    let ask = |verb: &str, name: &str, allowed| {
        Question::new(&format!("{verb} {lease}"), HOME, allowed).named(name)
    };
    let ours = "aws-static-aws-credentials";
    vec![
        ask("create", "", true),
        ask("get", ours, true),
        ask("update", ours, true),
        ask("delete", ours, false),
        ask("patch", ours, false),
        ask("get", "other", false),
        ask("update", "other", false),
        ask("list", "", false),
    ]
}

/// Rights of the account of `helm test`.
fn checkers() -> Vec<Question> {
    let target = format!("{}-credentials", api_check::NAME);
    let create = "create staticawscredentials.awscredentials.dev";
    vec![
        Question::new(create, HOME, true),
        Question::new(create, "orders", false),
        Question::new("get secrets", HOME, true).named(api_check::SOURCE),
        Question::new("create secrets", HOME, true).named(&target),
        Question::new("update secrets", HOME, true).named(&target),
        // A real create request has no name, so RBAC evaluates this form for it.
        Question::new("create secrets", HOME, false),
        Question::new("get secrets", HOME, false).named("other"),
        Question::new("list secrets", HOME, false),
        Question::new("update secrets", HOME, false).named("other"),
    ]
}

/// Kubernetes' own roles, with the rules that the chart adds.
async fn people(cluster: &ControlPlane) -> Result<()> {
    let kind = "staticawscredentials.awscredentials.dev";
    for (role, writes) in [("view", false), ("edit", true), ("admin", true)] {
        let name = format!("{role}er");
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": { "name": name, "namespace": "orders" },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role },
            "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name }],
        });
        cluster.apply(&binding.to_string()).await?;
        // A controller aggregates the roles after a while.
        let last = if writes { "create" } else { "get" };
        let gathered = Question::new(&format!("{last} {kind}"), "orders", true);
        until_allowed(cluster, &name, &gathered).await?;
        let mut questions = Vec::new();
        for verb in ["get", "list", "watch"] {
            questions.push(Question::new(&format!("{verb} {kind}"), "orders", true));
        }
        for verb in ["create", "update", "patch", "delete", "deletecollection"] {
            questions.push(Question::new(&format!("{verb} {kind}"), "orders", writes));
        }
        for verb in ["update", "patch"] {
            questions.push(Question::new(
                &format!("{verb} {kind}/status"),
                "orders",
                false,
            ));
        }
        questions.push(Question::new(&format!("get {kind}"), "billing", false));
        check(cluster, &name, &questions).await?;
    }
    Ok(())
}

async fn until_allowed(cluster: &ControlPlane, user: &str, question: &Question) -> Result<()> {
    let began = Instant::now();
    while !allowed(cluster, user, question).await? {
        if began.elapsed() > PATIENCE {
            bail!("{user} may not {question:?} yet");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
