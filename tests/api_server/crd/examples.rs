//! Every row of the tables, as dry runs.

use anyhow::{Context, Result, ensure};
use cluster::control_plane::ControlPlane;
use serde_json::Value;

use crate::{
    crd::{
        answer::{Answer, merge_patch, post},
        objects::{collection, create},
    },
    schema::{
        bounds::{Bound, bounds, of_status},
        cases::cases,
        changed, valid,
    },
};

async fn dry_run(world: &ControlPlane, namespace: &str, patch: &Value) -> Result<Answer> {
    let uri = format!(
        "{}?dryRun=All&fieldValidation=Strict",
        collection(namespace)
    );
    post(&world.client(), &uri, &changed(patch)).await
}

pub async fn every_accepted_example_is_created(
    world: &ControlPlane,
    namespace: &str,
) -> Result<()> {
    for case in cases() {
        for patch in &case.accepted {
            let answer = dry_run(world, namespace, patch).await?;
            ensure!(answer.code == 201, "{}: {patch}: {answer:?}", case.message);
            ensure!(
                answer.warnings.is_empty(),
                "{}: {patch}: {answer:?}",
                case.message
            );
        }
    }
    Ok(())
}

pub async fn a2_a3_a10_every_refused_example_is_refused_by_its_rule_alone(
    world: &ControlPlane,
    namespace: &str,
) -> Result<()> {
    for case in cases() {
        for patch in &case.refused {
            let answer = dry_run(world, namespace, patch).await?;
            let context = || format!("{}: {patch}: {answer:?}", case.message);
            ensure!(answer.code == 422, context());
            let causes = answer.causes();
            let [(field, words)] = causes.as_slice() else {
                anyhow::bail!("not one cause: {}", context());
            };
            ensure!(
                *field == case.field() && words.contains(case.message),
                context()
            );
            let (_, printed) = answer
                .message()
                .split_once(" is invalid: ")
                .with_context(context)?;
            ensure!(printed.starts_with(case.field()), context());
            ensure!(
                !answer.message().contains("EXAMPLE"),
                "the value is repeated: {}",
                context()
            );
        }
    }
    Ok(())
}

pub async fn every_bound_of_the_spec_holds(world: &ControlPlane, namespace: &str) -> Result<()> {
    for row in bounds().iter().filter(|row| !of_status(row)) {
        for patch in &row.accepted {
            let answer = dry_run(world, namespace, patch).await?;
            ensure!(
                answer.code == 201,
                "{} {}: {patch}: {answer:?}",
                row.path,
                row.keyword
            );
        }
        for patch in &row.refused {
            refused_at(row, patch, &dry_run(world, namespace, patch).await?)?;
        }
    }
    Ok(())
}

pub async fn every_bound_of_the_status_holds(world: &ControlPlane, namespace: &str) -> Result<()> {
    let client = world.client();
    let name = create(&client, namespace, &valid()).await?;
    let path = format!(
        "{}/{name}/status?dryRun=All&fieldValidation=Strict",
        collection(namespace)
    );
    for row in bounds().iter().filter(|row| of_status(row)) {
        for patch in &row.accepted {
            let answer = merge_patch(&client, &path, patch).await?;
            ensure!(
                answer.code == 200,
                "{} {}: {patch}: {answer:?}",
                row.path,
                row.keyword
            );
        }
        for patch in &row.refused {
            refused_at(row, patch, &merge_patch(&client, &path, patch).await?)?;
        }
    }
    Ok(())
}

fn refused_at(row: &Bound, patch: &Value, answer: &Answer) -> Result<()> {
    let context = || format!("{} {}: {patch}: {answer:?}", row.path, row.keyword);
    ensure!(answer.code == 422, context());
    // For a missing field the API server reports the path of the field, not of the object.
    let whole = row.path.split(['[', '{']).next().unwrap_or_default();
    let causes = answer.causes();
    ensure!(
        causes.iter().any(|(field, _)| field.starts_with(whole)),
        context()
    );
    let reason = match row.keyword {
        "maxLength" | "maxItems" | "maxProperties" => "Too",
        "enum" => "Unsupported value",
        "required" => "Required value",
        _ => "Invalid value",
    };
    ensure!(
        causes.iter().any(|(_, words)| words.starts_with(reason)),
        context()
    );
    Ok(())
}
