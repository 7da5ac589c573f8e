//! The requests that check a policy. `fence` and `only` bind the operator's own account, which therefore tries
//! writes that these policies must reject, as dry runs.

use std::time::Duration;

use kube::{Client, api::GetParams, core::Request};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::Enforcement;
use crate::{
    domain::{
        policy::{Policy, flaw},
        words,
    },
    error::chain,
    runtime::act,
};

/// Name of the objects in the dry runs.
const NAME: &str = "static-aws-credentials-policy-check";
const DEADLINE: Duration = Duration::from_secs(15);
/// Reported of a policy that is in order but not applied by the API server.
pub(super) const IGNORED: &str = "policy and binding are correct, but the API server accepted in a dry run what they \
     reject; either both are only seconds old, or the API server runs without its plugin ValidatingAdmissionPolicy";

/// Reported of a policy that is not applied and could not be read.
const NOT_APPLIED: &str =
    "the API server accepted in a dry run what it rejects; apply the policies of the chart again";

/// Checks one policy. `Err` is a failure of the API server, which proves nothing about the policy.
pub(super) async fn check(
    client: &Client,
    policy: Policy,
    name: &str,
    namespace: &str,
) -> Result<Enforcement, String> {
    let checked = async {
        let (refused, accepted) = match try_write(client, policy, namespace).await {
            Some(Err(error)) if refused_by(&error, name) => (true, false),
            Some(Ok(())) => (false, true),
            // Rejected by a quota, by another policy, or for lack of a right.
            Some(Err(kube::Error::Api(status))) if is_refusal(&status) => (false, false),
            Some(Err(error)) => return Err(error),
            None => (false, false),
        };
        // The dry run shows 1 namespace only; policy and binding show whether others are exempt.
        match read(client, name).await {
            Ok(Ok(())) if accepted => Ok(Err(IGNORED.to_owned())),
            Err(_) if accepted => Ok(Err(NOT_APPLIED.to_owned())),
            Err(_) if refused => Ok(Ok(())),
            enforcement => enforcement,
        }
    };
    match timeout(DEADLINE, checked).await {
        Ok(Ok(enforcement)) => Ok(enforcement),
        Ok(Err(kube::Error::Api(status))) if status.code == 403 => Ok(Err(format!(
            "{}; grant get on {name} of validatingadmissionpolicies and validatingadmissionpolicybindings",
            words::foreign(&status.message)
        ))),
        Ok(Err(error)) => Err(chain(&error)),
        Err(_) => Err("the API server does not answer".to_owned()),
    }
}

fn is_refusal(status: &kube::core::Status) -> bool {
    status.code < 500 && status.code != 401 && status.code != 429
}

/// Tries a write that the policy must reject; `None` for a policy that the operator's account cannot try.
async fn try_write(
    client: &Client,
    policy: Policy,
    namespace: &str,
) -> Option<Result<(), kube::Error>> {
    let (path, object) = match policy {
        Policy::Fence => (format!("/api/v1/namespaces/{namespace}/secrets"), secret()),
        Policy::Only => (
            format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events"),
            event(namespace),
        ),
        Policy::Requester | Policy::Status | Policy::Restarts => return None,
    };
    Some(act::dry_run_create(client, &path, &object).await)
}

/// Whether the message of the API server attributes the rejection to this policy.
#[must_use]
pub fn refused_by(error: &kube::Error, policy: &str) -> bool {
    let attribution = format!("ValidatingAdmissionPolicy '{policy}' ");
    matches!(error, kube::Error::Api(status) if status.message.contains(&attribution))
}

/// Reads a policy and its binding, and reports a flaw.
///
/// # Errors
/// The account may not read policy and binding, or the API server does not answer.
pub async fn read(client: &Client, name: &str) -> Result<Enforcement, kube::Error> {
    let policy = get(client, "validatingadmissionpolicies", name).await?;
    let binding = get(client, "validatingadmissionpolicybindings", name).await?;
    let flaw = flaw(policy.as_ref(), binding.as_ref());
    Ok(flaw.map_or(Ok(()), |flaw| {
        Err(format!("{flaw}; apply the policies of the chart again"))
    }))
}

async fn get(client: &Client, kind: &str, name: &str) -> Result<Option<Value>, kube::Error> {
    let path = format!("/apis/admissionregistration.k8s.io/v1/{kind}");
    let request = Request::new(path).get(name, &GetParams::default());
    match client
        .request(request.map_err(kube::Error::BuildRequest)?)
        .await
    {
        Ok(object) => Ok(Some(object)),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// An empty Secret that belongs to no resource.
fn secret() -> Value {
    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": NAME }, "type": "Opaque" })
}

/// An event that is valid except that it names another reporting controller than the operator.
fn event(namespace: &str) -> Value {
    json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": { "name": NAME },
        "eventTime": "1970-01-01T00:00:00.000000Z",
        "reportingController": NAME, "reportingInstance": NAME,
        "action": "Check", "reason": "Check", "type": "Normal",
        "regarding": {
            "apiVersion": crate::api::API_VERSION, "kind": crate::api::KIND,
            "namespace": namespace, "name": NAME,
        },
    })
}
