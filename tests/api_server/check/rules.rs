//! Every rule of the definition: `check` rejects and accepts the examples of `tests/support/schema`, which another
//! suite, `crd`, sends to a real API server.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use crate::{
    check::{
        program::{Run, check},
        test_cluster::{PAIR, TestCluster},
    },
    schema::{
        bounds::{bounds, of_status},
        cases::cases,
        changed,
        definition::{messages, nodes},
        valid,
    },
    suite::tests,
};

tests![
    what_a_rule_rejects_is_rejected_with_the_message_of_the_definition,
    what_the_rules_accept_is_judged,
    the_bounds_of_the_spec_hold,
    a_field_of_the_spec_is_named_where_it_stands_beside_the_spec,
];

/// Runs `check` on [`changed`] and its source.
async fn judged(patch: &Value) -> Result<Run> {
    run(&changed(patch)).await
}

/// Runs `check` on a resource and its source.
async fn run(resource: &Value) -> Result<Run> {
    let source = &resource["spec"]["secretRef"];
    let key = |field: &str, default: &str| source[field].as_str().unwrap_or(default).to_owned();
    let mut data = Map::new();
    data.insert(key("accessKeyIdKey", "AWS_ACCESS_KEY_ID"), PAIR.0.into());
    data.insert(
        key("secretAccessKeyKey", "AWS_SECRET_ACCESS_KEY"),
        PAIR.1.into(),
    );
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": source["name"] }, "stringData": data,
    });
    let class = json!({
        "apiVersion": "awscredentials.dev/v1alpha1", "kind": "AwsCredentialsClass",
        "metadata": { "name": resource["spec"]["classRef"]["name"] },
        "spec": {
            "proof": "S3", "endpoint": { "url": "https://s3.example.com" }, "allowedNamespaces": {},
        },
    });
    let input = format!("{resource}\n{secret}\n{class}\n");
    check(["-f", "-", "--offline"]).input(input).run().await
}

async fn what_a_rule_rejects_is_rejected_with_the_message_of_the_definition(
    _: Arc<TestCluster>,
) -> Result<()> {
    let messages = messages()?;
    for case in cases() {
        let message = messages
            .iter()
            .find(|message| message.starts_with(case.message));
        let message = message.context(case.message)?;
        for patch in &case.refused {
            let run = judged(patch).await?;
            let context = || format!("{message}: {}", run.output());
            ensure!(
                run.code == 3 && run.err.contains(message.as_str()),
                context()
            );
            ensure!(!run.err.contains("EXAMPLE"), "a value: {}", context());
        }
    }
    Ok(())
}

async fn what_the_rules_accept_is_judged(_: Arc<TestCluster>) -> Result<()> {
    for case in cases() {
        for patch in &case.accepted {
            let run = judged(patch).await?;
            let is_judged = run.code == 0 || run.code == 1;
            ensure!(is_judged, "{}: {patch}: {}", case.message, run.output());
        }
    }
    Ok(())
}

async fn the_bounds_of_the_spec_hold(_: Arc<TestCluster>) -> Result<()> {
    for row in bounds().iter().filter(|row| !of_status(row)) {
        let accepted = row.accepted.iter().map(|patch| (true, patch));
        let refused = row.refused.iter().map(|patch| (false, patch));
        for (is_accepted, patch) in accepted.chain(refused) {
            let run = judged(patch).await?;
            let is_right = if is_accepted {
                run.code == 0 || run.code == 1
            } else {
                run.code == 3
            };
            let context = || format!("{} {}: {patch}: {}", row.path, row.keyword, run.output());
            ensure!(is_right, context());
        }
    }
    Ok(())
}

async fn a_field_of_the_spec_is_named_where_it_stands_beside_the_spec(
    _: Arc<TestCluster>,
) -> Result<()> {
    let nodes = nodes()?;
    let paths = nodes.iter().map(|node| node.path.as_str());
    let fields = paths.filter_map(|path| path.strip_prefix("spec."));
    let mut seen = 0;
    for field in fields.filter(|field| !field.contains(['.', '[', '{'])) {
        let mut resource = valid();
        resource[field] = json!({});
        let judged = run(&resource).await?;
        let words = format!("has {field} beside spec; move it into spec");
        ensure!(judged.err.contains(&words), "{}", judged.output());
        seen += 1;
    }
    ensure!(seen > 5, "fields are found: {seen}");
    let mut resource = valid();
    resource["more"] = json!({});
    let judged = run(&resource).await?;
    let words = "has an unknown field beside spec";
    ensure!(judged.err.contains(words), "{}", judged.output());
    Ok(())
}
