//! A Secret and its reference after kustomize, as built into `kubectl`.

use std::{fs, sync::Arc};

use anyhow::Result;
use tokio::process::Command;

use crate::{
    check::{
        program::check,
        test_cluster::{PAIR, TestCluster},
    },
    suite::tests,
};

tests![
    a_renamed_secret_is_renamed_in_the_reference_too,
    a_reference_that_was_left_behind_names_the_renamed_secret,
];

const REFERENCE: &str = include_str!("../../../contrib/kustomize/name-reference.yaml");

async fn built(test_cluster: &TestCluster, configured: bool) -> Result<Vec<u8>> {
    let directory = tempfile::tempdir()?;
    let (id, secret) = PAIR;
    let mut kustomization = format!(
        "namePrefix: team-\nnamespace: orders\nresources: [orders.yaml]\nsecretGenerator:\n- name: orders-key-pair\n  \
         literals: [AWS_ACCESS_KEY_ID={id}, AWS_SECRET_ACCESS_KEY={secret}]\n"
    );
    if configured {
        kustomization += "configurations: [name-reference.yaml]\n";
    }
    let resource = "apiVersion: awscredentials.dev/v1alpha1\nkind: StaticAwsCredentials\nmetadata: {name: orders}\nspec: {secretRef: {name: orders-key-pair}, region: eu-west-1, target: {name: orders-key-pair-proven}}\n";
    let file = |name: &str, text: &str| fs::write(directory.path().join(name), text);
    file("kustomization.yaml", &kustomization)?;
    file("orders.yaml", resource)?;
    file("name-reference.yaml", REFERENCE)?;
    let kubectl = test_cluster.cluster().await?.kubectl_program();
    let output = Command::new(kubectl)
        .arg("kustomize")
        .arg(directory.path())
        .output()
        .await?;
    let words = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{words}");
    Ok(output.stdout)
}

async fn a_renamed_secret_is_renamed_in_the_reference_too(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let built = built(&test_cluster, true).await?;
    let text = String::from_utf8_lossy(&built).into_owned();
    assert!(text.contains("name: orders-key-pair-proven"), "{text}");
    let run = check(["-f", "-", "--offline"]).input(built).run().await?;
    assert_eq!(run.code, 0, "{}", run.output());
    assert!(
        run.out.contains("Secret team-orders-key-pair-"),
        "{}",
        run.output()
    );
    Ok(())
}

async fn a_reference_that_was_left_behind_names_the_renamed_secret(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let built = built(&test_cluster, false).await?;
    let run = check(["-f", "-", "--offline"]).input(built).run().await?;
    assert_eq!(run.code, 3, "{}", run.output());
    assert!(
        run.err.contains("\"team-orders-key-pair-"),
        "{}",
        run.output()
    );
    assert!(run.err.contains("contrib/kustomize"), "{}", run.output());
    Ok(())
}
