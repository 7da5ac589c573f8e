//! The admission policies, tried as the account that asks. Policies that bind the operator's account, or
//! objects that are stored, are read instead.

use kube::Client;
use serde_json::{Value, json};
use strum::VariantArray as _;

use super::{SOURCE, rehearse};
use crate::{
    domain::policy::Policy,
    error::chain,
    runtime::{act, guards},
};

/// A Secret to which no account needs a right.
pub const FORBIDDEN: &str = "static-aws-credentials-api-check-forbidden";

/// How a try ended.
pub(super) enum Tried {
    /// As it must.
    Well,
    /// It cannot be tried, and why.
    Skipped(String),
    /// Otherwise, and why.
    Failed(String),
}

/// A line of what is tried, and how that ended.
pub(super) async fn tries(client: &Client, namespace: &str, prefix: &str) -> Vec<(String, Tried)> {
    let requester = Policy::Requester.named(prefix);
    let forbidden = json!({ "name": FORBIDDEN });
    let source = json!({ "region": "eu-west-1", "secretRef": forbidden });
    let target =
        json!({ "region": "eu-west-1", "secretRef": { "name": SOURCE }, "target": forbidden });
    let mut all = Vec::new();
    for (what, verbs, spec) in [
        (
            "refuses a source that the account may not get",
            &["get"][..],
            source,
        ),
        (
            "refuses a target that the account may not write",
            &["create", "update"][..],
            target,
        ),
    ] {
        let tried = requested(client, namespace, &requester, verbs, &spec).await;
        let tried = tried.unwrap_or_else(|error| Tried::Failed(chain(&error)));
        all.push((format!("policy {requester} {what}"), tried));
    }
    for policy in Policy::VARIANTS {
        if matches!(policy, Policy::Requester | Policy::Restarts) {
            continue;
        }
        let name = policy.named(prefix);
        let tried = match guards::read(client, &name).await {
            Ok(Ok(())) => Tried::Well,
            Ok(Err(why)) => Tried::Failed(why),
            Err(kube::Error::Api(status)) if status.code == 403 => Tried::Skipped(status.message),
            Err(error) => Tried::Failed(chain(&error)),
        };
        all.push((format!("policy {name} is there, and denies"), tried));
    }
    all
}

/// Requests something to which the account has not all of the rights.
async fn requested(
    client: &Client,
    namespace: &str,
    policy: &str,
    verbs: &[&str],
    spec: &Value,
) -> Result<Tried, kube::Error> {
    match rehearse(client, namespace, spec).await {
        Err(error) if guards::refused_by(&error, policy) => return Ok(Tried::Well),
        refused => refused?,
    }
    for verb in verbs {
        let right = json!({
            "namespace": namespace, "verb": verb, "resource": "secrets", "name": FORBIDDEN,
        });
        if !act::may(client, right).await? {
            return Ok(Tried::Failed(format!(
                "it was accepted, although the account may not {verb} Secret {FORBIDDEN}; apply the policies of the chart"
            )));
        }
    }
    Ok(Tried::Skipped(format!(
        "this account may {} every Secret of namespace {namespace}; run api-check as an account that may not",
        verbs.join(" and ")
    )))
}
