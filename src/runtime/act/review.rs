//! Authentication and authorization of a client's bearer token by the API server.

use kube::{Client, api::PostParams};
use serde_json::{Value, json};

use super::rehearse::{create, is_allowed};

/// The user of a token; `None` if the API server does not accept the token.
///
/// # Errors
/// The API server does not answer, or the operator may not ask.
pub async fn authenticated(client: &Client, token: &str) -> kube::Result<Option<Value>> {
    let path = "/apis/authentication.k8s.io/v1/tokenreviews";
    let review = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
        "spec": { "token": token },
    });
    let mut answer = create(client, path, &PostParams::default(), &review).await?;
    if answer.pointer("/status/authenticated") != Some(&Value::Bool(true)) {
        return Ok(None);
    }
    Ok(answer.pointer_mut("/status/user").map(Value::take))
}

/// Whether a user may `get` a non-resource path.
///
/// # Errors
/// The API server does not answer, or the operator may not ask.
pub async fn may_get(client: &Client, user: &Value, path: &str) -> kube::Result<bool> {
    let field = |name: &str| user.get(name).unwrap_or(&Value::Null);
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {
            "user": field("username"), "uid": field("uid"), "groups": field("groups"), "extra": field("extra"),
            "nonResourceAttributes": { "path": path, "verb": "get" },
        },
    });
    let reviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    is_allowed(client, reviews, &review).await
}
