//! The definition itself, accepted and established.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cluster::control_plane::ControlPlane;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client,
    runtime::wait::{await_condition, conditions},
};
use serde_json::Value;

use crate::{
    crd::answer::{apply, post},
    schema,
};

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/// Generous, because the machine may be busy.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// Creates the definition, which the API server takes without a warning, and waits until it is served.
pub async fn install(client: &Client) -> Result<()> {
    install_as(client, &schema::definition::definition()?).await
}

/// As [`install`], for a variant of the definition.
pub async fn install_as(client: &Client, definition: &Value) -> Result<()> {
    let answer = post(
        client,
        &format!("{DEFINITIONS}?fieldValidation=Strict"),
        definition,
    )
    .await?;
    ensure!(answer.code == 201, "{}: {}", answer.code, answer.message());
    ensure!(
        answer.warnings.is_empty(),
        "warnings: {:?}",
        answer.warnings
    );
    let name = definition["metadata"]["name"].as_str().context("no name")?;
    let definitions = Api::<CustomResourceDefinition>::all(client.clone());
    let established = await_condition(definitions, name, conditions::is_crd_established());
    tokio::time::timeout(DEADLINE, established)
        .await
        .context("not established")??;
    Ok(())
}

/// The API server must store the definition unchanged; otherwise tools that compare the two report drift forever.
pub async fn it_is_the_same_when_applied_again(world: &ControlPlane, _: &str) -> Result<()> {
    let definition = schema::definition::definition()?;
    let name = definition["metadata"]["name"].as_str().context("no name")?;
    let path = format!("{DEFINITIONS}/{name}?fieldManager=again&fieldValidation=Strict");
    let answer = apply(&world.client(), &path, &definition).await?;
    ensure!(answer.code == 200, "{}: {}", answer.code, answer.message());
    ensure!(
        answer.warnings.is_empty(),
        "warnings: {:?}",
        answer.warnings
    );
    ensure!(
        answer.body["metadata"]["generation"] == 1,
        "it was changed by itself"
    );
    let mut stored = answer.body["spec"].clone();
    // The only fields that the API server adds to a definition without conversion.
    let names = stored["names"].as_object_mut().context("no names")?;
    ensure!(
        names
            .remove("listKind")
            .is_some_and(|kind| kind == "StaticAwsCredentialsList")
    );
    stored
        .as_object_mut()
        .context("no spec")?
        .remove("conversion");
    ensure!(
        stored == definition["spec"],
        "it is stored otherwise than it was sent"
    );
    Ok(())
}
