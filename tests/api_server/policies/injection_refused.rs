//! Annotated pods that are rejected, and the messages.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::{
    policies::{
        attempt::{SECRET_VALUE, Things, assert_passes, assert_refused, pod},
        injection::{DIRECTORY, asks, asks_for, fixture},
        test_cluster::{PATIENCE, TestCluster},
    },
    suite::tests,
};

tests![
    an_annotation_that_names_no_secret_is_refused,
    a_container_that_the_pod_lacks_is_refused,
    a_volume_of_that_name_is_refused_unless_it_is_the_same,
    a_mount_at_or_in_the_directory_is_refused,
    a_variable_that_shadows_the_file_is_refused,
    a_pod_of_windows_is_refused,
    a_deployment_tells_why_it_has_no_pods,
];

async fn an_annotation_that_names_no_secret_is_refused(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let fixture = fixture(&test_cluster).await?;
    let words = "metadata.annotations[awscredentials.dev/inject]: must be the name of a Secret";
    for name in ["", " ", "Orders", "a/b", "../x", "a,b"] {
        let pod = pod(&json!({ "awscredentials.dev/inject": name }), json!({}));
        let answer = fixture.create(Things::Pods, &pod).await;
        assert_refused(&answer, "injected", words, name);
    }
    let alone = json!({ "awscredentials.dev/inject-containers": "app" });
    let answer = fixture.create(Things::Pods, &pod(&alone, json!({}))).await;
    assert_refused(&answer, "injected", words, "containers without a Secret");
    Ok(())
}

async fn a_container_that_the_pod_lacks_is_refused(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = fixture(&test_cluster).await?;
    for (list, name) in [
        ("ap", "ap"),
        ("app,other", "other"),
        ("", ""),
        ("app,", ""),
        ("app other", "app other"),
    ] {
        let answer = fixture
            .create(Things::Pods, &pod(&asks_for(list), json!({})))
            .await;
        let words = format!("the pod has no container \"{name}\"");
        assert_refused(&answer, "injected", &words, list);
    }
    Ok(())
}

/// A pod with this volume as `awscredentials-dev`.
fn with_volume(mut volume: Value) -> Value {
    volume["name"] = json!("awscredentials-dev");
    pod(&asks(), json!({ "volumes": [volume] }))
}

async fn a_volume_of_that_name_is_refused_unless_it_is_the_same(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let fixture = fixture(&test_cluster).await?;
    let words = "spec.volumes: the pod has a volume named awscredentials-dev of its own";
    let items = json!([{ "key": "config", "path": "config" }]);
    let cases = [
        ("another kind", json!({ "emptyDir": {} })),
        (
            "another Secret",
            json!({ "secret": { "secretName": "other" } }),
        ),
        (
            "some of the keys",
            json!({ "secret": { "secretName": "orders-credentials", "items": items } }),
        ),
        (
            "one that may be absent",
            json!({ "secret": { "secretName": "orders-credentials", "optional": true } }),
        ),
    ];
    for (what, volume) in cases {
        let answer = fixture.create(Things::Pods, &with_volume(volume)).await;
        assert_refused(&answer, "injected", words, what);
    }
    let same = with_volume(
        json!({ "secret": { "secretName": "orders-credentials", "defaultMode": 0o440 } }),
    );
    assert_passes(&fixture.create(Things::Pods, &same).await, "the same");
    Ok(())
}

/// A pod with a container `web` that has these fields, and a second container without any.
fn with_container(mut container: Value) -> Value {
    container["name"] = json!("web");
    container["image"] = json!("web");
    let containers = [json!({ "name": "app", "image": "app" }), container];
    pod(
        &asks(),
        json!({ "containers": containers, "volumes": [{ "name": "own", "emptyDir": {} }] }),
    )
}

async fn a_mount_at_or_in_the_directory_is_refused(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = fixture(&test_cluster).await?;
    let mount = |path: String, name: &str| json!({ "volumeMounts": [{ "name": name, "mountPath": path, "readOnly": true }] });
    let at = format!(
        "volumeMounts: container web mounts something else at {DIRECTORY}; move it, or leave the container out"
    );
    let inside = format!("volumeMounts: container web mounts something inside of {DIRECTORY}");
    let mut part = mount(DIRECTORY.to_owned(), "awscredentials-dev");
    part["volumeMounts"][0]["subPath"] = json!("config");
    let cases = [
        ("another volume", mount(DIRECTORY.to_owned(), "own"), &at),
        ("a part of the volume", part, &at),
        (
            "a file of it",
            mount(format!("{DIRECTORY}/credentials"), "own"),
            &inside,
        ),
        (
            "the same path in other words",
            mount(format!("{DIRECTORY}/"), "own"),
            &inside,
        ),
    ];
    for (what, container, words) in cases {
        let answer = fixture
            .create(Things::Pods, &with_container(container))
            .await;
        assert_refused(&answer, "injected", words, what);
    }
    let beside = mount("/var/run/secrets/awscredentials.dev-2".to_owned(), "own");
    assert_passes(
        &fixture.create(Things::Pods, &with_container(beside)).await,
        "beside",
    );
    Ok(())
}

async fn a_variable_that_shadows_the_file_is_refused(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = fixture(&test_cluster).await?;
    let from = json!({ "secretKeyRef": { "name": "own", "key": "id" } });
    let shadows = [
        "AWS_ACCESS_KEY_ID",
        "AWS_ACCESS_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SECRET_KEY",
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
    ];
    for name in shadows {
        for env in [
            json!({ "name": name, "value": SECRET_VALUE }),
            json!({ "name": name, "valueFrom": from }),
        ] {
            let answer = fixture
                .create(Things::Pods, &with_container(json!({ "env": [env] })))
                .await;
            let words = format!(
                "env: container web sets {name}, which SDKs prefer to the injected file; drop it, or leave the container out"
            );
            assert_refused(&answer, "injected", &words, name);
        }
    }
    let words = "env: container web sets AWS_SHARED_CREDENTIALS_FILE itself";
    let file = "AWS_SHARED_CREDENTIALS_FILE";
    for env in [
        json!({ "name": file, "value": "/own" }),
        json!({ "name": file }),
        json!({ "name": file, "valueFrom": from }),
    ] {
        let answer = fixture
            .create(Things::Pods, &with_container(json!({ "env": [env] })))
            .await;
        assert_refused(&answer, "injected", words, file);
    }
    let mut init = with_container(json!({ "env": [{ "name": "AWS_PROFILE", "value": "own" }] }));
    init["spec"]["initContainers"] = json!([init["spec"]["containers"][1]]);
    init["spec"]["containers"] = json!([init["spec"]["containers"][0]]);
    let answer = fixture.create(Things::Pods, &init).await;
    assert_refused(
        &answer,
        "injected",
        "container web sets AWS_PROFILE",
        "an init container",
    );
    // An empty value switches off the role of the service account.
    let off = json!({ "env": [{ "name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "" }, { "name": "AWS_REGION", "value": "eu-west-1" }] });
    assert_passes(
        &fixture.create(Things::Pods, &with_container(off)).await,
        "no role",
    );
    Ok(())
}

async fn a_pod_of_windows_is_refused(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = fixture(&test_cluster).await?;
    let windows = pod(&asks(), json!({ "os": { "name": "windows" } }));
    let answer = fixture.create(Things::Pods, &windows).await;
    assert_refused(
        &answer,
        "injected",
        "spec.os.name: injection is for Linux",
        "windows",
    );
    let linux = pod(&asks(), json!({ "os": { "name": "linux" } }));
    assert_passes(&fixture.create(Things::Pods, &linux).await, "linux");
    Ok(())
}

async fn a_deployment_tells_why_it_has_no_pods(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = fixture(&test_cluster).await?;
    let mut pod = with_container(json!({ "env": [{ "name": "AWS_PROFILE", "value": "own" }] }));
    pod["metadata"] = json!({ "labels": { "app": "x" }, "annotations": asks() });
    let spec =
        json!({ "replicas": 1, "selector": { "matchLabels": { "app": "x" } }, "template": pod });
    let deployment = json!({ "metadata": { "name": "shadowed" }, "spec": spec });
    fixture.create(Things::Deployments, &deployment).await?;
    let began = Instant::now();
    let message = loop {
        let deployment = fixture.api(Things::Deployments).get("shadowed").await?;
        let conditions = deployment.data["status"]["conditions"].as_array().cloned();
        let failed = |condition: &&Value| condition["type"] == "ReplicaFailure";
        if let Some(found) = conditions.iter().flatten().find(failed) {
            break found["message"].to_string();
        }
        ensure!(began.elapsed() < PATIENCE, "{deployment:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let words =
        "env: container web sets AWS_PROFILE, which SDKs prefer to the injected file; drop it";
    assert!(message.contains(words), "{message}");
    Ok(())
}
