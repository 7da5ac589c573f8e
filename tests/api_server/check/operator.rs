//! `check` and the operator give the same verdict: both get the same Secrets and specs in a real
//! cluster, and the same STS.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use cluster::{
    child_process::ChildProcess,
    sts::{Answer, Sts},
};
use kube::Api;
use serde_json::{Value, json};
use static_aws_credentials::api::StaticAwsCredentials;

use crate::{
    check::{
        program::check,
        test_cluster::{ACCOUNT, ARN, PAIR, TestCluster, secret, sts},
    },
    suite::tests,
};

tests![check_and_the_operator_agree];

const PATIENCE: Duration = Duration::from_secs(150);
const OTHER: &str = "arn:aws:iam::123456789012:user/bills";
/// IDs for which STS gives different answers.
const UNKNOWN: &str = "AKIARZPUZDIKAUAIL2B4";
const EXPIRED: &str = "AKIARZPUZDIKAUAIL2C5";
const ROOT: &str = "AKIARZPUZDIKAUAIL2D6";
const AWAY: &str = "AKIARZPUZDIKAUAIL2E7";

struct Case {
    name: String,
    id: &'static str,
    secret: String,
    spec: Value,
}

fn cases() -> Vec<Case> {
    let good = PAIR.1;
    let hash = "#SecretThatBeginsAComment/in+aFile/wSecr";
    let pin = |field: &str, value: &str| json!({ "validation": { field: value } });
    let format =
        |account: &str| json!({ "validation": { "level": "Format", "accountId": account } });
    let cases = [
        (PAIR.0, good.to_owned(), json!({})),
        (PAIR.0, good.to_owned(), pin("accountId", ACCOUNT)),
        (PAIR.0, good.to_owned(), pin("accountId", "999999999999")),
        (PAIR.0, good.to_owned(), pin("arn", ARN)),
        (PAIR.0, good.to_owned(), pin("arn", OTHER)),
        (PAIR.0, good.to_owned(), format(ACCOUNT)),
        (PAIR.0, good.to_owned(), format("999999999999")),
        ("STOREKEY987654321", good.to_owned(), format(ACCOUNT)),
        (
            "STOREKEY987654321",
            "of another store".to_owned(),
            json!({ "validation": { "level": "Format" } }),
        ),
        (
            PAIR.0,
            "wSecretThatIsNotThatOfTheKeyID+/wSecretT".to_owned(),
            json!({}),
        ),
        (PAIR.0, format!("{good}\n"), json!({})),
        (PAIR.0, format!(" {good}"), json!({})),
        (PAIR.0, format!("\"{good}\""), json!({})),
        (PAIR.0, String::new(), json!({})),
        (PAIR.0, PAIR.0.to_owned(), json!({})),
        (
            PAIR.0,
            hash.to_owned(),
            json!({ "target": { "layouts": ["SharedCredentialsFile"] } }),
        ),
        ("ASIARZPUZDIKAUAIL2A3", good.to_owned(), json!({})),
        ("AIDARZPUZDIKAUAIL2A3", good.to_owned(), json!({})),
        ("AKIAIOSFODNN7EXAMPLE", good.to_owned(), json!({})),
        ("nonsense", good.to_owned(), json!({})),
        (
            PAIR.0,
            good.to_owned(),
            json!({ "secretRef": { "name": "", "accessKeyIdKey": "id" } }),
        ),
        (UNKNOWN, good.to_owned(), json!({})),
        (EXPIRED, good.to_owned(), json!({})),
        (ROOT, good.to_owned(), json!({})),
        (ROOT, good.to_owned(), pin("rootUser", "Allow")),
        (AWAY, good.to_owned(), json!({})),
    ];
    let case = |(at, (id, secret, spec)): (usize, (&'static str, String, Value))| Case {
        name: format!("case-{at:02}"),
        id,
        secret,
        spec,
    };
    cases.into_iter().enumerate().map(case).collect()
}

impl Case {
    fn manifests(&self, namespace: &str) -> String {
        let mut spec = json!({ "region": "eu-west-1" });
        for (field, value) in self.spec.as_object().into_iter().flatten() {
            spec[field] = value.clone();
        }
        spec["secretRef"]["name"] = json!(self.name);
        let metadata = json!({ "name": self.name, "namespace": namespace });
        let resource = json!({
            "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
            "metadata": metadata, "spec": spec,
        });
        let secret = secret(self.id, &self.secret).replace("orders-key-pair", &self.name);
        let here = format!(r#""metadata":{{"namespace":"{namespace}","#);
        format!(
            "{}\n---\n{resource}\n",
            secret.replace(r#""metadata":{"#, &here)
        )
    }
}

async fn check_and_the_operator_agree(test_cluster: Arc<TestCluster>) -> Result<()> {
    let cluster = test_cluster.cluster().await?;
    let namespace = cluster.namespace("agree").await?;
    let sts = sts().await?;
    sts.answer(EXPIRED, Answer::error(403, "ExpiredToken", "expired"));
    sts.accept(ROOT, ACCOUNT, "arn:aws:iam::123456789012:root", ACCOUNT);
    sts.answer(AWAY, Answer::Html(503));
    let cases = cases();
    let all: Vec<String> = cases
        .iter()
        .map(|case| case.manifests(&namespace))
        .collect();
    cluster.apply(&all.join("\n---\n")).await?;
    let kubeconfig = cluster.kubeconfig().display().to_string();
    let log = cluster.directory().join("operator-of-check.log");
    let url = sts.url();
    let run = [
        "run",
        "--bind",
        "127.0.0.1:0",
        "--namespace",
        &namespace,
        "--sts-endpoint",
        &url,
    ];
    let program = PathBuf::from(env!("CARGO_BIN_EXE_static-aws-credentials"));
    let env = [("KUBECONFIG".to_owned(), kubeconfig.clone())];
    let operator = ChildProcess::spawn("operator", &program, &run.map(str::to_owned), &env, &log)?;
    let resources: Api<StaticAwsCredentials> = Api::namespaced(cluster.client(), &namespace);
    for case in &cases {
        let (status, reason, message) = judged(&resources, &case.name).await?;
        for from_cluster in [true, false] {
            let own = own_verdict(case, &namespace, &kubeconfig, &sts, from_cluster).await?;
            let verdict = match status.as_str() {
                "True" => "Accepted",
                "False" => "Rejected",
                _ => "Undetermined",
            };
            let actual = (own["verdict"].as_str(), own["reason"].as_str());
            assert_eq!(
                actual,
                (Some(verdict), Some(reason.as_str())),
                "{}: {own}",
                case.name
            );
            let own_message = own["message"].as_str().context("no message")?;
            assert!(
                own_message == message || is_reworded(&reason),
                "{own_message}\n{message}"
            );
        }
    }
    operator.stop();
    Ok(())
}

/// Reasons whose message mentions the operator, or includes notes.
fn is_reworded(reason: &str) -> bool {
    ["FormatOnly", "AccountUnknown"].contains(&reason) || reason.starts_with("Sts")
}

/// The condition Verified once it is final, not while a key settles.
async fn judged(
    resources: &Api<StaticAwsCredentials>,
    name: &str,
) -> Result<(String, String, String)> {
    let judged = async {
        loop {
            let status = resources.get(name).await?.status.unwrap_or_default();
            let verified = status.conditions.iter().find(|one| one.type_ == "Verified");
            let verified =
                verified.filter(|one| !["Pending", "Settling"].contains(&one.reason.as_str()));
            if let Some(one) = verified {
                return anyhow::Ok((one.status.clone(), one.reason.clone(), one.message.clone()));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, judged).await {
        Ok(judged) => judged,
        Err(_) => bail!("{name} is not judged in time"),
    }
}

async fn own_verdict(
    case: &Case,
    namespace: &str,
    kubeconfig: &str,
    sts: &Sts,
    from_cluster: bool,
) -> Result<Value> {
    let url = sts.url();
    let place = if from_cluster {
        ["--resource", &case.name, "-n", namespace]
    } else {
        ["--resource", &case.name, "-f", "-"]
    };
    let format = case.spec["validation"]["level"] == "Format";
    let endpoint = ["--sts-endpoint", &url, "-o", "json"];
    let flags = place.into_iter().chain(endpoint);
    let program = check(flags).env("KUBECONFIG", kubeconfig);
    let run = program.input(case.manifests(namespace)).run().await?;
    let own = run.json()?;
    assert_eq!(
        own["region"].is_null(),
        format || own["keyIdSuffix"].is_null() || own["reason"] == "LayoutCannotCarry",
        "{own}"
    );
    Ok(own)
}
