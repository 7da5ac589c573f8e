//! Raw requests, and answers with the parts that the typed client hides: code, warnings, causes.

use anyhow::{Context, Result};
use axum::http::Request;
use http_body_util::BodyExt;
use kube::{Client, client::Body};
use serde_json::Value;

/// An answer of the API server.
#[derive(Debug)]
pub struct Answer {
    pub code: u16,
    pub warnings: Vec<String>,
    pub body: Value,
}

impl Answer {
    /// The field and the message of each cause of a rejection.
    pub fn causes(&self) -> Vec<(&str, &str)> {
        self.body["details"]["causes"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|cause| {
                let field = cause["field"].as_str().unwrap_or_default();
                (field, cause["message"].as_str().unwrap_or_default())
            })
            .collect()
    }

    /// The message that `kubectl` prints for a rejection.
    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }
}

pub async fn post(client: &Client, path: &str, body: &Value) -> Result<Answer> {
    send(client, "POST", path, "application/json", body).await
}

pub async fn merge_patch(client: &Client, path: &str, body: &Value) -> Result<Answer> {
    send(client, "PATCH", path, "application/merge-patch+json", body).await
}

pub async fn apply(client: &Client, path: &str, body: &Value) -> Result<Answer> {
    send(client, "PATCH", path, "application/apply-patch+yaml", body).await
}

async fn send(
    client: &Client,
    method: &str,
    path: &str,
    content_type: &str,
    body: &Value,
) -> Result<Answer> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", content_type)
        .body(Body::from(serde_json::to_vec(body)?))?;
    let (head, body) = client.send(request).await?.into_parts();
    let warnings = head.headers.get_all("warning").iter();
    Ok(Answer {
        code: head.status.as_u16(),
        warnings: warnings
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into())
            .collect(),
        body: serde_json::from_slice(&body.collect().await?.to_bytes()).context("no JSON")?,
    })
}
