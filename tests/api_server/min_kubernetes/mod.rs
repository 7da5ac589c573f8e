//! The oldest Kubernetes that the chart supports: it accepts the definition and the chart without a warning, Helm
//! detects the policies that this version has, and the operator, under the chart's account and policies, publishes,
//! rotates and rejects. `cargo kubernetes-versions` runs the same on each newer version, by `KUBERNETES_RELEASE`.

mod recorded;
mod scenario;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use cluster::{
    binaries::{self, Binary, Release},
    control_plane::{ControlPlane, Options},
    shipped::{CHART, CRD},
    tools::{self, Tool},
};
use futures::FutureExt;
use serde_json::Value;

use crate::suite::{Suite, tests};

const HOME: &str = "awscredentials-system";
const PATIENCE: Duration = Duration::from_mins(2);

/// Policies that the chart renders for this version.
const POLICIES: [&str; 4] = ["requester", "fence", "only", "status"];

pub struct TestCluster {
    release: Release,
    cluster: ControlPlane,
    kubectl: PathBuf,
}

pub fn suite() -> Suite<TestCluster> {
    Suite {
        name: "min_kubernetes",
        threads: 1,
        start: || TestCluster::start().boxed_local(),
        run: |cluster, test| test(cluster),
        last: None,
        tests: vec![tests()],
    }
}

tests![the_oldest_kubernetes_that_the_chart_admits_runs_all_of_it];

async fn the_oldest_kubernetes_that_the_chart_admits_runs_all_of_it(
    cluster: Arc<TestCluster>,
) -> Result<()> {
    cluster.has_the_version_of_its_release().await?;
    cluster.takes_the_definition_without_a_warning()?;
    cluster.takes_the_chart_without_a_warning(Tool::Helm3)?;
    cluster.takes_the_chart_without_a_warning(Tool::Helm4)?;
    cluster.installs_the_chart_with_its_policies().await?;
    cluster.is_served_by_the_operator().await?;
    // The policies are enforced by now.
    cluster.refuses_what_the_schema_forbids().await
}

impl TestCluster {
    async fn start() -> Result<Self> {
        let release = Release::named()?.unwrap_or(Release::Floor);
        let options = Options {
            release: Some(release),
            audit: true,
            ..Options::default()
        };
        let cluster = ControlPlane::start(options).await?;
        let kubectl = tokio::task::spawn_blocking(|| binaries::find(&[Binary::Kubectl])).await??;
        let kubectl = kubectl.into_iter().next().context("no kubectl")?;
        Ok(Self {
            release,
            cluster,
            kubectl,
        })
    }

    /// The oldest one has the minor version that the chart names.
    async fn has_the_version_of_its_release(&self) -> Result<()> {
        let version = self.cluster.client().apiserver_version().await?;
        assert_eq!(version.git_version, format!("v{}", self.release.version()?));
        if self.release == Release::Floor {
            let chart = std::fs::read_to_string(Path::new(CHART).join("Chart.yaml"))?;
            let chart: Value = serde_saphyr::from_str(&chart)?;
            let named = format!(">={}.{}.0-0", version.major, version.minor);
            assert_eq!(chart["kubeVersion"], named);
        }
        Ok(())
    }

    /// Runs `kubectl` with `input` on standard input. Warnings are on standard error, apart from the output.
    fn kubectl(&self, args: &[&str], input: &str) -> Result<Output> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), input)?;
        let mut command = Command::new(&self.kubectl);
        command.arg("--kubeconfig").arg(self.cluster.kubeconfig());
        command.args(args).stdin(std::fs::File::open(file.path())?);
        Ok(command.env("HOME", self.cluster.directory()).output()?)
    }

    fn applied(&self, args: &[&str], yaml: &str) -> Result<String> {
        let apply = ["apply", "--server-side", "-f", "-"];
        let output = self.kubectl(&[&apply, args].concat(), yaml)?;
        let complaints = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success() && complaints.is_empty(),
            "{complaints}"
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    fn takes_the_definition_without_a_warning(&self) -> Result<()> {
        self.applied(&["--dry-run=server"], CRD)?;
        Ok(())
    }

    fn helm(&self, tool: Tool, args: &[&str]) -> Result<String> {
        let helm = tools::find(tool)?;
        let mut command = Command::new(helm);
        command
            .args(args)
            .env("KUBECONFIG", self.cluster.kubeconfig());
        for place in ["HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"] {
            command.env(place, self.cluster.directory().join("helm"));
        }
        let output = command.output()?;
        let complaints = String::from_utf8_lossy(&output.stderr);
        let warned = complaints.to_lowercase().contains("warning");
        ensure!(output.status.success() && !warned, "{args:?}: {complaints}");
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The whole chart for the capabilities of this API server, in a server-side dry run.
    fn takes_the_chart_without_a_warning(&self, tool: Tool) -> Result<()> {
        let dry_run = ["--dry-run=server", "-o", "json"];
        let install = ["install", "sac", CHART, "-n", "default"];
        let release: Value =
            serde_json::from_str(&self.helm(tool, &[&install[..], &dry_run].concat())?)?;
        let rendered = release["manifest"].as_str().context("no manifest")?;
        assert!(
            rendered.contains("kind: ValidatingAdmissionPolicy\n"),
            "no policies"
        );
        assert!(
            !rendered.contains("kind: MutatingAdmissionPolicy"),
            "{rendered}"
        );
        // The chart has no resources of our own kind, which would need the definition first.
        self.applied(&["--dry-run=server", "-n", "default"], rendered)?;
        Ok(())
    }

    async fn installs_the_chart_with_its_policies(&self) -> Result<()> {
        let output = self.helm(
            Tool::Helm3,
            &["install", "sac", CHART, "-n", HOME, "--create-namespace"],
        )?;
        assert!(output.contains("STATUS: deployed"), "{output}");
        let get = [
            "get",
            "validatingadmissionpolicies,validatingadmissionpolicybindings",
            "-o",
            "name",
        ];
        let names = self.cluster.kubectl(&get).await?;
        for policy in POLICIES {
            assert_eq!(
                names.lines().filter(|name| name.ends_with(policy)).count(),
                2,
                "{policy}: {names}"
            );
        }
        // The API server type-checks a policy some time after its creation, and reports warnings in its status.
        let types = self
            .cluster
            .kubectl(&["get", "validatingadmissionpolicies", "-o", "json"])
            .await?;
        let types: Value = serde_json::from_str(&types)?;
        for policy in types["items"].as_array().into_iter().flatten() {
            let warnings = &policy["status"]["typeChecking"]["expressionWarnings"];
            assert!(
                warnings.is_null(),
                "{}: {warnings}",
                policy["metadata"]["name"]
            );
        }
        let kind = "crd/staticawscredentials.awscredentials.dev";
        self.cluster
            .kubectl(&["wait", "--for=condition=Established", kind])
            .await?;
        Ok(())
    }

    /// Like `helm test`: under the account that the chart creates for it, to which the requester policy applies as to
    /// any other account.
    async fn refuses_what_the_schema_forbids(&self) -> Result<()> {
        let account = "templates/tests/account.yaml";
        let args = ["template", "sac", CHART, "-n", HOME, "--show-only", account];
        let newest = ["--kube-version", "1.37"];
        let rendered = self.helm(Tool::Helm3, &[&args[..], &newest].concat())?;
        self.applied(&[], &rendered)?;
        let made: Vec<Value> = serde_saphyr::from_multiple(&rendered)?;
        let name = made.iter().find(|one| one["kind"] == "ServiceAccount");
        let name = name.and_then(|one| one["metadata"]["name"].as_str());
        let name = name.context("no account")?;
        let kubeconfig = self
            .cluster
            .service_account_kubeconfig(HOME, name, None)
            .await?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_static-aws-credentials"));
        command.args(["api-check", "-n", HOME]);
        let output = command.env("KUBECONFIG", kubeconfig).output()?;
        let printed = String::from_utf8_lossy(&output.stdout);
        ensure!(
            output.status.success() && printed.matches("ok  ").count() == 5,
            "{printed}"
        );
        Ok(())
    }
}
