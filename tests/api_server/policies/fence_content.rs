//! Content that the operator's account may write into a Secret: only what the operator renders, and nothing that makes
//! a reader of the Secret run a program.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Result, anyhow};
use serde_json::{Value, json};
use static_aws_credentials::{
    api::{Layout, TargetValue},
    domain::{
        layout::{Request, render},
        pair::{KeyPair, SecretText},
    },
};
use strum::VariantArray as _;

use crate::{
    policies::{
        attempt::{Answer, Things, assert_passes, assert_refused},
        fence::Fixture,
        test_cluster::TestCluster,
    },
    suite::tests,
};

tests![
    what_the_operator_renders_is_written,
    a_file_that_sdks_read_has_one_form,
    a_second_line_is_written_under_no_key,
    a_credential_process_is_named_under_no_other_key,
    a_variable_that_holds_a_program_is_not_written,
    a_variable_that_a_loader_reads_is_not_written,
    a_secret_of_a_mebibyte_is_refused_for_its_length,
];

const ID: &str = "AKIARZPUZDIKQUAIL2A3";
const ONE_LINE: &str = "values of one line";

/// Creates a target with exactly this data, in a dry run.
async fn written(fixture: &Fixture, data: Value) -> Answer {
    let mut secret = fixture.marks().target("a");
    secret["stringData"] = data;
    fixture.operator.create(Things::Secrets, &secret).await
}

fn rendered(secret: &str, region: Option<&str>, ttl: u32) -> Result<Value> {
    let pair = KeyPair {
        access_key_id: SecretText::new(ID.to_owned()),
        secret_access_key: SecretText::new(secret.to_owned()),
    };
    let keys = BTreeMap::from([
        ("accesskey".to_owned(), TargetValue::AccessKeyId),
        ("secretkey".to_owned(), TargetValue::SecretAccessKey),
        ("S3_ACCESS_KEY".to_owned(), TargetValue::AccessKeyId),
        ("cloud".to_owned(), TargetValue::CredentialsFile),
        ("creds".to_owned(), TargetValue::ProcessJson),
        ("settings".to_owned(), TargetValue::ConfigFile),
        ("place".to_owned(), TargetValue::Region),
    ]);
    let request = Request {
        layouts: Layout::VARIANTS,
        keys: &keys,
        region,
        ttl,
    };
    let data = render(&request, &pair).map_err(|finding| anyhow!(finding.message))?;
    data.into_iter()
        .map(|(key, bytes)| {
            let text = String::from_utf8(bytes.expose_secret().to_vec())?;
            Ok((key, Value::String(text)))
        })
        .collect()
}

async fn what_the_operator_renders_is_written(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = Fixture::of(&test_cluster).await?;
    let longest = "ab/+".repeat(1024);
    let secrets = [
        "wSecretOfTheFirstPair+wSecretOfTheFirst1",
        "of one store: !\"$%&'()*,-.:<=>?@[\\]^_`{|}~ x",
        "größer\u{2028}als-ASCII",
        "1",
        "12",
        "123",
        &longest,
    ];
    for secret in secrets {
        for (region, ttl) in [(Some("us-isob-east-1"), 960), (None, 43_200)] {
            let data = rendered(secret, region, ttl)?;
            let answer = written(&fixture, data).await;
            assert_passes(&answer, &format!("{secret:.60} {region:?}"));
        }
    }
    let words = json!({ "S3_SECRET_KEY": "wSecretOf/The+First=1_-" });
    assert_passes(&written(&fixture, words).await, "a key in capitals");
    assert_passes(&written(&fixture, json!({ "empty": "" })).await, "no text");
    Ok(())
}

async fn a_file_that_sdks_read_has_one_form(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = Fixture::of(&test_cluster).await?;
    let pair = format!("[default]\naws_access_key_id = {ID}\naws_secret_access_key = x\n");
    let own = "/var/run/awscredentials.dev/credential-process --file /var/run/secrets/awscredentials.dev/credentials.json --ttl 960";
    let process = format!("[default]\ncredential_process = {own}\n");
    let program = "credential_process = /bin/sh -c x\n";
    let cases = [
        (
            "config",
            format!("[default]\nregion = eu-west-1\n{program}"),
        ),
        ("config", format!("[default]\n{program}")),
        ("config", "[default]\nregion = eu-west-1\r[p]\n".to_owned()),
        ("config", "[default]\nregion = x@evil.io/\n".to_owned()),
        ("config", "[default]\nregion = eu-west-1".to_owned()),
        ("config", "[default]\nregion = ä\n".to_owned()),
        (
            "config",
            format!("[default]\nregion = {}\n", "x".repeat(33)),
        ),
        ("config", String::new()),
        ("config", ID.to_owned()),
        ("config-process", format!("{process}{program}")),
        ("config-process", process.replace("--ttl", "; x --ttl")),
        (
            "config-process",
            process.replace("/var/run/aws", "/tmp/aws"),
        ),
        ("config-process", process.replace("960", "960\t")),
        (
            "config-process",
            "[default]\nregion = eu-west-1\n".to_owned(),
        ),
        ("credentials", format!("{pair}{program}")),
        ("credentials", format!("{pair}[other]\n{program}")),
        ("credentials", pair.replace(" = x\n", " = x\r")),
        ("credentials", pair.replace(" = x", " = x\ty")),
        ("credentials", pair.replace("AKIA", "AK/IA")),
        (
            "credentials",
            pair.replace(" = x", &format!(" = {}", "x".repeat(5000))),
        ),
        ("credentials", ID.to_owned()),
    ];
    for (key, text) in cases {
        let answer = written(&fixture, json!({ key: text })).await;
        let words = format!("under the key {key} ");
        assert_refused(&answer, "fence", &words, &text);
    }
    let config = "[default]\nregion = eu-west-1\n".to_owned();
    for (key, text) in [
        ("config-process", process),
        ("credentials", pair.clone()),
        ("cloud", pair),
        ("settings", config),
    ] {
        assert_passes(&written(&fixture, json!({ key: text })).await, key);
    }
    Ok(())
}

async fn a_second_line_is_written_under_no_key(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = Fixture::of(&test_cluster).await?;
    for before in ["", "a", "ab", "abc", "ä"] {
        for (name, control) in [("LF", '\n'), ("CR", '\r'), ("NUL", '\0'), ("tab", '\t')] {
            for after in ["", "a", "ab", "abc"] {
                let text = format!("{before}{control}{after}");
                let answer = written(&fixture, json!({ "credentials.json": text })).await;
                assert_refused(&answer, "fence", ONE_LINE, &format!("{name} in {text:?}"));
            }
        }
        let all: String = (' '..='~').collect();
        let text = format!("{before}{all}");
        assert_passes(&written(&fixture, json!({ "x": text })).await, &text);
    }
    let pair = format!("[default]\naws_access_key_id = {ID}\naws_secret_access_key = x\n");
    let config = "[default]\nregion = eu-west-1\n";
    for file in [
        "[default]\ncredential_process = /bin/sh\n".to_owned(),
        format!("{pair}x"),
        format!("{pair}[p]\n"),
        format!("{config}credential_process = /bin/sh\n"),
        format!("{config}x = y\n"),
        pair.replace("= x", "= x\r"),
        pair.replace("= x", &format!("= {}", "x".repeat(5000))),
    ] {
        let answer = written(&fixture, json!({ "settings": file })).await;
        assert_refused(&answer, "fence", ONE_LINE, "a file by another name");
    }
    // A runtime finds a script by its name, and a variable has one line.
    for key in ["sitecustomize.py", ".profile", "CLOUD"] {
        for file in [&pair, config] {
            let answer = written(&fixture, json!({ key: file })).await;
            assert_refused(&answer, "fence", "may become a variable", key);
        }
    }
    let many: serde_json::Map<String, Value> = (0..17)
        .map(|number| (format!("k{number}"), json!(pair)))
        .collect();
    let answer = written(&fixture, Value::Object(many)).await;
    assert_refused(
        &answer,
        "fence",
        ONE_LINE,
        "more files than a resource can name",
    );
    Ok(())
}

async fn a_credential_process_is_named_under_no_other_key(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let fixture = Fixture::of(&test_cluster).await?;
    for before in ["", "a", "ab", "~~~"] {
        for after in ["", " = /bin/sh", "ü"] {
            let text = format!("{before}credential_process{after}");
            let answer = written(&fixture, json!({ "credentials.json": text })).await;
            assert_refused(&answer, "fence", "names a credential_process", &text);
        }
    }
    Ok(())
}

async fn a_variable_that_holds_a_program_is_not_written(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let fixture = Fixture::of(&test_cluster).await?;
    let long = "x".repeat(600);
    let cases = [
        ("HTTPS_PROXY", "http://evil.io"),
        ("AWS_ENDPOINT_URL", "https://evil.io"),
        ("sitecustomize.py", "import os;os.system('x')"),
        (".profile", "x|sh"),
        ("X", "a b"),
        ("X", "ä"),
        ("X", &long),
    ];
    for (key, value) in cases {
        let answer = written(&fixture, json!({ key: value })).await;
        assert_refused(&answer, "fence", "may become a variable", key);
    }
    Ok(())
}

/// The value itself is allowed in a target: a path to another key of the target, for example.
async fn a_variable_that_a_loader_reads_is_not_written(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let fixture = Fixture::of(&test_cluster).await?;
    let loaders = [
        "LD_PRELOAD",
        "BASH_ENV",
        "ENV",
        "PATH",
        "PYTHONPATH",
        "PERL5OPT",
        "RUBYOPT",
        "NODE_OPTIONS",
        "npm_config_node_options",
        "_JAVA_OPTIONS",
        "JAVA_TOOL_OPTIONS",
        "DOTNET_STARTUP_HOOKS",
        "GIT_SSH_COMMAND",
        "AWS_CONFIG_FILE",
    ];
    let path = "/var/run/secrets/orders/x";
    for key in loaders {
        let answer = written(&fixture, json!({ key: path })).await;
        assert_refused(&answer, "fence", "by which a loader", key);
    }
    for key in ["GITLAB_S3_KEY", "RESTIC_S3_KEY", "NODE_ACCESS_KEY", "path"] {
        assert_passes(&written(&fixture, json!({ key: path })).await, key);
    }
    Ok(())
}

/// The check stays within the CEL cost budget: otherwise the message would be a different one.
async fn a_secret_of_a_mebibyte_is_refused_for_its_length(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let fixture = Fixture::of(&test_cluster).await?;
    let large = "x".repeat(1024 * 1024 - 64);
    let own = [
        ("config", "under the key config "),
        ("config-process", "under the key config-process "),
        ("credentials", "under the key credentials "),
        ("credentials.json", ONE_LINE),
        ("X", ONE_LINE),
    ];
    for (key, words) in own {
        let answer = written(&fixture, json!({ key: large })).await;
        assert_refused(&answer, "fence", words, key);
    }
    let many: serde_json::Map<String, Value> = (0..8000)
        .map(|number| (format!("k{number}"), json!("x".repeat(100))))
        .collect();
    let answer = written(&fixture, Value::Object(many)).await;
    assert_refused(&answer, "fence", "", "8000 keys");
    Ok(())
}
