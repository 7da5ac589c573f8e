//! Pods with hot rotation that are rejected, and the messages.

use std::sync::Arc;

use anyhow::Result;
use serde_json::{Value, json};

use crate::{
    policies::{
        attempt::{SECRET_VALUE, Things, assert_passes, assert_refused, pod},
        injection::{DIRECTORY, asks, fixture},
        injection_hot::{BIN, BIN_VOLUME, HELPER, hot, shellless},
        test_cluster::TestCluster,
    },
    suite::tests,
};

tests![
    a_value_that_is_not_known_is_refused,
    a_variable_that_shadows_the_process_is_refused,
    another_file_is_refused,
    a_door_to_another_identity_is_refused,
    variables_from_the_target_are_refused,
    a_volume_or_container_of_those_names_is_refused,
    a_mount_in_the_place_of_the_program_or_the_shell_is_refused,
];

async fn a_value_that_is_not_known_is_refused(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = fixture(&test_cluster).await?;
    let rotation = "metadata.annotations[awscredentials.dev/rotation]: must be Hot; remove it";
    for value in ["", "hot", "HOT", "Restart", "Hot "] {
        let mut annotations = asks();
        annotations["awscredentials.dev/rotation"] = json!(value);
        let answer = fixture
            .create(Things::Pods, &pod(&annotations, json!({})))
            .await;
        assert_refused(&answer, "injected", rotation, value);
    }
    let shell = "metadata.annotations[awscredentials.dev/shell]: must be None, beside";
    for value in ["", "none", "/bin/bash", "True"] {
        let mut annotations = hot();
        annotations["awscredentials.dev/shell"] = json!(value);
        let answer = fixture
            .create(Things::Pods, &pod(&annotations, json!({})))
            .await;
        assert_refused(&answer, "injected", shell, value);
    }
    let mut without = asks();
    without["awscredentials.dev/shell"] = json!("None");
    let answer = fixture
        .create(Things::Pods, &pod(&without, json!({})))
        .await;
    assert_refused(&answer, "injected", shell, "no rotation");

    let secret = "metadata.annotations[awscredentials.dev/inject]: must be the name of a Secret";
    let alone = json!({ "awscredentials.dev/rotation": "Hot" });
    let answer = fixture.create(Things::Pods, &pod(&alone, json!({}))).await;
    assert_refused(&answer, "injected", secret, "no Secret");
    Ok(())
}

/// A pod with a container `web` that has these fields.
fn with_container(annotations: &Value, mut container: Value) -> Value {
    container["name"] = json!("web");
    container["image"] = json!("web");
    let own = [json!({ "name": "own", "emptyDir": {} })];
    pod(
        annotations,
        json!({ "containers": [container], "volumes": own }),
    )
}

/// The same with one variable, set in both possible ways.
fn with_variable(name: &str, value: &str) -> [Value; 2] {
    let from = json!({ "secretKeyRef": { "name": "own", "key": "x" } });
    [
        json!({ "name": name, "value": value }),
        json!({ "name": name, "valueFrom": from }),
    ]
    .map(|env| with_container(&hot(), json!({ "env": [env] })))
}

async fn a_variable_that_shadows_the_process_is_refused(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let fixture = fixture(&test_cluster).await?;
    for name in [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
    ] {
        for pod in with_variable(name, SECRET_VALUE) {
            let answer = fixture.create(Things::Pods, &pod).await;
            let words = format!("env: container web sets {name}, which SDKs prefer");
            assert_refused(&answer, "injected", &words, name);
        }
    }
    Ok(())
}

async fn another_file_is_refused(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = fixture(&test_cluster).await?;
    for name in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        for file in [
            format!("{DIRECTORY}/credentials"),
            "/own".to_owned(),
            String::new(),
        ] {
            for pod in with_variable(name, &file) {
                let answer = fixture.create(Things::Pods, &pod).await;
                let words = format!("env: container web sets {name} itself; drop it, or leave");
                assert_refused(&answer, "injected", &words, name);
            }
        }
    }
    Ok(())
}

async fn a_door_to_another_identity_is_refused(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = fixture(&test_cluster).await?;
    for (name, value) in [
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/x"),
        ("AWS_EC2_METADATA_DISABLED", "false"),
        ("AWS_EC2_METADATA_DISABLED", ""),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1/"),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x"),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ""),
    ] {
        for pod in with_variable(name, value) {
            let answer = fixture.create(Things::Pods, &pod).await;
            let words =
                format!("env: container web sets {name}, by which some SDKs take another identity");
            assert_refused(&answer, "injected", &words, name);
        }
    }
    let closed = json!([
        { "name": "AWS_ROLE_ARN", "value": "" },
        { "name": "AWS_WEB_IDENTITY_TOKEN_FILE" },
        { "name": "AWS_CONTAINER_CREDENTIALS_FULL_URI", "value": "" },
        { "name": "AWS_REGION", "value": "eu-west-1" },
    ]);
    let pod = with_container(&hot(), json!({ "env": closed }));
    assert_passes(&fixture.create(Things::Pods, &pod).await, "closed");
    Ok(())
}

async fn variables_from_the_target_are_refused(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = fixture(&test_cluster).await?;
    let from = |secret: &str| json!({ "envFrom": [{ "configMapRef": { "name": "x" } }, { "secretRef": { "name": secret } }] });
    let words = "envFrom: container web has variables of Secret orders-credentials";
    let pod = with_container(&hot(), from("orders-credentials"));
    let answer = fixture.create(Things::Pods, &pod).await;
    assert_refused(&answer, "injected", words, "envFrom");
    let other = with_container(&hot(), from("other"));
    assert_passes(
        &fixture.create(Things::Pods, &other).await,
        "another Secret",
    );
    let mut cold = with_container(&asks(), from("orders-credentials"));
    cold["metadata"]["name"] = json!("cold");
    assert_passes(&fixture.create(Things::Pods, &cold).await, "no rotation");
    Ok(())
}

async fn a_volume_or_container_of_those_names_is_refused(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let fixture = fixture(&test_cluster).await?;
    let volume = json!({ "name": BIN_VOLUME, "configMap": { "name": "own" } });
    let answer = fixture
        .create(Things::Pods, &pod(&hot(), json!({ "volumes": [volume] })))
        .await;
    let words = "spec.volumes: the pod has a volume named awscredentials-dev-bin of its own";
    assert_refused(&answer, "injected", words, "volume");

    let command = ["/credential-process", "install", BIN];
    for own in [
        json!({ "name": HELPER, "image": "own" }),
        json!({ "name": HELPER, "image": "own", "command": ["sh"] }),
        json!({ "name": HELPER, "image": "own", "command": command }),
    ] {
        let answer = fixture
            .create(
                Things::Pods,
                &pod(&hot(), json!({ "initContainers": [own] })),
            )
            .await;
        let words = "spec.initContainers: the pod has a container named awscredentials-dev-helper";
        assert_refused(&answer, "injected", words, "container");
    }
    Ok(())
}

async fn a_mount_in_the_place_of_the_program_or_the_shell_is_refused(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let fixture = fixture(&test_cluster).await?;
    let mount = |path: &str| json!({ "volumeMounts": [{ "name": "own", "mountPath": path }] });
    let inside = format!("{BIN}/credential-process");
    let at = format!("volumeMounts: container web mounts something else at {BIN}; move it");
    let hides = format!("volumeMounts: container web mounts something inside of {BIN}; move it");
    let shell = "volumeMounts: container web mounts something else at /bin/sh; move it, or drop";
    for (annotations, path, words) in [
        (hot(), BIN, at.as_str()),
        (hot(), inside.as_str(), &hides),
        (shellless(), "/bin/sh", shell),
    ] {
        let pod = with_container(&annotations, mount(path));
        let answer = fixture.create(Things::Pods, &pod).await;
        assert_refused(&answer, "injected", words, path);
    }
    let own_shell = with_container(&hot(), mount("/bin/sh"));
    assert_passes(&fixture.create(Things::Pods, &own_shell).await, "a shell");
    Ok(())
}
