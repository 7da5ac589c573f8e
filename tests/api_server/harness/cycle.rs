//! All writes of the operator in the life of a resource, under the policies.

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::harness::operator::{Operator, PAIRS};

const FIRST: (&str, &str) = PAIRS[0];
const SECOND: (&str, &str) = PAIRS[1];

/// Runs the whole cycle; no request may be rejected.
pub async fn whole(operator: &Operator) -> Result<()> {
    publish(operator).await.context("publish")?;
    let edits = [
        json!({ "stringData": { "AWS_ACCESS_KEY_ID": "edited" } }),
        json!({ "metadata": { "ownerReferences": null } }),
        json!({ "metadata": { "labels": { "awscredentials.dev/uid": null } } }),
    ];
    repair(operator, "orders-credentials", edits)
        .await
        .context("repair")?;
    rename(operator).await.context("rename")?;
    retain(operator).await.context("retain")?;
    adopt(operator).await.context("adopt")?;
    withdraw(operator).await.context("withdraw")?;
    operator.check_unhindered()
}

fn is_owned(secret: &Secret) -> bool {
    secret.owner_references().len() == 1
}

async fn publish(operator: &Operator) -> Result<()> {
    operator.source("pair", FIRST).await?;
    operator.resource("orders", json!({})).await?;
    operator
        .until_target("orders-credentials", FIRST, is_owned)
        .await?;
    operator.until_ready_is("orders", "Published").await?;
    operator.source("pair", SECOND).await?;
    operator
        .until_target("orders-credentials", SECOND, is_owned)
        .await?;
    operator
        .change("orders", json!({ "target": { "layouts": ["Env"] } }))
        .await?;
    let narrow = |secret: &Secret| {
        secret
            .data
            .as_ref()
            .is_some_and(|data| !data.contains_key("config"))
    };
    operator
        .until_target("orders-credentials", SECOND, narrow)
        .await?;
    operator
        .until_ready_is("orders", "Published")
        .await
        .map(drop)
}

/// Three edits, since the operator delays the fourth restore of a resource's target.
async fn repair(operator: &Operator, target: &str, edits: [Value; 3]) -> Result<()> {
    for edit in edits {
        operator.edit(target, edit.clone()).await?;
        let repaired = |secret: &Secret| {
            let adopt_by = secret.annotations().get("awscredentials.dev/adopt-by");
            is_owned(secret)
                && secret.labels().contains_key("awscredentials.dev/uid")
                && adopt_by.is_some_and(|name| name == "orders")
        };
        let found = operator.until_target(target, SECOND, repaired).await;
        found.with_context(|| edit.to_string())?;
        operator.until_ready_is("orders", "Published").await?;
    }
    Ok(())
}

async fn rename(operator: &Operator) -> Result<()> {
    operator
        .change("orders", json!({ "target": { "name": "renamed" } }))
        .await?;
    operator.until_target("renamed", SECOND, is_owned).await?;
    operator.until_gone("orders-credentials").await?;
    operator
        .until_ready_is("orders", "Published")
        .await
        .map(drop)
}

async fn retain(operator: &Operator) -> Result<()> {
    let policy = |name: &str| json!({ "target": { "deletionPolicy": name } });
    let unowned = |secret: &Secret| secret.owner_references().is_empty();
    operator.change("orders", policy("Retain")).await?;
    operator.until_target("renamed", SECOND, unowned).await?;
    operator.source("pair", FIRST).await?;
    operator.until_target("renamed", FIRST, unowned).await?;
    operator.change("orders", policy("Delete")).await?;
    operator.until_target("renamed", FIRST, is_owned).await?;
    operator.change("orders", policy("Retain")).await?;
    operator.until_target("renamed", FIRST, unowned).await?;
    operator.until_ready_is("orders", "Published").await?;
    operator.delete("orders").await?;
    // Retained by one resource, and adopted by the next resource of the same name.
    let left = operator.until_target("renamed", FIRST, unowned).await?;
    operator.source("pair", SECOND).await?;
    operator
        .resource("orders", json!({ "name": "renamed" }))
        .await?;
    let taken = operator.until_target("renamed", SECOND, is_owned).await?;
    assert_eq!(left.uid(), taken.uid());
    operator.until_ready_is("orders", "Published").await?;
    let edits = [
        json!({ "metadata": { "annotations": { "awscredentials.dev/adopt-by": null } } }),
        json!({ "metadata": { "annotations": { "awscredentials.dev/adopt-by": "x" } } }),
        json!({ "metadata": { "ownerReferences": null, "labels": null } }),
    ];
    repair(operator, "renamed", edits).await?;
    operator.delete("orders").await?;
    operator.until_gone("renamed").await
}

async fn adopt(operator: &Operator) -> Result<()> {
    let secret = serde_json::from_value(json!({
        "metadata": {
            "name": "consenting", "labels": { "team": "x" },
            "annotations": { "awscredentials.dev/adopt-by": "orders", "note": "x" },
        },
        "stringData": { "AWS_ACCESS_KEY_ID": "before" },
    }))?;
    let parameters = kube::api::PostParams::default();
    let before = operator.secrets.create(&parameters, &secret).await?;
    operator
        .resource("orders", json!({ "name": "consenting" }))
        .await?;
    let taken = operator
        .until_target("consenting", SECOND, is_owned)
        .await?;
    assert_eq!(before.uid(), taken.uid());
    operator
        .until_ready_is("orders", "Published")
        .await
        .map(drop)
}

async fn withdraw(operator: &Operator) -> Result<()> {
    let foreign =
        json!({ "metadata": { "labels": { "team": "x" }, "annotations": { "note": "x" } } });
    operator.edit("consenting", foreign).await?;
    let delete = kube::api::DeleteParams::default();
    operator.secrets.delete("consenting", &delete).await?;
    operator
        .until_target("consenting", SECOND, is_owned)
        .await?;
    operator
        .edit(
            "consenting",
            json!({ "metadata": { "labels": { "team": "x" } } }),
        )
        .await?;
    operator.source("pair", FIRST).await?;
    let labelled = |secret: &Secret| secret.labels().contains_key("team");
    operator.until_target("consenting", FIRST, labelled).await?;
    let pin = json!({ "validation": { "onRejected": "Withdraw", "accountId": "210987654321" } });
    operator.change("orders", pin).await?;
    operator.until_gone("consenting").await?;
    operator
        .change("orders", json!({ "validation": { "accountId": null } }))
        .await?;
    operator.until_target("consenting", FIRST, is_owned).await?;
    operator.until_ready_is("orders", "Published").await?;
    operator.delete("orders").await?;
    operator.until_gone("consenting").await
}
