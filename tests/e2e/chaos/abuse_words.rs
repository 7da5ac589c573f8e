//! Text of an attacker that could get into logs, statuses and events.

use std::sync::Arc;

use anyhow::{Context, Result};
use cluster::sts::Answer;
use serde_json::{Value, json};

use crate::{
    chaos::counts::survived,
    harness::{
        steps::numbered,
        test_env::{TestCluster, TestEnv, condition},
    },
    suite::tests,
};

tests![a17_what_an_attacker_names_does_not_forge_a_line_of_the_log];

/// Names are the only free text of a tenant. An attacker between operator and STS chooses the ARN and the message.
async fn a17_what_an_attacker_names_does_not_forge_a_line_of_the_log(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
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
        env.sts.answer(&id, answer.clone());
        let name = format!("orders-{number}");
        env.source(&name, (&id, &secret)).await?;
        env.resource(&name, &name, json!({})).await?;
    }
    for number in 0..answers.len() {
        let object = env.until_observed(&format!("orders-{number}")).await?;
        let status = serde_json::to_value(&object.status)?;
        let (ready, _) = condition(&object, "Ready").context("no Ready")?;
        assert_eq!(ready, "False", "{status}");
        assert!(
            !texts(&status).iter().any(|text| text.contains("forged")),
            "{status}"
        );
    }
    env.until_idle().await?;
    let log = env.log()?;
    assert!(!log.contains("forged") && !log.contains('\u{1b}'), "{log}");
    let test = "a17_what_an_attacker_names_does_not_forge_a_line_of_the_log";
    survived(test, answers.len(), "answers with a forged line");
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
