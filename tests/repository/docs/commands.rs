//! The commands and manifests of the documentation, on a real API server.

use std::{
    path::Path,
    process::{Command, Output},
};

use anyhow::{Context, Result, bail, ensure};
use cluster::{
    control_plane::{ControlPlane, Options},
    shipped::CRD,
    tools::{Tool, find},
};

use super::{
    manifests::judged,
    pages::{ROOT, blocks},
};

/// A cluster without a node, and a directory with `helm` and `kubectl` for it.
struct Terminal {
    cluster: ControlPlane,
    programs: tempfile::TempDir,
}

impl Terminal {
    async fn open(helm: Tool) -> Result<Self> {
        let cluster = ControlPlane::start(Options::default()).await?;
        let programs = tempfile::tempdir()?;
        let helm = tokio::task::spawn_blocking(move || find(helm)).await??;
        let kubectl = cluster.kubectl_program().to_owned();
        for (name, program) in [("helm", helm), ("kubectl", kubectl)] {
            std::os::unix::fs::symlink(program, programs.path().join(name))?;
        }
        Ok(Self { cluster, programs })
    }

    /// Runs a script in the root of the repository.
    async fn run(&self, script: &str) -> Result<Output> {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("bash");
        command
            .args(["-euo", "pipefail", "-c", script])
            .current_dir(ROOT)
            .env("PATH", format!("{}:{path}", self.programs.path().display()))
            .env("KUBECONFIG", self.cluster.kubeconfig())
            .env("HOME", self.programs.path());
        Ok(tokio::task::spawn_blocking(move || command.output()).await??)
    }

    /// Runs the documented block with this mark.
    async fn tried(&self, page: &str, mark: &str) -> Result<String> {
        let block = blocks()?
            .into_iter()
            .find(|block| block.page == Path::new(page) && block.mark.as_deref() == Some(mark));
        let block = block.with_context(|| format!("{page} has no block {mark}"))?;
        // A file that the command writes must not end up in the repository.
        let written = self.programs.path().join("static-aws-credentials.yaml");
        let script = block.text.replace(
            " static-aws-credentials.yaml",
            &format!(" {}", written.display()),
        );
        self.succeed(&script).await
    }

    async fn succeed(&self, script: &str) -> Result<String> {
        let output = self.run(script).await?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{script}\n{errors}");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Names of the objects that a query finds.
    async fn names(&self, query: &str) -> Result<String> {
        self.succeed(&format!("kubectl get {query} -o name")).await
    }
}

/// The history of a shell keeps a command line, and other users of the machine can read it.
#[test]
fn no_command_has_a_secret_among_its_arguments() -> Result<()> {
    let commands = blocks()?.into_iter();
    let commands = commands.filter(|block| block.language == "sh");
    let mut seen = 0;
    for block in commands {
        for words in ["--from-literal", "SECRET_ACCESS_KEY="] {
            let found = block.text.contains(words);
            ensure!(!found, "{}: {}", block.page.display(), block.text);
        }
        seen += 1;
    }
    ensure!(seen > 20, "commands are found: {seen}");
    Ok(())
}

const INSTALL: &str = "docs/install.md";
const UNINSTALL: &str = "docs/upgrade-and-uninstall.md";
const DEFINITION: &str =
    "customresourcedefinition.apiextensions.k8s.io/staticawscredentials.awscredentials.dev";

#[tokio::test(flavor = "multi_thread")]
async fn helm_4_installs_uninstalls_and_installs_again_as_documented() -> Result<()> {
    installs_uninstalls_and_installs_again(Tool::Helm4).await
}

#[tokio::test(flavor = "multi_thread")]
async fn helm_3_installs_uninstalls_and_installs_again_as_documented() -> Result<()> {
    installs_uninstalls_and_installs_again(Tool::Helm3).await
}

async fn installs_uninstalls_and_installs_again(helm: Tool) -> Result<()> {
    let terminal = Terminal::open(helm).await?;
    terminal.tried(INSTALL, "helm").await?;
    terminal.succeed("kubectl create namespace orders").await?;
    let orders = judged()?.into_iter().find(|(place, object)| {
        place.starts_with(INSTALL) && object["kind"] == "StaticAwsCredentials"
    });
    let (_, orders) = orders.context("docs/install.md has no resource")?;
    terminal.cluster.apply(&orders.to_string()).await?;

    terminal.tried(UNINSTALL, "uninstall").await?;
    let kept = terminal.names("crd,awscreds -n orders").await?;
    ensure!(
        kept.contains(DEFINITION) && kept.contains("/orders"),
        "{kept}"
    );
    let policies =
        "validatingadmissionpolicies,clusterroles -l app.kubernetes.io/name=static-aws-credentials";
    ensure!(terminal.names(policies).await?.is_empty());

    let elsewhere = "helm install aws-keys ./charts/static-aws-credentials \
        --namespace aws-keys --create-namespace";
    let refused = terminal.run(elsewhere).await?;
    ensure!(!refused.status.success(), "Helm does not refuse it");
    terminal.tried(UNINSTALL, "again").await?;
    ensure!(
        terminal
            .names("awscreds -n orders")
            .await?
            .contains("/orders")
    );
    terminal
        .succeed("helm uninstall aws-keys --namespace aws-keys")
        .await?;

    let again = "helm install static-aws-credentials ./charts/static-aws-credentials \
        --namespace static-aws-credentials --take-ownership";
    terminal.succeed(again).await?;
    terminal.tried(UNINSTALL, "remove").await?;
    ensure!(!terminal.names("crd").await?.contains(DEFINITION));
    terminal.tried(UNINSTALL, "definition").await?;
    ensure!(
        terminal
            .names("awscreds -n orders")
            .await
            .is_ok_and(|names| names.is_empty())
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_a_new_scope_and_a_way_back_run_as_documented() -> Result<()> {
    let terminal = Terminal::open(Tool::Helm4).await?;
    terminal.tried(INSTALL, "helm").await?;
    terminal.tried(UNINSTALL, "upgrade").await?;
    let image = "kubectl -n static-aws-credentials get deployment static-aws-credentials \
        -o jsonpath='{.spec.template.spec.containers[0].image}'";
    let image = terminal.succeed(image).await?;
    ensure!(
        image.starts_with("registry.example.com/platform/"),
        "{image}"
    );

    let namespaces = "kubectl create namespace orders; kubectl create namespace billing";
    terminal.succeed(namespaces).await?;
    terminal.tried("docs/namespaces.md", "scope").await?;
    let bound = "clusterrolebindings -l app.kubernetes.io/instance=static-aws-credentials";
    // Classes and policies are of the cluster.
    let names = ["classes", "policy-reader"].map(|name| {
        format!("clusterrolebinding.rbac.authorization.k8s.io/static-aws-credentials-static-aws-credentials-static-aws-credentials-{name}")
    });
    ensure!(terminal.names(bound).await?.trim() == names.join("\n"));
    for namespace in ["orders", "billing"] {
        let roles = terminal
            .names(&format!("rolebindings -n {namespace}"))
            .await?;
        ensure!(roles.lines().count() == 1, "{namespace}: {roles}");
    }

    let back = "helm rollback static-aws-credentials --namespace static-aws-credentials";
    let documented = text(UNINSTALL)?;
    ensure!(documented.contains(back), "{UNINSTALL} has no {back}");
    terminal.succeed(back).await?;
    ensure!(terminal.names(bound).await?.lines().count() == 2);
    ensure!(terminal.names("rolebindings -n orders").await?.is_empty());
    Ok(())
}

fn text(page: &str) -> Result<String> {
    Ok(std::fs::read_to_string(Path::new(ROOT).join(page))?)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plain_manifest_is_taken_and_so_is_every_manifest_of_the_documentation() -> Result<()> {
    let terminal = Terminal::open(Tool::Helm4).await?;
    terminal.tried(INSTALL, "plain").await?;
    let made = "deployment,role,networkpolicy,service -n static-aws-credentials";
    let made = terminal.names(made).await?;
    ensure!(made.lines().count() == 4, "{made}");
    ensure!(
        terminal
            .names("pods -A")
            .await
            .is_ok_and(|pods| !pods.contains("test"))
    );

    terminal.cluster.apply(CRD).await?;
    let all = judged()?;
    ensure!(all.len() > 6, "manifests are found: {}", all.len());
    for (place, mut object) in all {
        if object["metadata"]["namespace"].is_string() {
            object["metadata"]["namespace"] = "default".into();
        }
        let manifest = object.to_string();
        let dry = format!(
            "kubectl create --dry-run=server --validate=strict -f - <<'END'\n{manifest}\nEND"
        );
        let output = terminal.run(&dry).await?;
        if !output.status.success() {
            bail!("{place}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
    Ok(())
}
