//! Input that is not a manifest, or that an API server rejects: an error explains it, and never quotes the input.

use std::sync::Arc;

use anyhow::{Result, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    check::{
        program::check,
        test_cluster::{PAIR, TestCluster, secret},
    },
    suite::tests,
};

tests![
    what_is_no_manifest_is_called_so,
    what_no_api_server_takes_is_called_so,
    a_resource_that_cannot_be_read_is_called_so,
    an_encrypted_secret_is_called_so,
    what_something_else_is_to_write_is_no_pair,
    large_and_deep_input_ends_in_time,
    a_value_is_not_named_that_stands_in_the_place_of_a_key,
];

const HEAD: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: orders-key-pair}\n";

async fn unusable(input: impl Into<Vec<u8>>, words: &str) -> Result<()> {
    let flags = ["-f", "-", "--offline"];
    check(flags)
        .input(input)
        .fails_with(&format!("standard input: {words}"))
        .await
}

async fn what_is_no_manifest_is_called_so(_: Arc<TestCluster>) -> Result<()> {
    let (id, key) = PAIR;
    let garbage: Vec<u8> = (0..=255u8).rev().cycle().take(4096).collect();
    let cases: [(Vec<u8>, &str); 9] = [
        (Vec::new(), "it holds no Secret"),
        (b"---\n---\n".to_vec(), "it holds no Secret"),
        (garbage, "it is not UTF-8 text"),
        (
            format!("Access key ID,Secret access key\n{id},{key}\n").into(),
            "it is not a Kubernetes manifest",
        ),
        (
            format!("[default]\naws_access_key_id = {id}\n").into(),
            "it is not",
        ),
        (
            format!("AWS_ACCESS_KEY_ID: {id}\nAWS_SECRET_ACCESS_KEY: {key}\n").into(),
            "it is not a Kubernetes manifest: apiVersion or kind is missing",
        ),
        (
            format!(
                "{HEAD}stringData:\n  AWS_ACCESS_KEY_ID: {id}\n AWS_SECRET_ACCESS_KEY: {key}\n"
            )
            .into(),
            "it is not valid YAML or JSON from line ",
        ),
        (
            secret(id, key).trim_end_matches('}').into(),
            "it is not valid YAML or JSON",
        ),
        (
            secret(id, key)
                .replace("\"Secret\"", "\"SealedSecret\"")
                .into(),
            "it holds no Secret, only SealedSecret",
        ),
    ];
    for (input, words) in cases {
        unusable(input, words).await?;
    }
    Ok(())
}

async fn what_no_api_server_takes_is_called_so(_: Arc<TestCluster>) -> Result<()> {
    let (id, key) = PAIR;
    let cases = [
        (
            format!("data: {{AWS_ACCESS_KEY_ID: {id}, AWS_SECRET_ACCESS_KEY: '{key}!'}}"),
            "data.AWS_SECRET_ACCESS_KEY of the Secret is not base64",
        ),
        ("data: text".to_owned(), "data of the Secret is not a map"),
        (
            "stringData: [text]".to_owned(),
            "stringData of the Secret is not a map",
        ),
        (
            "stringData: {AWS_ACCESS_KEY_ID: 1234567890123456}".to_owned(),
            "stringData.AWS_ACCESS_KEY_ID of the Secret is not text",
        ),
        (
            "stringData: {AWS_ACCESS_KEY_ID: {a: b}}".to_owned(),
            "stringData.AWS_ACCESS_KEY_ID of the Secret is not text",
        ),
    ];
    for (rest, words) in cases {
        unusable(format!("{HEAD}{rest}\n"), words).await?;
    }
    unusable(
        format!("apiVersion: v1\nkind: Secret\nmetadata: [{key}]\n"),
        "the metadata of a Secret in it cannot be read",
    )
    .await?;
    // Accepted by an API server: empty values, no data, data encoded once too often.
    let twice = |text: &str| STANDARD.encode(STANDARD.encode(text));
    for (rest, reason) in [
        (
            "stringData: {AWS_ACCESS_KEY_ID: , AWS_SECRET_ACCESS_KEY: }".to_owned(),
            "ValueEmpty",
        ),
        ("data: ".to_owned(), "SourceKeyMissing"),
        (
            format!(
                "data: {{AWS_ACCESS_KEY_ID: {}, AWS_SECRET_ACCESS_KEY: {}}}",
                twice(id),
                twice(key)
            ),
            "EncodedTwice",
        ),
        (
            format!("stringData: {{AWS_ACCESS_KEY_ID: {key}, AWS_SECRET_ACCESS_KEY: {id}}}"),
            "ValuesSwapped",
        ),
        (
            format!(
                "stringData: {{AWS_ACCESS_KEY_ID: \"{id}\\r\\n\", AWS_SECRET_ACCESS_KEY: {key}}}"
            ),
            "TrailingNewline",
        ),
        (
            format!("stringData: {{AWS_ACCESS_KEY_ID: \"{id}\\0\", AWS_SECRET_ACCESS_KEY: {key}}}"),
            "ControlCharacter",
        ),
        (
            format!(
                "data: {{AWS_ACCESS_KEY_ID: '/w==', AWS_SECRET_ACCESS_KEY: {}}}",
                STANDARD.encode(key)
            ),
            "NotUtf8",
        ),
    ] {
        let run = check(["-f", "-", "--offline"])
            .input(format!("{HEAD}{rest}\n"))
            .run()
            .await?;
        assert_eq!(run.code, 1, "{rest}: {}", run.output());
        assert!(
            run.out.starts_with(&format!("REJECTED: {reason},")),
            "{}",
            run.output()
        );
    }
    Ok(())
}

async fn a_resource_that_cannot_be_read_is_called_so(_: Arc<TestCluster>) -> Result<()> {
    let secret = secret(PAIR.0, PAIR.1);
    let cases = [
        (
            "{secretRef: {name: orders-key-pair}}",
            "spec.region must be set when spec.validation.level is Identity",
        ),
        (
            "{secretRef: {name: orders-key-pair}, region: here}",
            "spec.region",
        ),
        (
            "{secretRef: {name: orders-key-pair}, region: eu-west-1, validation: {accountID: '1'}}",
            "unknown field spec.validation.accountID",
        ),
        (
            "{secretRef: {name: orders-key-pair}, region: eu-west-1, rotation: {restart: {scope: Workloads, \
             workloads: [{kind: Deployment, name: a}, {kind: Deployment, name: b, namespace: c}]}}}",
            "unknown field spec.rotation.restart.workloads[1].namespace",
        ),
        (
            "{secretRef: {name: orders-key-pair}, region: eu-west-1, validation: {arn: me}}",
            "spec.validation.arn",
        ),
        (
            "{secretRef: {name: orders-key-pair}, region: eu-west-1, validation: {interval: 1s}}",
            "spec.validation.interval",
        ),
        (
            "{secretRef: {name: orders-key-pair}, region: eu-west-1, validation: {accountId: 012345678901}}",
            "spec.validation.accountId is a number; put it in quotes",
        ),
        ("{region: eu-west-1}", "cannot be read"),
        ("text", "cannot be read"),
    ];
    for (spec, words) in cases {
        let input = format!(
            "apiVersion: awscredentials.dev/v1alpha1\nkind: StaticAwsCredentials\nmetadata: {{name: orders}}\nspec: {spec}\n---\n{secret}"
        );
        check(["-f", "-"]).input(input).fails_with(words).await?;
    }
    let key = PAIR.1;
    let input = format!(
        "apiVersion: awscredentials.dev/v1alpha1\nkind: StaticAwsCredentials\nmetadata: {{name: orders}}\nspec: {{secretRef: {{name: a}}, '{key}': x, target: {{keys: {{a: '{key}'}}}}}}\n"
    );
    check(["-f", "-"])
        .input(input)
        .fails_with("cannot be read")
        .await
}

async fn an_encrypted_secret_is_called_so(_: Arc<TestCluster>) -> Result<()> {
    let value = "ENC[AES256_GCM,data:p673w==,iv:YY=,tag:UQ==,type:str]";
    let input = format!(
        "{HEAD}stringData:\n  AWS_ACCESS_KEY_ID: {value}\n  AWS_SECRET_ACCESS_KEY: {value}\nsops:\n  version: 3.9.0\n"
    );
    unusable(input, "the Secret is encrypted with SOPS; decrypt it first").await
}

async fn what_something_else_is_to_write_is_no_pair(_: Arc<TestCluster>) -> Result<()> {
    let (id, _) = PAIR;
    let template = "looks like a template; render it first";
    let cases = [
        ("${AWS_SECRET_ACCESS_KEY}", template),
        ("$${AWS_SECRET_ACCESS_KEY}", template),
        ("$AWS_SECRET_ACCESS_KEY", template),
        ("{{ .Values.secret }}", template),
        ("<path:kv/data/orders#secret>", template),
        ("ref+awsssm://orders/secret", template),
        ("CHANGEME", template),
        ("xxxxxxxxxxxxxxxxxxxx", "is an example"),
        (
            "$ANSIBLE_VAULT;1.1;AES256",
            "is encrypted with ansible-vault",
        ),
        ("ENC[AES256_GCM,data:p673w==]", "is encrypted with SOPS"),
        ("age-encryption.org/v1", "is encrypted with age"),
    ];
    for (value, words) in cases {
        let input = format!(
            "{HEAD}stringData: {{AWS_ACCESS_KEY_ID: {id}, AWS_SECRET_ACCESS_KEY: '{value}'}}\n"
        );
        let run = check(["-f", "-", "--offline"]).input(input).run().await?;
        let is_reported = run.code == 1 && run.out.contains("ValueIsPlaceholder");
        ensure!(
            is_reported && run.out.contains(words),
            "{value}: {}",
            run.output()
        );
    }
    Ok(())
}

async fn large_and_deep_input_ends_in_time(_: Arc<TestCluster>) -> Result<()> {
    let mut bomb = vec!["a0: &a0 [x, x, x, x, x, x, x, x, x]".to_owned()];
    for level in 1..12 {
        let before = format!("*a{}, ", level - 1).repeat(9);
        bomb.push(format!("a{level}: &a{level} [{before}]"));
    }
    unusable(bomb.join("\n"), "it is not valid YAML or JSON").await?;
    unusable("[".repeat(100_000), "it is not valid YAML or JSON").await?;
    unusable("{\"a\":".repeat(100_000), "it is not valid YAML or JSON").await?;
    unusable("- ".repeat(100_000), "it is not").await?;
    unusable(vec![b'a'; 9 * 1024 * 1024], "it is larger than 8 MiB").await?;
    for endless in ["/dev/zero", "/dev/urandom"] {
        let words = format!("{endless}: it is larger than 8 MiB");
        check(["-f", endless, "--offline"])
            .fails_with(&words)
            .await?;
    }
    let long = "A".repeat(1_000_000);
    let run = check(["-f", "-", "--offline"])
        .input(secret(PAIR.0, &long))
        .run()
        .await?;
    assert_eq!(run.code, 1, "{}", run.output());
    assert!(
        run.out.contains("ValueTooLong") && run.out.len() < 1000,
        "{}",
        run.output()
    );
    Ok(())
}

async fn a_value_is_not_named_that_stands_in_the_place_of_a_key(_: Arc<TestCluster>) -> Result<()> {
    let (id, key) = PAIR;
    for rest in [
        format!("data: {{'{key}': '!', '{id}': AWS}}"),
        format!("stringData: {{'{key}': 1, '{id}': 2}}"),
    ] {
        let words = "another value under ";
        unusable(format!("{HEAD}{rest}\n"), words).await?;
    }
    Ok(())
}
