//! Requests to the API server that store nothing: dry runs and access reviews.

use kube::{Client, api::PostParams, core::Request};
use serde_json::{Value, json};

use crate::domain::target::FIELD_MANAGER;

/// Creates an object in a dry run, to find out whether the API server accepts it.
///
/// # Errors
/// The API server rejects the object or does not answer.
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

/// Whether the operator's own account has a right, given as the `resourceAttributes` of an access review.
///
/// # Errors
/// The API server does not answer.
pub async fn may(client: &Client, attributes: Value) -> Result<bool, kube::Error> {
    let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": attributes },
    });
    is_allowed(client, path, &review).await
}

/// Creates an access review and returns its `status.allowed`.
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
