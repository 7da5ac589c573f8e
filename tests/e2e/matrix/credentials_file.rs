//! A source that holds a credentials file, and a target that holds files under keys of its own.

use std::sync::Arc;

use anyhow::Result;
use futures::FutureExt;
use serde_json::json;

use crate::harness::{
    actions::assert_costs,
    steps::{TARGET, assert_serves_last_known_good},
    test_env::{PAIR, SECOND, Test, TestCluster, TestEnv, message},
};

pub fn tests() -> Vec<(&'static str, Test)> {
    vec![
        (
            "a_pair_in_a_credentials_file_is_proven_and_published_as_one",
            |test_cluster| published(test_cluster).boxed_local(),
        ),
        (
            "a_file_that_sdks_read_differently_never_reaches_the_target",
            |test_cluster| refused(test_cluster).boxed_local(),
        ),
        (
            "the_same_pair_in_a_file_in_the_place_of_two_keys_asks_nobody",
            |test_cluster| moved(test_cluster).boxed_local(),
        ),
    ]
}

fn file(pair: (&str, &str)) -> String {
    let (id, secret) = pair;
    format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
}

async fn write(env: &TestEnv, file: &str) -> Result<()> {
    for value in [PAIR, SECOND]
        .into_iter()
        .flat_map(|(id, secret)| [id, secret])
    {
        env.invariants.secret(value.as_bytes());
    }
    env.secret("pair", &[("cloud", file.as_bytes())]).await?;
    Ok(())
}

/// As Velero's Secrets are: one file under the key `cloud`, in the source and in the target.
async fn published(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    write(
        &env,
        &format!("# of the backups\n{}region = eu-west-1\n", file(PAIR)),
    )
    .await?;
    let spec = json!({
        "secretRef": { "credentialsFile": { "key": "cloud" } },
        "target": { "layouts": [], "keys": { "cloud": "CredentialsFile", "region": "Region" } },
    });
    env.resource("orders", "pair", spec).await?;
    env.until_ready("orders").await?;
    let content = env.content(TARGET).await?;
    let expected = [("cloud", file(PAIR)), ("region", "eu-west-1".to_owned())];
    assert_eq!(
        content,
        expected.map(|(key, value)| (key.to_owned(), value)).into()
    );

    write(&env, &file(SECOND)).await?;
    env.until_converged("orders").await?;
    assert_eq!(env.content(TARGET).await?["cloud"], file(SECOND));
    assert_eq!(env.published("orders").await?.revision, 2);

    // Another text with the same pair is no new pair.
    let mark = env.proxy.mark();
    write(&env, &format!("\n{}", file(SECOND).replace(" = ", "="))).await?;
    env.until_converged("orders").await?;
    let costs = env.costs(mark).await?;
    assert_eq!(costs.writes.get("secrets"), None, "{costs:?}");
    assert_eq!(env.sts.calls().len(), 2);
    Ok(())
}

async fn refused(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    write(&env, &file(PAIR)).await?;
    let spec = json!({ "secretRef": { "credentialsFile": { "key": "cloud" } } });
    env.resource("orders", "pair", spec).await?;
    env.until_ready("orders").await?;
    let before = env.snapshot(TARGET).await?;
    let good = file(SECOND);
    let rows = [
        (
            format!("{good}{good}"),
            "CredentialsFileAmbiguous",
            "line 4",
        ),
        (
            good.replace("[default]", "[profile default]"),
            "CredentialsFileAmbiguous",
            "line 1",
        ),
        (
            format!("{good}aws_session_token = token\n"),
            "TemporaryCredentials",
            "aws_session_token",
        ),
        (
            format!("{good}role_arn = arn\n"),
            "ProfileNotStatic",
            "role_arn",
        ),
        (
            good.replace("default", "orders"),
            "ProfileNotFound",
            "[default]",
        ),
        (
            good.replace("aws_secret_access_key", "aws_secret"),
            "SourceKeyMissing",
            "aws_secret_access_key of profile [default]",
        ),
        (
            good.replace("key_id = ", "key_id = \"")
                .replace("\naws_secret", "\"\naws_secret"),
            "SurroundingQuotes",
            "aws_access_key_id of profile [default]",
        ),
    ];
    for (text, reason, named) in rows {
        write(&env, &text).await?;
        let object = env.until_stalled("orders", reason).await?;
        assert_serves_last_known_good(&object);
        let message = message(&object, "Ready");
        assert!(message.contains(named), "{reason}: {message}");
        assert!(
            message.contains("key \"cloud\" of Secret \"pair\""),
            "{message}"
        );
        assert_eq!(env.snapshot(TARGET).await?, before);
    }
    env.secret("pair", &[("other", b"x")]).await?;
    let object = env.until_stalled("orders", "SourceKeyMissing").await?;
    assert!(message(&object, "Ready").contains("credentialsFile.key"));
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}

async fn moved(test_cluster: Arc<TestCluster>) -> Result<()> {
    let env = TestEnv::open_published(test_cluster, json!({})).await?;
    let before = env.snapshot(TARGET).await?;
    let mark = env.proxy.mark();
    let (id, secret) = PAIR;
    let data = [
        ("AWS_ACCESS_KEY_ID", id.as_bytes()),
        ("AWS_SECRET_ACCESS_KEY", secret.as_bytes()),
        ("cloud", file(PAIR).as_bytes()),
    ]
    .map(|(key, value)| (key, value.to_vec()));
    let data: Vec<_> = data
        .iter()
        .map(|(key, value)| (*key, value.as_slice()))
        .collect();
    env.secret("pair", &data).await?;
    let spec = json!({ "secretRef": { "credentialsFile": { "key": "cloud" } } });
    env.change("orders", spec).await?;
    env.until_converged("orders").await?;
    assert_eq!(env.snapshot(TARGET).await?, before);
    assert_costs(&env.costs(mark).await?, 4, 2);
    assert_eq!(env.sts.calls().len(), 1);
    Ok(())
}
