//! The objects of a team's namespace: a key pair, a resource that names it, and the published Secret.

use anyhow::{Result, ensure};

use crate::helm_e2e::site::Site;

/// The account of every pair.
const ACCOUNT: &str = "123456789012";
const ARN: &str = "arn:aws:iam::123456789012:user/orders";
/// The secret access key of every pair.
pub const SECRET: &str = "wSecretOfAnInstalledPair+wSecretOfAnInst";
const RESOURCE: &str = "staticawscredentials/orders";
const TARGET: &str = "secret/orders-credentials";

/// A team's namespace.
pub struct App<'a> {
    site: &'a Site,
    pub namespace: String,
}

/// Versions of the target and of the resource, and the revision that the status reports.
#[derive(Debug, PartialEq, Eq)]
pub struct Standing {
    target: String,
    resource: String,
    revision: String,
}

impl<'a> App<'a> {
    pub async fn new(site: &'a Site, namespace: &str) -> Result<Self> {
        site.namespace(namespace).await?;
        let namespace = namespace.to_owned();
        Ok(Self { site, namespace })
    }

    /// A pair that STS accepts. Its suffix is the letter three times and a 2.
    pub fn pair(&self, letter: char) -> String {
        let id = format!("AKIARZPUZDIKQUAI{letter}{letter}{letter}2");
        self.site
            .sts
            .accept_pair(&id, SECRET, ACCOUNT, ARN, "AIDAQUAIL");
        self.site.secrets().push(id.clone());
        id
    }

    /// Writes the source, and the resource if it does not exist.
    pub async fn request(&self, id: &str) -> Result<()> {
        let namespace = &self.namespace;
        let manifest = format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: orders-key-pair, namespace: {namespace}}}\n\
             stringData: {{AWS_ACCESS_KEY_ID: {id}, AWS_SECRET_ACCESS_KEY: {SECRET}}}\n---\n\
             apiVersion: awscredentials.dev/v1alpha1\nkind: StaticAwsCredentials\n\
             metadata: {{name: orders, namespace: {namespace}}}\n\
             spec: {{secretRef: {{name: orders-key-pair}}, region: eu-west-1}}\n"
        );
        self.site.cluster.apply(&manifest).await.map(drop)
    }

    /// Waits until the target holds this pair and the status reports it.
    pub async fn until_published(&self, id: &str) -> Result<()> {
        let site = self.site;
        let suffix = &id[id.len() - 4..];
        let path = "{.status.published.keyIdSuffix}";
        site.until_reads(&self.namespace, RESOURCE, path, suffix)
            .await?;
        let path = r#"{.status.conditions[?(@.type=="Ready")].status}"#;
        site.until_reads(&self.namespace, RESOURCE, path, "True")
            .await?;
        self.holds(id).await
    }

    /// Fails unless the target holds this pair now.
    pub async fn holds(&self, id: &str) -> Result<()> {
        let path = "{.data.AWS_ACCESS_KEY_ID}";
        let held = self.site.read(&self.namespace, TARGET, path).await?;
        let expected = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, id);
        ensure!(held == expected, "the target holds another key");
        Ok(())
    }

    pub async fn standing(&self) -> Result<Standing> {
        let version = "{.metadata.uid}/{.metadata.resourceVersion}";
        let revision = "{.status.published.revision}";
        Ok(Standing {
            target: self.site.read(&self.namespace, TARGET, version).await?,
            resource: self.site.read(&self.namespace, RESOURCE, version).await?,
            revision: self.site.read(&self.namespace, RESOURCE, revision).await?,
        })
    }
}
