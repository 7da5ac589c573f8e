//! `kubectl` with the definition.

use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use cluster::control_plane::ControlPlane;

use crate::{
    crd::{definition::DEADLINE, objects::create},
    schema::{definition::nodes, valid},
};

/// `kubectl explain` is documentation: it describes every field of each object.
pub async fn explain_describes_every_field(world: &ControlPlane, _: &str) -> Result<()> {
    let mut explained = 0;
    for node in nodes()? {
        let Some(properties) = node.schema["properties"].as_object() else {
            continue;
        };
        let path = format!("staticawscredentials.{}", node.path.replace("[]", ""));
        let shown = one_line(&explain(world, path.trim_end_matches('.')).await?);
        for (name, property) in properties {
            let described = one_line(property["description"].as_str().unwrap_or_default());
            ensure!(
                shown.contains(&described),
                "{path} does not show {name}: {shown}"
            );
            explained += 1;
        }
    }
    ensure!(explained > 40, "only {explained} fields were explained");
    Ok(())
}

/// The API server publishes the schema of a new kind some time after it serves the kind, without a notification.
async fn explain(world: &ControlPlane, path: &str) -> Result<String> {
    let end = Instant::now() + DEADLINE;
    loop {
        match world.kubectl(&["explain", path]).await {
            Err(error) if Instant::now() > end => return Err(error),
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(200)).await,
            shown => return shown,
        }
    }
}

pub async fn get_shows_the_columns(world: &ControlPlane, namespace: &str) -> Result<()> {
    let name = create(&world.client(), namespace, &valid()).await?;
    let get = async |what: &str, output: &str| -> Result<Vec<Vec<String>>> {
        let table = world
            .kubectl(&["get", what, "-n", namespace, "-o", output])
            .await?;
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
        Ok(table.lines().map(words).collect())
    };
    for what in ["awscreds", "staticawscredentials", "aws-credentials"] {
        let table = get(what, "")
            .await
            .or_else(|_| bail!("no table for {what}"))?;
        let header = table.first().context("no header")?;
        assert_eq!(
            header,
            &["NAME", "READY", "REASON", "ACCOUNT", "TARGET", "AGE"]
        );
        let row = table
            .iter()
            .find(|row| row.first() == Some(&name))
            .context("no row")?;
        assert_eq!(
            row.get(1..3),
            Some(["Unknown", "Pending"].map(str::to_owned).as_slice())
        );
    }
    let wide = get("awscreds", "wide").await?;
    let header = wide.first().context("no header")?;
    assert_eq!(
        header.get(5..),
        Some(
            ["AGE", "KEY", "CLASS", "VERIFIED", "MESSAGE"]
                .map(str::to_owned)
                .as_slice()
        )
    );
    Ok(())
}

pub async fn wait_does_not_take_a_new_object_for_a_finished_one(
    world: &ControlPlane,
    namespace: &str,
) -> Result<()> {
    let name = create(&world.client(), namespace, &valid()).await?;
    let wait = async |what: &str, timeout: &str| {
        let object = format!("staticawscredentials/{name}");
        let args = ["wait", &object, "-n", namespace, what, timeout];
        world.kubectl(&args).await
    };
    wait(
        "--for=jsonpath={.status.conditions[0].reason}=Pending",
        "--timeout=60s",
    )
    .await?;
    let Err(error) = wait("--for=condition=Ready", "--timeout=1s").await else {
        bail!("a new object was taken for a finished one");
    };
    ensure!(error.to_string().contains("timed out"), "{error}");
    Ok(())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
