//! Malicious sources, and settings that could redirect the operator.

use std::sync::Arc;

use anyhow::{Context, Result};
use cluster::sts::{Answer, Sts};
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::{
    chaos::counts::survived,
    harness::{
        actions::TARGET,
        test_env::{ACCOUNT, ARN, PAIR, SECOND, TestCluster, TestEnv, condition, message},
    },
    suite::tests,
    variables,
};

tests![
    a6_a_source_of_a_kind_that_holds_other_secrets_is_refused,
    a7_nothing_said_of_source_or_resource_reaches_the_target,
    a11_nothing_in_the_environment_of_the_operator_has_a_say,
    a12_values_that_are_made_to_hurt_get_a_reason,
];

async fn a6_a_source_of_a_kind_that_holds_other_secrets_is_refused(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled_with(test_cluster, json!({})).await?;
    let before = env.snapshot(TARGET).await?;
    let asked = env.sts.calls().len();
    let kinds = [
        (
            "kubernetes.io/service-account-token",
            json!({ "kubernetes.io/service-account.name": "operator" }),
        ),
        ("bootstrap.kubernetes.io/token", json!({})),
        ("helm.sh/release.v1", json!({})),
    ];
    let data = json!({ "AWS_ACCESS_KEY_ID": SECOND.0, "AWS_SECRET_ACCESS_KEY": SECOND.1 });
    env.invariants.secret(SECOND.1.as_bytes());
    for (number, (kind, annotations)) in kinds.iter().enumerate() {
        let source = format!("other-{number}");
        let manifest = json!({
            "metadata": { "name": source, "annotations": annotations }, "type": kind, "stringData": data,
        });
        env.foreign(manifest).await?;
        // For a new resource, and for one that has published.
        env.resource(&format!("new-{number}"), &source, json!({}))
            .await?;
        env.change("orders", json!({ "secretRef": { "name": source } }))
            .await?;
        for name in [format!("new-{number}"), "orders".to_owned()] {
            let object = env.until_stalled(&name, "SourceTypeForbidden").await?;
            assert!(message(&object, "Ready").contains(kind));
        }
        assert_eq!(
            env.snapshot(&format!("new-{number}-credentials")).await?,
            None
        );
        assert_eq!(env.snapshot(TARGET).await?, before);
    }
    assert_eq!(
        env.sts.calls().len(),
        asked,
        "their pairs go nowhere, not even to AWS"
    );
    let test = "a6_a_source_of_a_kind_that_holds_other_secrets_is_refused";
    survived(test, 6, "sources refused");
    Ok(())
}

async fn a7_nothing_said_of_source_or_resource_reaches_the_target(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled_with(test_cluster, json!({})).await?;
    let plain = env.secrets.get(TARGET).await?;
    let marks = json!({ "metadata": {
        "labels": { "replicator": "yes", "awscredentials.dev/other": "yes" },
        "annotations": { "replicate-to": "*", "awscredentials.dev/adopt-by": "other", "awscredentials.dev/region": "a" },
    } });
    env.edit_secret("pair", marks.clone()).await?;
    let patch = Patch::Merge(&marks);
    env.resources
        .patch("orders", &PatchParams::default(), &patch)
        .await?;
    env.source("pair", SECOND).await?;
    env.edit_secret("pair", marks).await?;
    let object = env.until_converged("orders").await?;
    assert!(
        object
            .metadata
            .labels
            .is_some_and(|labels| labels.contains_key("replicator"))
    );
    let target = env.secrets.get(TARGET).await?;
    assert_eq!(env.key_id(TARGET).await?, SECOND.0);
    assert_eq!(target.metadata.labels, plain.metadata.labels);
    assert_eq!(target.metadata.annotations, plain.metadata.annotations);
    assert_eq!(
        (target.type_, target.immutable),
        (Some("Opaque".to_owned()), None)
    );
    Ok(())
}

/// The sink counts every signed request, also those that use it as a proxy.
async fn a11_nothing_in_the_environment_of_the_operator_has_a_say(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    let sink = Sts::start().await?;
    sink.accept(SECOND.0, ACCOUNT, ARN, "AIDAQUAIL");
    let home = env
        .test_cluster
        .cluster()
        .directory()
        .join(format!("home-{}", env.namespace));
    std::fs::create_dir_all(home.join(".aws"))?;
    let profile = format!(
        "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\nendpoint_url = {}\n",
        SECOND.0,
        SECOND.1,
        sink.url()
    );
    for file in ["credentials", "config"] {
        std::fs::write(home.join(".aws").join(file), &profile)?;
    }
    let mut environment = vec![
        ("HOME".to_owned(), home.display().to_string()),
        ("AWS_ACCESS_KEY_ID".to_owned(), SECOND.0.to_owned()),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), SECOND.1.to_owned()),
        ("AWS_SESSION_TOKEN".to_owned(), "token".to_owned()),
        ("AWS_REGION".to_owned(), "us-east-1".to_owned()),
        ("AWS_PROFILE".to_owned(), "default".to_owned()),
    ];
    environment.extend(variables::URLS.map(|name| (name.to_owned(), sink.url())));
    let count = environment.len();
    env.environment = environment;
    env.start_operator().await?;
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.until_converged("orders").await?;
    let calls = env.sts.calls();
    assert!(
        !calls.is_empty() && sink.calls().is_empty(),
        "{:?}",
        sink.calls()
    );
    assert!(
        calls
            .iter()
            .all(|call| call.key_id == PAIR.0 && call.region == "eu-west-1"),
        "{calls:?}"
    );
    // A pair that AWS rejects is rejected, although the operator could use another pair.
    env.sts
        .answer(SECOND.0, Answer::error(403, "SignatureDoesNotMatch", "no"));
    env.source("pair", SECOND).await?;
    env.until_stalled("orders", "SignatureMismatch").await?;
    assert_eq!(env.key_id(TARGET).await?, PAIR.0);
    let test = "a11_nothing_in_the_environment_of_the_operator_has_a_say";
    survived(test, count, "variables ignored");
    Ok(())
}

async fn a12_values_that_are_made_to_hurt_get_a_reason(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled_with(test_cluster, json!({})).await?;
    let before = env.snapshot(TARGET).await?;
    let asked = env.sts.calls().len();
    let (id, secret) = SECOND;
    let huge = "A".repeat((1 << 20) - 4096);
    let newlines = "\n".repeat((1 << 20) - 4096);
    let values: Vec<(Vec<u8>, Vec<u8>, &str)> = vec![
        (id.into(), format!("{secret}\n").into(), "TrailingNewline"),
        (
            id.into(),
            format!("{secret}\r\nAuthorization: AWS4").into(),
            "ControlCharacter",
        ),
        (format!("{id}\r").into(), secret.into(), "TrailingNewline"),
        (
            format!("AKIA\0{}", &id[4..]).into(),
            secret.into(),
            "ControlCharacter",
        ),
        (id.into(), format!("{secret}\u{e9}").into(), ""),
        (
            format!("АКІА{}", &id[4..]).into(),
            secret.into(),
            "AccessKeyIdMalformed",
        ),
        (id.into(), vec![0xff; 40], "NotUtf8"),
        (id.into(), huge.clone().into(), "ValueTooLong"),
        (huge.into(), secret.into(), "ValueTooLong"),
        (id.into(), newlines.into(), ""),
        (Vec::new(), Vec::new(), "ValueEmpty"),
    ];
    for (id, secret, reason) in &values {
        let data = [
            ("AWS_ACCESS_KEY_ID", id.as_slice()),
            ("AWS_SECRET_ACCESS_KEY", secret),
        ];
        env.secret("pair", &data).await?;
        let object = env.until_observed("orders").await?;
        let (ready, actual) = condition(&object, "Ready").context("no Ready")?;
        // Characters outside ASCII in the secret access key violate no rule: AWS decides about them.
        assert_eq!(ready, "False", "{actual}");
        assert!(
            reason.is_empty() || actual == *reason,
            "{actual} instead of {reason}"
        );
        assert_eq!(env.snapshot(TARGET).await?, before, "{actual}");
    }
    let names: Vec<String> = (0..10_000).map(|number| format!("key-{number}")).collect();
    let many = names.iter().map(|name| (name.as_str(), b"a".as_slice()));
    env.secret("pair", &many.collect::<Vec<_>>()).await?;
    env.until_stalled("orders", "SourceKeyMissing").await?;
    let asked = env.sts.calls().len() - asked;
    assert!(
        asked <= 2,
        "AWS was asked {asked} times about values that no request can carry"
    );

    env.source("pair", SECOND).await?;
    env.until_converged("orders").await?;
    let test = "a12_values_that_are_made_to_hurt_get_a_reason";
    survived(test, values.len() + 1, "sources refused with a reason");
    Ok(())
}
