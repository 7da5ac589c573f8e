//! Install, use, upgrade, lose the leader during a rotation, uninstall.

use anyhow::{Result, ensure};
use cluster::{sts::Answer, tools::Tool};

use crate::helm_e2e::{
    app::{App, SECRET},
    chart::{NEW_COLUMN, earlier, of_a_team, present},
    release::{NAMESPACE, OPERATOR, Release},
    site::Site,
};

const DEFINITION: &str = "customresourcedefinition/staticawscredentials.awscredentials.dev";

/// Runs the scenario with one Helm.
pub async fn of(site: &Site, tool: Tool) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let release = Release::new(site, tool).await?;
    let team = format!("{tool:?}").to_lowercase();
    let app = App::new(site, &format!("orders-{team}")).await?;

    let notes = release.install(&earlier(directory.path())?).await?;
    ensure!(
        notes.contains("kubectl"),
        "the notes say nothing to do:\n{notes}"
    );
    let columns = "{.spec.versions[0].additionalPrinterColumns[*].name}";
    let before = site.read("", DEFINITION, columns).await?;
    ensure!(!before.contains(NEW_COLUMN), "{before}");
    let first = app.pair('B');
    app.request(&first).await?;
    let published = app.until_published(&first).await;
    site.explained(NAMESPACE, published).await?;
    let tested = release.test().await?;
    ensure!(tested.contains("Succeeded"), "{tested}");

    upgrade_changes_nothing_for_the_app(site, &release, &app).await?;
    let after = site.read("", DEFINITION, columns).await?;
    ensure!(after.contains(NEW_COLUMN), "{after}");

    if tool == Tool::Helm4 {
        helm_waits_for_the_proof(site, &release, &app).await?;
    }

    let second = app.pair('C');
    leader_is_lost_in_a_rotation(site, &release, &app, (&first, &second)).await?;
    site.shows_nothing().await?;
    uninstall_keeps_what_is_the_apps(site, &release, &app).await?;
    app.holds(&second).await
}

async fn upgrade_changes_nothing_for_the_app(
    site: &Site,
    release: &Release<'_>,
    app: &App<'_>,
) -> Result<()> {
    let (before, calls) = (app.standing().await?, site.sts.calls().len());
    let definition = site.read("", DEFINITION, "{.metadata.uid}").await?;
    release.upgrade(&present()).await?;
    ensure!(
        app.standing().await? == before,
        "{before:?} became {:?}",
        app.standing().await?
    );
    ensure!(site.sts.calls().len() == calls, "STS was asked again");
    ensure!(site.read("", DEFINITION, "{.metadata.uid}").await? == definition);
    release.test().await.map(drop)
}

/// Helm 4 evaluates conditions by kstatus: it waits for the verification, and reports a rejection. (Helm 3 waits only
/// for kinds that it knows.)
async fn helm_waits_for_the_proof(site: &Site, release: &Release<'_>, app: &App<'_>) -> Result<()> {
    let (directory, team) = (tempfile::tempdir()?, &app.namespace);
    let id = app.pair('D');
    let good = of_a_team(directory.path(), (&id, SECRET), "1h")?;
    let good = good.display().to_string();
    let install = ["install", "billing", &good, "--wait", "--timeout=2m"];
    release.helm_in(team, &install).await?;
    let ready = r#"{.status.conditions[?(@.type=="Ready")].status}"#;
    let found = site.read(team, "awscreds/billing", ready).await?;
    ensure!(found == "True", "helm was done while Ready was {found}");

    // The spec changes too: after a change of the source alone, Helm may read the old status before the operator
    // reconciles, and the result would depend on timing.
    let bad = format!("{SECRET}\n");
    let bad = of_a_team(directory.path(), (&id, &bad), "2h")?;
    let bad = bad.display().to_string();
    let upgrade = ["upgrade", "billing", &bad, "--wait", "--timeout=15s"];
    let refused = release.helm_in(team, &upgrade).await;
    let Err(refused) = refused else {
        anyhow::bail!("helm took a refused pair for a finished one");
    };
    let words = format!("{refused:#}");
    ensure!(
        words.contains("StaticAwsCredentials") && words.contains("Failed"),
        "{words}"
    );
    release
        .helm_in(team, &["uninstall", "billing"])
        .await
        .map(drop)
}

/// The leader is killed while it waits for an answer of STS; the other replica finishes the rotation.
async fn leader_is_lost_in_a_rotation(
    site: &Site,
    release: &Release<'_>,
    app: &App<'_>,
    (old, new): (&str, &str),
) -> Result<()> {
    let leader = release.leader().await?;
    site.sts.answers(new, [Answer::Hang]);
    let asked = || site.sts.calls_for(new).len();
    app.request(new).await?;
    site.until("STS is asked about the new pair", async || {
        ensure!(asked() > 0, "it is not");
        Ok(())
    })
    .await?;
    app.holds(old).await?;
    let kill = ["-n", NAMESPACE, "delete", "pod", &leader];
    let kill = [&kill[..], &["--force", "--grace-period=0"]].concat();
    site.cluster.kubectl(&kill).await?;
    app.pair('C');
    let published = app.until_published(new).await;
    site.explained(NAMESPACE, published).await?;
    let successor = release.leader().await?;
    ensure!(successor != leader, "{leader} still leads");
    let ready = "{.status.readyReplicas}";
    site.until_reads(NAMESPACE, &format!("deployment/{OPERATOR}"), ready, "2")
        .await
}

async fn uninstall_keeps_what_is_the_apps(
    site: &Site,
    release: &Release<'_>,
    app: &App<'_>,
) -> Result<()> {
    let before = app.standing().await?;
    release.uninstall().await?;
    ensure!(app.standing().await? == before);
    site.read("", DEFINITION, "{.metadata.name}").await?;
    let policies = "validatingadmissionpolicies,validatingadmissionpolicybindings";
    let kinds = format!("{policies},mutatingadmissionpolicies,mutatingadmissionpolicybindings");
    let kinds = format!("{kinds},clusterroles,clusterrolebindings");
    let left = [
        "get",
        &kinds,
        "-l",
        "app.kubernetes.io/instance=aws",
        "-o",
        "name",
    ];
    let left = site.cluster.kubectl(&left).await?;
    ensure!(left.is_empty(), "the cluster still has\n{left}");
    // Helm does not wait for pods, which the garbage collector deletes.
    let left = ["-n", NAMESPACE, "get", "all,secrets,roles", "-o", "name"];
    site.until("the namespace is empty", async || {
        let left = site.cluster.kubectl(&left).await?;
        ensure!(left.is_empty(), "it still has\n{left}");
        Ok(())
    })
    .await
}
