//! The definition of the class: its bounds, and for each CEL rule what the rule accepts and refuses.

use anyhow::{Result, ensure};
use kube::core::cel::{Validator, compile_schema};
use serde_json::{Value, json};
use static_aws_credentials::api::AwsCredentialsClass;

use crate::schema::{
    bounds::KEYWORDS,
    definition::{Node, class_nodes},
};

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";

fn class(spec: &Value) -> Value {
    let mut whole = json!({
        "proof": "S3", "endpoint": {"url": "https://s3.example.com"}, "allowPlainHttp": false,
        "region": "us-east-1", "accessKeyIdFormat": "Aws", "settling": "60s",
    });
    for (field, value) in spec.as_object().into_iter().flatten() {
        whole[field] = value.clone();
    }
    json!({
        "apiVersion": "awscredentials.dev/v1alpha1", "kind": "AwsCredentialsClass",
        "metadata": {"name": "minio"}, "spec": whole,
    })
}

fn at(url: &str) -> Value {
    json!({"endpoint": {"url": url}, "allowPlainHttp": true})
}

fn trusting(bundle: &str) -> Value {
    json!({"endpoint": {"url": "https://s3.example.com", "caBundle": bundle}})
}

fn in_region(region: &str) -> Value {
    json!({ "region": region })
}

fn settling(time: &str) -> Value {
    json!({ "settling": time })
}

fn allowing(names: &[&str]) -> Value {
    json!({"allowedNamespaces": {"names": names}})
}

/// The messages of the rules that a class violates.
fn offences(spec: &Value) -> Result<Vec<String>> {
    let root = class_nodes()?.into_iter().find(|node| node.path.is_empty());
    let schema = root.map(|node| node.schema).unwrap_or_default();
    let compiled = compile_schema(&schema);
    let outcome = Validator::new().validate_compiled(&compiled, &class(spec), None);
    let errors = outcome.err().into_iter().flatten();
    Ok(errors.map(|error| error.message).collect())
}

#[test]
fn every_rule_of_a_class_accepts_and_refuses_what_it_says() -> Result<()> {
    let rows: [(&str, Vec<Value>, Vec<Value>); 6] = [
        (
            "spec.endpoint.url must be https:// or http://",
            [
                "https://s3",
                "https://10.0.0.1:9000",
                "http://[2001:db8::1]:9000",
            ]
            .map(at)
            .into(),
            [
                "",
                "s3.example.com",
                "ftp://s3",
                "https://s3/",
                "https://s3/path",
                "https://a@s3",
                "https://s3?x",
                "https://",
                "https://s3:",
                "https://s3:port",
                "https://s3\n",
            ]
            .map(at)
            .into(),
        ),
        (
            "spec.endpoint.url must begin with https://",
            vec![json!({"endpoint": {"url": "http://s3"}, "allowPlainHttp": true})],
            vec![json!({"endpoint": {"url": "http://s3"}})],
        ),
        (
            "spec.endpoint.caBundle must be one or more certificates",
            vec![trusting(CERTIFICATE), trusting(&CERTIFICATE.repeat(2))],
            vec![
                trusting(""),
                trusting("minio-ca"),
                trusting(&format!("{CERTIFICATE}-----BEGIN PRIVATE KEY-----")),
            ],
        ),
        (
            "spec.region must be the region of the store",
            ["auto", "garage", "us-east-1", "7"].map(in_region).into(),
            ["", "-a", "a b", "a/b", "EU", "a\n"].map(in_region).into(),
        ),
        (
            "spec.settling must be 0s to 10m",
            ["0s", "90s", "2m", "9m59s", "10m"].map(settling).into(),
            ["", "soon", "-1s", "1h", "10m1s", "5"].map(settling).into(),
        ),
        (
            "spec.allowedNamespaces.names must be names of namespaces",
            vec![
                json!({"allowedNamespaces": {}}),
                allowing(&["orders", "a-1"]),
            ],
            ["", "*", "Orders", "a.b"]
                .map(|name| allowing(&[name]))
                .into(),
        ),
    ];
    for (message, accepted, refused) in rows {
        for spec in accepted {
            let found = offences(&spec)?;
            ensure!(found.is_empty(), "{message}: {spec} offends {found:?}");
        }
        for spec in refused {
            let found = offences(&spec)?;
            let is_meant = found.iter().any(|found| found.starts_with(message));
            ensure!(is_meant, "{message}: {spec} offends {found:?}");
        }
    }
    Ok(())
}

#[test]
fn every_bound_of_a_class_is_meant() -> Result<()> {
    let mut found = Vec::new();
    for Node { path, schema } in class_nodes()? {
        for keyword in KEYWORDS {
            if let Some(limit) = schema.get(keyword) {
                found.push(format!("{path} {keyword} {limit}"));
            }
        }
    }
    found.sort();
    let wanted = [
        " required [\"spec\"]",
        "spec required [\"endpoint\",\"proof\"]",
        "spec.accessKeyIdFormat enum [\"Aws\",\"Any\"]",
        "spec.allowedNamespaces.names maxItems 1000",
        "spec.allowedNamespaces.names[] maxLength 63",
        "spec.endpoint required [\"url\"]",
        "spec.endpoint.caBundle maxLength 65536",
        "spec.endpoint.url maxLength 300",
        "spec.proof enum [\"S3\"]",
        "spec.region maxLength 32",
        "spec.settling maxLength 12",
    ];
    assert_eq!(found, wanted);
    Ok(())
}

#[test]
fn the_operator_fills_in_the_defaults_of_a_class() -> Result<()> {
    let least = json!({
        "apiVersion": "awscredentials.dev/v1alpha1", "kind": "AwsCredentialsClass",
        "metadata": {"name": "minio"},
        "spec": {"proof": "S3", "endpoint": {"url": "https://s3.example.com"}},
    });
    let read: AwsCredentialsClass = serde_json::from_value(least)?;
    assert_eq!(serde_json::to_value(read)?, class(&json!({})));
    Ok(())
}
