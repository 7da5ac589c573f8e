//! `api-check`: whether the API server takes a good resource and refuses bad ones by the schema of
//! this version, and whether the admission policies are enforced. Nothing is stored; `helm test` runs it
//! with the image that was installed.

mod policies;

use std::time::Duration;

use kube::{Client, Resource as _, core::Status};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::{
    api::{self, StaticAwsCredentials},
    cli::{args::ApiCheckArgs, kube_client},
    error::chain,
    runtime::act,
};

pub use policies::FORBIDDEN;
use policies::Tried;

/// The names in the dry runs, for rules that name what an account may create.
pub const NAME: &str = "static-aws-credentials-api-check";
/// The source that they name.
pub const SOURCE: &str = "static-aws-credentials-api-check-source";

const DEADLINE: Duration = Duration::from_secs(30);
/// The pause between two attempts to reach the API server.
const RETRY_PERIOD: Duration = Duration::from_millis(500);

/// A resource, and the field that the schema must refuse.
struct Case {
    what: &'static str,
    refused: Option<&'static str>,
    spec: Value,
}

/// Tries every case, prints a line for each, and returns the exit code.
pub async fn run(args: &ApiCheckArgs) -> u8 {
    let client = match kube_client::client(None).await {
        Ok(client) => client,
        Err(error) => {
            println!("FAIL  {}", chain(&error));
            return 1;
        }
    };
    if let Err(why) = first_answer(&client).await {
        println!("FAIL  the API server does not answer: {why}");
        return 1;
    }
    let mut code = 0;
    for case in cases() {
        let tried = rehearse(&client, &args.namespace, &case.spec);
        let tried = match timeout(DEADLINE, tried).await {
            Err(_) => Err("the API server does not answer".to_owned()),
            Ok(tried) => weighed(tried, case.refused, &args.namespace),
        };
        let tried = tried.map_or_else(Tried::Failed, |()| Tried::Well);
        code |= print(case.what, &tried);
    }
    let Some(prefix) = &args.policies else {
        return code;
    };
    let tries = policies::tries(&client, &args.namespace, prefix);
    let Ok(tries) = timeout(DEADLINE, tries).await else {
        println!("FAIL  the policies are enforced: the API server does not answer");
        return 1;
    };
    for (what, tried) in tries {
        code |= print(&what, &tried);
    }
    code
}

/// Waits until the API server answers. Network plugins let the traffic of a new pod through only after a moment, and
/// `helm test` starts this program in a new pod.
async fn first_answer(client: &Client) -> Result<(), String> {
    let mut last = "no connection".to_owned();
    let attempts = async {
        loop {
            match client.apiserver_version().await {
                Ok(_) | Err(kube::Error::Api(_)) => return,
                Err(error) => last = chain(&error),
            }
            sleep(RETRY_PERIOD).await;
        }
    };
    timeout(DEADLINE, attempts).await.map_err(|_| last)
}

/// Prints a line, and returns the exit code.
fn print(what: &str, tried: &Tried) -> u8 {
    match tried {
        Tried::Well => println!("ok    {what}"),
        Tried::Skipped(why) => println!("skip  {what}: {why}"),
        Tried::Failed(why) => {
            println!("FAIL  {what}: {why}");
            return 1;
        }
    }
    0
}

fn cases() -> [Case; 5] {
    let case = |what, refused, spec| Case {
        what,
        refused,
        spec,
    };
    let of_account = |id: &str| json!({ "region": "eu-west-1", "validation": { "accountId": id } });
    [
        case(
            "a good resource is accepted",
            None,
            of_account("123456789012"),
        ),
        case(
            "an account ID of eleven digits is refused",
            Some("spec.validation.accountId"),
            of_account("12345678901"),
        ),
        case(
            "a target that is the source is refused",
            Some("spec.target.name"),
            json!({ "region": "eu-west-1", "target": { "name": SOURCE } }),
        ),
        case(
            "a resource without a region is refused",
            Some("spec.region"),
            json!({}),
        ),
        case(
            "an interval of one minute is refused",
            Some("spec.validation.interval"),
            json!({ "region": "eu-west-1", "validation": { "interval": "1m" } }),
        ),
    ]
}

async fn rehearse(client: &Client, namespace: &str, spec: &Value) -> Result<(), kube::Error> {
    let path = StaticAwsCredentials::url_path(&(), Some(namespace));
    let mut object = json!({
        "apiVersion": api::API_VERSION,
        "kind": api::KIND,
        "metadata": { "name": NAME, "namespace": namespace },
        "spec": spec,
    });
    if let Some(spec) = object.pointer_mut("/spec").and_then(Value::as_object_mut) {
        spec.entry("secretRef")
            .or_insert_with(|| json!({ "name": SOURCE }));
    }
    act::dry_run_create(client, &path, &object).await
}

fn weighed(
    tried: Result<(), kube::Error>,
    refused: Option<&str>,
    namespace: &str,
) -> Result<(), String> {
    match (tried, refused) {
        (Ok(()), None) => Ok(()),
        (Ok(()), Some(field)) => Err(format!(
            "it was accepted, so the CustomResourceDefinition in the cluster does not check {field}; \
             apply the one of this version: static-aws-credentials crd | kubectl apply --server-side -f -"
        )),
        (Err(kube::Error::Api(status)), Some(field)) if is_of_schema(&status, field) => Ok(()),
        (Err(kube::Error::Api(status)), _) => Err(advice(&status, namespace)),
        (Err(error), _) => Err(format!("the API server does not answer: {}", chain(&error))),
    }
}

/// An admission policy answers 422 as well, and names no field.
fn is_of_schema(status: &Status, field: &str) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    status.code == 422 && causes.into_iter().any(|cause| cause.field == field)
}

fn advice(status: &Status, namespace: &str) -> String {
    let message = &status.message;
    let what = match status.code {
        // A policy refuses in its own words, with the same code.
        403 if message.contains("cannot create resource") => format!(
            "let the account create staticawscredentials.{} in namespace {namespace}",
            api::GROUP
        ),
        404 => format!(
            "make sure that namespace {namespace} exists, and install the CustomResourceDefinition: \
             static-aws-credentials crd | kubectl apply --server-side -f -"
        ),
        _ => "the message names the rule or the admission policy".to_owned(),
    };
    format!("{message}; {what}")
}
