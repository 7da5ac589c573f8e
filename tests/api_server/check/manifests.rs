//! Input formats: YAML and JSON, `data` and `stringData`, streams of documents and lists, with or without a resource.

use std::sync::Arc;

use anyhow::Result;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::{
    check::{
        program::{Run, check},
        test_cluster::{ACCOUNT, ARN, PAIR, TestCluster, secret, sts},
    },
    suite::tests,
};

tests![
    a_secret_is_read_in_every_way_of_writing_it,
    a_file_is_read,
    other_keys_of_the_secret_can_hold_the_pair,
    one_of_several_secrets_is_named,
    a_resource_gives_region_pins_and_keys,
    a_resource_of_several_is_named,
    flags_come_before_the_spec_of_a_resource,
    a_layout_that_cannot_carry_the_pair_rejects_it,
    a_resource_at_level_format_asks_nobody,
    a_target_of_the_operator_is_no_source,
];

async fn offline(input: impl Into<Vec<u8>>) -> Result<Run> {
    check(["-f", "-", "--offline"]).input(input).run().await
}

async fn a_secret_is_read_in_every_way_of_writing_it(_: Arc<TestCluster>) -> Result<()> {
    let (id, key) = PAIR;
    let (id64, key64) = (STANDARD.encode(id), STANDARD.encode(key));
    let (front, back) = key64.split_at(30);
    let head = "apiVersion: v1\nkind: Secret\nmetadata: {name: orders-key-pair}\n";
    let string_data =
        format!("{head}stringData:\n  AWS_ACCESS_KEY_ID: {id}\n  AWS_SECRET_ACCESS_KEY: {key}\n");
    let documents = [
        string_data.clone(),
        string_data.replace('\n', "\r\n"),
        format!("\u{FEFF}{string_data}"),
        format!("# a comment\n---\n{string_data}...\n"),
        format!("{head}data:\n  AWS_ACCESS_KEY_ID: {id64}\n  AWS_SECRET_ACCESS_KEY: {key64}\n"),
        format!(
            "{head}data:\n  AWS_ACCESS_KEY_ID: {id64}\n  AWS_SECRET_ACCESS_KEY: |\n    {front}\n    {back}\n"
        ),
        format!(
            "{head}data: {{AWS_ACCESS_KEY_ID: {id64}, AWS_SECRET_ACCESS_KEY: bm90aGluZw==}}\nstringData: {{AWS_SECRET_ACCESS_KEY: {key}}}\n"
        ),
        format!(
            "{head}type: Opaque\nimmutable: true\nstringData: {{AWS_ACCESS_KEY_ID: {id}, AWS_SECRET_ACCESS_KEY: \"{key}\", other: x}}\n"
        ),
        secret(id, key),
        serde_json::to_string_pretty(&json!({"apiVersion": "v1", "kind": "List", "items": [
            serde_json::from_str::<serde_json::Value>(&secret(id, key))?,
        ]}))?
        .replace("  ", "\t"),
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: other}}\n---\n\n---\n{string_data}"
        ),
    ];
    for document in documents {
        let run = offline(document.clone()).await?;
        assert_eq!(run.code, 0, "{document}\n{}", run.output());
        assert!(run.out.contains("…L2A3"), "{}", run.output());
    }
    Ok(())
}

async fn a_file_is_read(_: Arc<TestCluster>) -> Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), secret(PAIR.0, PAIR.1))?;
    let path = file.path().display().to_string();
    let run = check(["--file", &path, "--offline"]).run().await?;
    assert_eq!(run.code, 0, "{}", run.output());
    Ok(())
}

async fn other_keys_of_the_secret_can_hold_the_pair(_: Arc<TestCluster>) -> Result<()> {
    let input = secret(PAIR.0, PAIR.1)
        .replace("AWS_ACCESS_KEY_ID", "id")
        .replace("AWS_SECRET_ACCESS_KEY", "key");
    let text = r#"REJECTED: SourceKeyMissing, Secret orders-key-pair
  key "AWS_ACCESS_KEY_ID" of Secret "orders-key-pair" does not exist, nor does key "AWS_SECRET_ACCESS_KEY"; add both, or name the right ones with --access-key-id-key and --secret-access-key-key
"#;
    check(["-f", "-", "--offline"])
        .input(input.clone())
        .prints(1, text)
        .await?;
    let flags = ["-f", "-", "--offline", "--access-key-id-key", "id"];
    let text = r#"REJECTED: SourceKeyMissing, Secret orders-key-pair
  key "AWS_SECRET_ACCESS_KEY" of Secret "orders-key-pair" does not exist; add it, or correct --secret-access-key-key
"#;
    check(flags).input(input.clone()).prints(1, text).await?;
    let flags = flags.iter().chain(&["--secret-access-key-key", "key"]);
    let run = check(flags).input(input).run().await?;
    assert_eq!(run.code, 0, "{}", run.output());
    Ok(())
}

async fn one_of_several_secrets_is_named(_: Arc<TestCluster>) -> Result<()> {
    let good = secret(PAIR.0, PAIR.1);
    let bad = secret(PAIR.0, "").replace("orders-key-pair", "bills");
    let both = format!("{good}\n---\n{bad}");
    let flags = ["-f", "-", "--offline"];
    check(flags)
        .input(both.clone())
        .fails_with("several of kind Secret: orders-key-pair, bills; name one with --secret")
        .await?;
    for (name, code) in [("orders-key-pair", 0), ("bills", 1)] {
        let named = ["--secret", name];
        let run = check(flags.iter().chain(&named)).input(both.clone());
        let run = run.run().await?;
        assert_eq!(run.code, code, "{}", run.output());
        assert!(
            run.out.contains(&format!("Secret {name}\n")),
            "{}",
            run.output()
        );
    }
    let flags = flags.iter().chain(&["--secret", "nobody"]);
    let words = "it holds no Secret of that name, only orders-key-pair, bills";
    check(flags).input(both).fails_with(words).await
}

/// A resource and its source.
fn manifests(name: &str, spec: &serde_json::Value) -> String {
    let mut resource = json!({
        "apiVersion": "awscredentials.dev/v1alpha1",
        "kind": "StaticAwsCredentials",
        "metadata": { "name": name, "namespace": "orders" },
        "spec": { "secretRef": { "name": "orders-key-pair" }, "region": "eu-central-1" },
    });
    for (field, value) in spec.as_object().into_iter().flatten() {
        resource["spec"][field] = value.clone();
    }
    format!("{resource}\n---\n{}", secret(PAIR.0, PAIR.1))
}

async fn a_resource_gives_region_pins_and_keys(_: Arc<TestCluster>) -> Result<()> {
    let sts = sts().await?;
    let url = sts.url();
    let flags = ["-f", "-", "--sts-endpoint", &url, "-o", "json"];
    let pins = json!({ "validation": { "accountId": ACCOUNT, "arn": ARN } });
    let run = check(flags).input(manifests("orders", &pins)).run().await?;
    assert_eq!(run.code, 0, "{}", run.output());
    let json = run.json()?;
    assert_eq!(json["resource"], "orders");
    assert_eq!(json["namespace"], "orders");
    assert_eq!(json["secret"], "orders-key-pair");
    assert_eq!(json["region"], "eu-central-1");
    assert_eq!(sts.calls()[0].region, "eu-central-1");

    let pins = json!({ "validation": { "accountId": "999999999999" } });
    let run = check(flags).input(manifests("orders", &pins)).run().await?;
    let json = run.json()?;
    assert_eq!((run.code, &json["reason"]), (1, &json!("PinMismatch")));
    // The message names the field of the manifest that has to be corrected.
    let message = json["message"].as_str().unwrap_or_default();
    assert!(
        message.contains("spec.validation.accountId is 999999999999"),
        "{message}"
    );

    let keys = json!({ "secretRef": { "name": "orders-key-pair", "accessKeyIdKey": "id" } });
    let run = check(flags).input(manifests("orders", &keys)).run().await?;
    assert_eq!(
        (run.code, &run.json()?["reason"]),
        (1, &json!("SourceKeyMissing"))
    );
    Ok(())
}

async fn a_resource_of_several_is_named(_: Arc<TestCluster>) -> Result<()> {
    let flags = ["-f", "-", "--offline"];
    let other = manifests("bills", &json!({ "secretRef": { "name": "absent" } }));
    let other = other.split("\n---\n").next().unwrap_or_default().to_owned();
    let both = format!("{}\n---\n{other}", manifests("orders", &json!({})));
    let words = "several of kind StaticAwsCredentials: orders, bills; name one with --resource";
    check(flags).input(both.clone()).fails_with(words).await?;
    let run = check(flags.iter().chain(&["--resource", "orders"])).input(both.clone());
    let run = run.run().await?;
    assert_eq!(run.code, 0, "{}", run.output());
    let words = "and not its source, Secret \"absent\"";
    let run = check(flags.iter().chain(&["--resource", "bills"])).input(both.clone());
    run.fails_with(words).await?;
    let run = check(flags.iter().chain(&["--secret", "orders-key-pair"])).input(both);
    let run = run.run().await?;
    assert_eq!(run.code, 0, "{}", run.output());
    Ok(())
}

async fn flags_come_before_the_spec_of_a_resource(_: Arc<TestCluster>) -> Result<()> {
    let sts = sts().await?;
    let url = sts.url();
    let pins = json!({ "validation": { "accountId": "999999999999" } });
    let flags = [
        "-f",
        "-",
        "--sts-endpoint",
        &url,
        "--account-id",
        ACCOUNT,
        "--region",
        "eu-west-3",
    ];
    let run = check(flags).input(manifests("orders", &pins)).run().await?;
    assert_eq!(run.code, 0, "{}", run.output());
    assert_eq!(sts.calls()[0].region, "eu-west-3");
    Ok(())
}

async fn a_layout_that_cannot_carry_the_pair_rejects_it(_: Arc<TestCluster>) -> Result<()> {
    let hash = "#SecretThatBeginsAComment/in+aFile/wSecr";
    let layouts = |layouts: &[&str]| {
        let spec = json!({ "target": { "layouts": layouts } });
        manifests("orders", &spec).replace(PAIR.1, hash)
    };
    let run = check(["-f", "-", "--offline"]).canary(hash);
    let run = run.input(layouts(&["SharedCredentialsFile"])).run().await?;
    assert_eq!(run.code, 1, "{}", run.output());
    assert!(run.out.contains("LayoutCannotCarry"), "{}", run.output());
    assert!(run.out.contains("spec.target.layouts"), "{}", run.output());
    let run = check(["-f", "-", "--offline"]).canary(hash);
    let run = run.input(layouts(&["Env"])).run().await?;
    assert_eq!(run.code, 0, "{}", run.output());
    // Without a resource, a Secret is checked for the default layouts.
    let run = check(["-f", "-", "--offline"])
        .canary(hash)
        .input(secret(PAIR.0, hash));
    let run = run.run().await?;
    assert_eq!(run.code, 1, "{}", run.output());
    assert!(run.out.contains("LayoutCannotCarry"), "{}", run.output());
    assert!(!run.out.contains("spec."), "{}", run.output());
    Ok(())
}

async fn a_resource_at_level_format_asks_nobody(_: Arc<TestCluster>) -> Result<()> {
    let sts = sts().await?;
    let url = sts.url();
    let spec = json!({ "validation": { "level": "Format" } });
    let run = check(["-f", "-", "--sts-endpoint", &url]).input(manifests("orders", &spec));
    let run = run.run().await?;
    assert_eq!((run.code, sts.calls().len()), (0, 0), "{}", run.output());
    assert!(run.out.contains("FormatOnly"), "{}", run.output());
    let spec = json!({ "validation": { "arn": ARN } });
    let run = check(["-f", "-", "--offline"])
        .input(manifests("orders", &spec))
        .run()
        .await?;
    assert_eq!(run.code, 0, "{}", run.output());
    let note = "note     spec.validation.arn was not checked: only STS knows the ARN";
    assert!(run.out.contains(note), "{}", run.output());
    Ok(())
}

async fn a_target_of_the_operator_is_no_source(_: Arc<TestCluster>) -> Result<()> {
    let label = r#""metadata":{"labels":{"awscredentials.dev/uid":"11111111-2222-3333-4444-555555555555"},"#;
    let input = secret(PAIR.0, PAIR.1).replace(r#""metadata":{"#, label);
    let run = offline(input).await?;
    assert_eq!(run.code, 1, "{}", run.output());
    assert!(run.out.contains("SourceIsTarget"), "{}", run.output());
    let advice = "by its label awscredentials.dev/uid; name the Secret that a person or pipeline fills, or, if \
                  this one is a copy of a target, remove that from the copy";
    assert!(run.out.contains(advice), "{}", run.output());
    let input = secret(PAIR.0, PAIR.1).replace(
        r#""kind":"Secret""#,
        r#""kind":"Secret","type":"helm.sh/release.v1""#,
    );
    let run = offline(input).await?;
    assert_eq!(run.code, 1, "{}", run.output());
    assert!(run.out.contains("SourceTypeForbidden"), "{}", run.output());
    Ok(())
}
