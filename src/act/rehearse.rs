//! Questions to the API server that store nothing.

use kube::{Client, api::PostParams, core::Request};
use serde_json::{Value, json};

use crate::target::FIELD_MANAGER;

/// Asks the API server whether it would take an object that is new. Nothing is stored.
///
/// # Errors
/// It would not, or does not answer.
pub async fn dry_run_create(
    client: &Client,
    path: &str,
    object: &Value,
) -> Result<(), kube::Error> {
    let parameters = PostParams {
        dry_run: true,
        field_manager: Some(FIELD_MANAGER.to_owned()),
    };
    create(client, path, &parameters, object).await.map(drop)
}

/// Asks the API server whether the account that asks has a right, by the attributes of a resource.
///
/// # Errors
/// It does not answer.
pub async fn may(client: &Client, attributes: Value) -> Result<bool, kube::Error> {
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": attributes },
    });
    is_allowed(client, path, &review).await
}

/// What a review of access answers.
pub(super) async fn is_allowed(
    client: &Client,
    path: &str,
    review: &Value,
) -> Result<bool, kube::Error> {
    let answer = create(client, path, &PostParams::default(), review).await?;
    Ok(answer.pointer("/status/allowed") == Some(&Value::Bool(true)))
}

pub(super) async fn create(
    client: &Client,
    path: &str,
    parameters: &PostParams,
    object: &Value,
) -> Result<Value, kube::Error> {
    let body = serde_json::to_vec(object).map_err(kube::Error::SerdeError)?;
    let request = Request::new(path).create(parameters, body);
    client
        .request(request.map_err(kube::Error::BuildRequest)?)
        .await
}
