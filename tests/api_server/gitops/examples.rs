//! The manifests of docs/gitops.md are accepted by an API server that has the real definitions of
//! Flux, Argo CD, Sealed Secrets and External Secrets, from their Go modules.

use std::{process::Command, sync::Arc};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    gitops::{
        argo_cd,
        test_cluster::{TestCluster, folder, text},
    },
    suite::tests,
};

tests![
    the_manifests_of_the_documentation_are_valid,
    the_script_is_merged_into_the_configuration_of_argo_cd,
];

/// A definition, and the module it comes from.
struct Definition {
    module: &'static str,
    sum: &'static str,
    file: &'static str,
}

const DEFINITIONS: [Definition; 4] = [
    Definition {
        module: "github.com/fluxcd/kustomize-controller@v1.9.6",
        sum: "h1:XB+G3A0mky0j5uVHZWv4oSlS2RvZBoNIUhstIvY0JKE=",
        file: "config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml",
    },
    Definition {
        module: "github.com/argoproj/argo-cd/v3@v3.5.7",
        sum: "h1:Xm1BF+I5OgDKUG3SDK49vn2/Y5AMyaNVko+/JT08gj0=",
        file: "manifests/crds/application-crd.yaml",
    },
    Definition {
        module: "github.com/bitnami-labs/sealed-secrets@v0.40.0",
        sum: "h1:rvCP35JL8ZV5LNA2SrwNR6iLyoM3ulrSFWN0lBtYEYI=",
        file: "helm/sealed-secrets/crds/bitnami.com_sealedsecrets.yaml",
    },
    Definition {
        module: "github.com/external-secrets/external-secrets@v1.3.2",
        sum: "h1:u2J8RjlHIeF0oZCqtl92adI/uZWUwOesJIDkfql6LqQ=",
        file: "config/crds/bases/external-secrets.io_externalsecrets.yaml",
    },
];

/// Blocks of docs/gitops.md in one language.
pub fn blocks(language: &str) -> Result<Vec<String>> {
    let documentation = text("docs/gitops.md")?;
    let parts = documentation.split("\n```");
    let blocks = parts.filter_map(|part| part.strip_prefix(&format!("{language}\n")));
    Ok(blocks.map(|block| format!("{block}\n")).collect())
}

impl Definition {
    /// The definition from Go's module cache, downloaded if missing; its checksum is pinned.
    fn yaml(&self) -> Result<String> {
        let output = Command::new("go")
            .args(["mod", "download", "-json", self.module])
            .current_dir(folder("tests/api_server/gitops/kstatus"))
            .output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: {errors}", self.module);
        let module: Value = serde_json::from_slice(&output.stdout)?;
        ensure!(
            module["Sum"] == self.sum,
            "{}: {}",
            self.module,
            module["Sum"]
        );
        let directory = module["Dir"].as_str().context("no directory")?;
        let path = std::path::Path::new(directory).join(self.file);
        std::fs::read_to_string(&path).with_context(|| path.display().to_string())
    }
}

async fn the_manifests_of_the_documentation_are_valid(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let cluster = &test_cluster.cluster;
    for definition in DEFINITIONS {
        let yaml = tokio::task::spawn_blocking(move || definition.yaml()).await??;
        cluster.define(&yaml).await?;
    }
    for namespace in ["argocd", "flux-system", "orders"] {
        let manifest =
            format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}}}\n");
        cluster.apply(&manifest).await?;
    }
    let blocks = blocks("yaml")?;
    assert!(blocks.len() >= 6, "{blocks:?}");
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("example.yaml");
    for block in blocks {
        std::fs::write(&file, &block)?;
        let path = file.display().to_string();
        let args = [
            "apply",
            "--server-side",
            "--dry-run=server",
            "--validate=strict",
            "-f",
            &path,
        ];
        let output = cluster
            .kubectl(&args)
            .await
            .with_context(|| block.clone())?;
        assert_eq!(
            output.lines().count(),
            block.matches("\nkind: ").count(),
            "{output}"
        );
    }
    Ok(())
}

/// The documented command uses `jq`, which may not be installed, so the test builds the merged result itself.
async fn the_script_is_merged_into_the_configuration_of_argo_cd(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let key = "resource.customizations.health.awscredentials.dev_StaticAwsCredentials";
    let command = blocks("sh")?
        .into_iter()
        .find(|block| block.contains("argocd-cm"));
    let command = command.context("docs/gitops.md does not say how")?;
    let script = format!("{}/health.lua", argo_cd::DIRECTORY);
    assert!(
        command.contains(key) && command.contains(&script),
        "{command}"
    );
    let cluster = &test_cluster.cluster;
    let namespace = cluster.namespace("argocd").await?;
    cluster
        .kubectl(&["create", "configmap", "argocd-cm", "-n", &namespace])
        .await?;
    let patch = serde_json::json!({ "data": { key: text(&script)? } }).to_string();
    let args = [
        "patch",
        "configmap",
        "argocd-cm",
        "-n",
        &namespace,
        "--type=merge",
        "--patch",
        &patch,
    ];
    cluster.kubectl(&args).await?;
    let stored = cluster
        .kubectl(&["get", "configmap/argocd-cm", "-n", &namespace, "-o", "json"])
        .await?;
    let stored: Value = serde_json::from_str(&stored)?;
    assert_eq!(stored["data"][key], text(&script)?);
    Ok(())
}
