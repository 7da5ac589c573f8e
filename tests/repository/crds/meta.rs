//! The shipped definition around its schema: names, columns, selectable fields, metadata for other tools.

use anyhow::Result;
use serde_json::{Value, json};
use static_aws_credentials::api::{API_VERSION, GROUP, KIND, crd};

fn definition() -> Result<Value> {
    Ok(serde_json::to_value(crd())?)
}

#[test]
fn it_has_the_names_that_users_type() -> Result<()> {
    let definition = definition()?;
    let spec = &definition["spec"];
    assert_eq!(
        definition["metadata"]["name"],
        "staticawscredentials.awscredentials.dev"
    );
    assert_eq!(spec["scope"], "Namespaced");
    assert_eq!(
        spec["names"],
        json!({
            "kind": "StaticAwsCredentials",
            "plural": "staticawscredentials",
            "singular": "staticawscredentials",
            "shortNames": ["awscreds"],
            "categories": ["aws-credentials"],
        })
    );
    let version = spec["versions"][0]["name"].as_str().unwrap_or_default();
    assert_eq!(spec["names"]["kind"], KIND);
    assert_eq!(format!("{GROUP}/{version}"), API_VERSION);
    assert_eq!(spec["group"], GROUP);
    assert_eq!(spec["versions"].as_array().map(Vec::len), Some(1));
    Ok(())
}

#[test]
fn other_tools_keep_it_and_find_the_secret_to_bind() -> Result<()> {
    let metadata = &definition()?["metadata"];
    assert_eq!(
        metadata["labels"],
        json!({"servicebinding.io/provisioned-service": "true"})
    );
    assert_eq!(
        metadata["annotations"],
        json!({
            "helm.sh/resource-policy": "keep",
            "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
        })
    );
    Ok(())
}

#[test]
fn it_has_a_status_subresource_and_selectable_fields() -> Result<()> {
    let version = &definition()?["spec"]["versions"][0];
    assert_eq!(version["subresources"], json!({"status": {}}));
    assert_eq!(
        version["selectableFields"],
        json!([{"jsonPath": ".spec.secretRef.name"}, {"jsonPath": ".status.published.secretName"}])
    );
    Ok(())
}

#[test]
fn kubectl_get_shows_these_columns() -> Result<()> {
    let columns = definition()?["spec"]["versions"][0]["additionalPrinterColumns"].clone();
    let condition =
        |kind: &str, field: &str| format!(r#".status.conditions[?(@.type=="{kind}")].{field}"#);
    let expected = [
        ("Ready", "string", condition("Ready", "status"), 0),
        ("Reason", "string", condition("Ready", "reason"), 0),
        (
            "Account",
            "string",
            ".status.identity.accountId".to_owned(),
            0,
        ),
        (
            "Target",
            "string",
            ".status.published.secretName".to_owned(),
            0,
        ),
        ("Age", "date", ".metadata.creationTimestamp".to_owned(), 0),
        (
            "Key",
            "string",
            ".status.published.keyIdSuffix".to_owned(),
            1,
        ),
        ("Class", "string", ".spec.classRef.name".to_owned(), 1),
        ("Verified", "string", condition("Verified", "status"), 1),
        ("Message", "string", condition("Ready", "message"), 1),
    ];
    let shown: Vec<_> = columns
        .as_array()
        .into_iter()
        .flatten()
        .map(|column| {
            assert!(column["description"].is_string(), "{column}");
            let text = |key: &str| column[key].as_str().unwrap_or_default().to_owned();
            let priority = column["priority"].as_i64().unwrap_or_default();
            (text("name"), text("type"), text("jsonPath"), priority)
        })
        .collect();
    let expected = expected
        .map(|(name, kind, path, priority)| (name.to_owned(), kind.to_owned(), path, priority));
    assert_eq!(shown, expected);
    Ok(())
}
