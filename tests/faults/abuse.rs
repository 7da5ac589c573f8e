//! Sources and answers that are made to hurt.

use std::sync::Arc;

use anyhow::{Context, Result};
use cluster::sts::Answer;
use serde_json::{Value, json};

use crate::{
    actions::{TARGET, tests},
    report,
    scene::{SECOND, Scene, Stage, condition, message},
    steps::numbered,
};

tests![
    a6_a_source_of_a_kind_that_holds_other_secrets_is_refused,
    a12_values_that_are_made_to_hurt_get_a_reason,
    a17_what_an_attacker_names_does_not_forge_a_line_of_the_log,
];

async fn a6_a_source_of_a_kind_that_holds_other_secrets_is_refused(
    stage: Arc<Stage>,
) -> Result<()> {
    let scene = Scene::settled_with(stage, json!({})).await?;
    let before = scene.snapshot(TARGET).await?;
    let asked = scene.sts.calls().len();
    let kinds = [
        (
            "kubernetes.io/service-account-token",
            json!({ "kubernetes.io/service-account.name": "operator" }),
        ),
        ("bootstrap.kubernetes.io/token", json!({})),
        ("helm.sh/release.v1", json!({})),
    ];
    let data = json!({ "AWS_ACCESS_KEY_ID": SECOND.0, "AWS_SECRET_ACCESS_KEY": SECOND.1 });
    scene.witness.secret(SECOND.1.as_bytes());
    for (number, (kind, annotations)) in kinds.iter().enumerate() {
        let source = format!("other-{number}");
        let manifest = json!({
            "metadata": { "name": source, "annotations": annotations }, "type": kind, "stringData": data,
        });
        scene.foreign(manifest).await?;
        // For a new resource, and for one that has published.
        scene
            .resource(&format!("new-{number}"), &source, json!({}))
            .await?;
        scene
            .change("orders", json!({ "secretRef": { "name": source } }))
            .await?;
        for name in [format!("new-{number}"), "orders".to_owned()] {
            let object = scene.until_stalled(&name, "SourceTypeForbidden").await?;
            assert!(message(&object, "Ready").contains(kind));
        }
        assert_eq!(
            scene.snapshot(&format!("new-{number}-credentials")).await?,
            None
        );
        assert_eq!(scene.snapshot(TARGET).await?, before);
    }
    assert_eq!(
        scene.sts.calls().len(),
        asked,
        "their pairs go nowhere, not even to AWS"
    );
    let test = "a6_a_source_of_a_kind_that_holds_other_secrets_is_refused";
    report::tried(test, 6, 6, "sources refused");
    Ok(())
}

async fn a12_values_that_are_made_to_hurt_get_a_reason(stage: Arc<Stage>) -> Result<()> {
    let scene = Scene::settled_with(stage, json!({})).await?;
    let before = scene.snapshot(TARGET).await?;
    let asked = scene.sts.calls().len();
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
        scene.secret("pair", &data).await?;
        let object = scene.until_spoken_of("orders").await?;
        let (ready, told) = condition(&object, "Ready").context("no Ready")?;
        // Characters outside of ASCII are of no layout's business: AWS has the last word on them.
        assert_eq!(ready, "False", "{told}");
        assert!(
            reason.is_empty() || told == *reason,
            "{told} instead of {reason}"
        );
        assert_eq!(scene.snapshot(TARGET).await?, before, "{told}");
    }
    let names: Vec<String> = (0..10_000).map(|number| format!("key-{number}")).collect();
    let many = names.iter().map(|name| (name.as_str(), b"a".as_slice()));
    scene.secret("pair", &many.collect::<Vec<_>>()).await?;
    scene.until_stalled("orders", "SourceKeyMissing").await?;
    let asked = scene.sts.calls().len() - asked;
    assert!(
        asked <= 2,
        "AWS was asked {asked} times about values that no request can carry"
    );

    scene.source("pair", SECOND).await?;
    scene.until_agreed("orders").await?;
    let test = "a12_values_that_are_made_to_hurt_get_a_reason";
    report::tried(
        test,
        values.len() + 1,
        values.len() + 1,
        "sources refused with a reason",
    );
    Ok(())
}

/// Names are the only free text of a tenant; STS's ARN and message are that of an attacker in between.
async fn a17_what_an_attacker_names_does_not_forge_a_line_of_the_log(
    stage: Arc<Stage>,
) -> Result<()> {
    let scene = Scene::open(stage).await?;
    let forged = "\n2026-01-01T00:00:00Z  INFO static_aws_credentials: forged \u{1b}[31m";
    let escaped = forged.replace('\n', "&#10;").replace('\u{1b}', "");
    let with = |arn: String| {
        format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Arn>{arn}</Arn><UserId>A</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
        )
    };
    let custom = |status, body: String| Answer::Custom {
        status,
        headers: Vec::new(),
        body: body.into_bytes(),
    };
    let arn = "arn:aws:iam::123456789012:user/";
    let answers = [
        custom(200, with(format!("{arn}{forged}"))),
        custom(200, with(format!("{arn}{escaped}"))),
        custom(200, with(format!("{arn}a\u{202e}forged"))),
        Answer::error(403, &escaped, &escaped),
        Answer::error(403, "AccessDenied", forged),
        Answer::error(500, forged, forged),
    ];
    for (number, answer) in answers.iter().enumerate() {
        let (id, secret) = numbered(number);
        scene.sts.answer(&id, answer.clone());
        let name = format!("orders-{number}");
        scene.source(&name, (&id, &secret)).await?;
        scene.resource(&name, &name, json!({})).await?;
    }
    for number in 0..answers.len() {
        let object = scene.until_spoken_of(&format!("orders-{number}")).await?;
        let status = serde_json::to_value(&object.status)?;
        let (ready, _) = condition(&object, "Ready").context("no Ready")?;
        assert_eq!(ready, "False", "{status}");
        assert!(
            !texts(&status).iter().any(|text| text.contains("forged")),
            "{status}"
        );
    }
    scene.quiet().await;
    let log = scene.log()?;
    assert!(!log.contains("forged") && !log.contains('\u{1b}'), "{log}");
    let test = "a17_what_an_attacker_names_does_not_forge_a_line_of_the_log";
    report::tried(
        test,
        answers.len(),
        answers.len(),
        "answers with a forged line",
    );
    Ok(())
}

/// All strings of a value.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(values) => values.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}
