//! `api-check` under an account that may only create resources.

use std::{net::Ipv4Addr, sync::Arc};

use anyhow::Result;
use cluster::control_plane::ControlPlane;
use serde_json::json;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

use crate::{
    check::{program::program, test_cluster::TestCluster},
    suite::tests,
};

tests![
    the_schema_is_found_good_under_an_account_of_its_own,
    connections_that_are_reset_at_first_are_repeated,
    an_account_without_rights_is_told_what_it_lacks,
    a_schema_without_rules_is_found_out,
];

/// The output if all checks pass.
pub const GOOD: &str = "ok    a good resource is accepted
ok    an account ID of eleven digits is refused
ok    a target that is the source is refused
ok    a resource without a region is refused
ok    an interval of one minute is refused
";

async fn the_schema_is_found_good_under_an_account_of_its_own(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let cluster = test_cluster.cluster().await?;
    let namespace = namespace_with_account(cluster).await?;
    let kubeconfig = cluster
        .service_account_kubeconfig(&namespace, "api-check", None)
        .await?;
    let check = program("api-check", ["--namespace", &namespace]);
    check
        .env("KUBECONFIG", &kubeconfig.display().to_string())
        .prints(0, GOOD)
        .await?;
    let left = cluster
        .kubectl(&["get", "awscreds,secrets", "-n", &namespace, "-o", "name"])
        .await?;
    assert_eq!(left, "");
    Ok(())
}

/// As in the first moment of a pod whose network plugin resets connections.
async fn connections_that_are_reset_at_first_are_repeated(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let cluster = test_cluster.cluster().await?;
    let namespace = namespace_with_account(cluster).await?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("https://{}", listener.local_addr()?);
    let forwarding = forward_after_resets(listener, (Ipv4Addr::LOCALHOST, cluster.port()));
    let kubeconfig = cluster
        .service_account_kubeconfig(&namespace, "api-check", Some(&url))
        .await?;
    let check = program("api-check", ["--namespace", &namespace]);
    let check = check.env("KUBECONFIG", &kubeconfig.display().to_string());
    tokio::select! {
        checked = check.prints(0, GOOD) => checked,
        failed = forwarding => failed,
    }
}

/// Closes 2 connections, and forwards each further one.
async fn forward_after_resets(listener: TcpListener, server: (Ipv4Addr, u16)) -> Result<()> {
    for _ in 0..2 {
        drop(listener.accept().await?);
    }
    loop {
        let (mut client, _) = listener.accept().await?;
        let mut server = TcpStream::connect(server).await?;
        tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
    }
}

/// A namespace with the account `api-check`, which may create resources there.
async fn namespace_with_account(cluster: &ControlPlane) -> Result<String> {
    let namespace = cluster.namespace("api").await?;
    let metadata = json!({ "name": "api-check", "namespace": namespace });
    let rule = json!({
        "apiGroups": ["awscredentials.dev"], "resources": ["staticawscredentials"], "verbs": ["create"],
    });
    let documents = [
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata }),
        json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": [rule] }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": metadata,
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "api-check" },
            "subjects": [{ "kind": "ServiceAccount", "name": "api-check", "namespace": namespace }],
        }),
    ];
    cluster
        .apply(
            &documents
                .map(|document| document.to_string())
                .join("\n---\n"),
        )
        .await?;
    Ok(namespace)
}

async fn an_account_without_rights_is_told_what_it_lacks(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let cluster = test_cluster.cluster().await?;
    let namespace = cluster.namespace("api").await?;
    let kubeconfig = cluster
        .service_account_kubeconfig(&namespace, "default", None)
        .await?;
    let check = program("api-check", ["--namespace", &namespace]);
    let run = check
        .env("KUBECONFIG", &kubeconfig.display().to_string())
        .run()
        .await?;
    assert_eq!(
        (run.code, run.out.lines().count()),
        (1, 5),
        "{}",
        run.output()
    );
    let words = format!(
        "let the account create staticawscredentials.awscredentials.dev in namespace {namespace}"
    );
    assert!(
        run.out.starts_with("FAIL  a good resource is accepted: "),
        "{}",
        run.output()
    );
    assert!(run.out.contains(&words), "{}", run.output());

    let absent = program("api-check", ["--namespace", "no-such-namespace"]);
    let kubeconfig = cluster.kubeconfig().display().to_string();
    let run = absent.env("KUBECONFIG", &kubeconfig).run().await?;
    assert_eq!(run.code, 1, "{}", run.output());
    assert!(
        run.out
            .contains("make sure that namespace no-such-namespace exists"),
        "{}",
        run.output()
    );

    let nowhere = program("api-check", ["--namespace", "default"])
        .run()
        .await?;
    assert_eq!(nowhere.code, 1, "{}", nowhere.output());
    assert!(
        nowhere
            .out
            .starts_with("FAIL  no configuration for the API server"),
        "{}",
        nowhere.output()
    );
    Ok(())
}

/// An outdated or relaxed definition, on a separate control plane.
async fn a_schema_without_rules_is_found_out(_: Arc<TestCluster>) -> Result<()> {
    use cluster::control_plane::{ControlPlane, Options};
    let cluster = ControlPlane::start(Options::default()).await?;
    let kubeconfig = cluster.kubeconfig().display().to_string();
    let check = || program("api-check", ["-n", "default"]).env("KUBECONFIG", &kubeconfig);
    let run = check().run().await?;
    assert_eq!(run.code, 1, "{}", run.output());
    assert!(
        run.out.contains("install the CustomResourceDefinition"),
        "{}",
        run.output()
    );

    cluster.apply(&relaxed()).await?;
    let kind = "crd/staticawscredentials.awscredentials.dev";
    cluster.kubectl(&["wait", "--for=create", kind]).await?;
    cluster
        .kubectl(&["wait", "--for=condition=Established", kind])
        .await?;
    let run = check().run().await?;
    let accepted = "FAIL  an account ID of eleven digits is refused: it was accepted, so the CustomResourceDefinition in the cluster does not check spec.validation.accountId";
    assert_eq!(run.code, 1, "{}", run.output());
    assert!(
        run.out.starts_with("ok    a good resource is accepted\n"),
        "{}",
        run.output()
    );
    assert!(run.out.contains(accepted), "{}", run.output());
    Ok(())
}

fn relaxed() -> String {
    let any = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": "staticawscredentials.awscredentials.dev" },
        "spec": {
            "group": "awscredentials.dev",
            "scope": "Namespaced",
            "names": { "kind": "StaticAwsCredentials", "plural": "staticawscredentials", "singular": "staticawscredentials" },
            "versions": [{ "name": "v1alpha1", "served": true, "storage": true, "schema": { "openAPIV3Schema": any } }],
        },
    })
    .to_string()
}
