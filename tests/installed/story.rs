//! Install, use, upgrade, lose the leader in a rotation, uninstall.

use anyhow::{Result, ensure};
use cluster::{sts::Answer, tools::Tool};

use crate::{
    app::App,
    chart::{NEW_COLUMN, earlier, present},
    release::{NAMESPACE, OPERATOR, Release},
    site::Site,
};

const DEFINITION: &str = "customresourcedefinition/staticawscredentials.awscredentials.dev";

/// Plays it with one Helm.
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

    let second = app.pair('C');
    leader_is_lost_in_a_rotation(site, &release, &app, (&first, &second)).await?;
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

/// STS does not answer the leader, which is killed while it waits; the other finishes.
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
    // Helm does not wait for what the garbage collector deletes: pods.
    let left = ["-n", NAMESPACE, "get", "all,secrets,roles", "-o", "name"];
    site.until("the namespace is empty", async || {
        let left = site.cluster.kubectl(&left).await?;
        ensure!(left.is_empty(), "it still has\n{left}");
        Ok(())
    })
    .await
}
