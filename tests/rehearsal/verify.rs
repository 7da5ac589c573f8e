//! The commands of docs/verify.md, with the key pair in the place of the workflow's identity.

use std::{fs, sync::Arc};

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::{
    TestCluster, VERSION, marked,
    publish::Release,
    suite::tests,
    terminal::{Script, adapted},
};

tests![
    the_release_is_verified_as_documented,
    the_index_has_the_image_that_was_built_for_each_platform,
    artifact_hub_finds_the_publisher_of_the_chart,
];

const PAGE: &str = include_str!("../../docs/verify.md");
/// Marks of the blocks that the tests run, in their order. The first block sets the variables of the others.
const TRIED: [&str; 5] = ["names", "signatures", "chart", "bill", "files"];
/// Marks of the other blocks, which need the forge or another machine.
const NOT_TRIED: [&str; 3] = ["provenance", "provenance of the files", "bytes"];
/// The folder of the commands.
const FOLDER: &str = "verification";
/// Reads the file of the publisher as Artifact Hub does: the layer of this type, under the tag `artifacthub.io`.
const PUBLISHER: &str = r#"crane manifest "$chart:artifacthub.io" > manifest.json
type=application/vnd.cncf.artifacthub.repository-metadata.layer.v1.yaml
layer="$(jq --raw-output --arg type "$type" '.layers[] | select(.mediaType == $type).digest' manifest.json)"
crane blob "$chart@$layer" > publisher.yaml
"#;
/// The definition, the package of the chart, and archive and bill of materials of both architectures.
const FILES: usize = 6;

/// Commands with the variables of the page. The trace begins after the variables.
pub fn with_names(release: &Release, commands: &str) -> Result<String> {
    let page = page(release)?;
    let names = marked::commands(&page, "names")?;
    let is_current = names.contains(&format!("\nversion={VERSION}\n"));
    ensure!(is_current, "the page has another version than {VERSION}");
    Ok(format!(
        "{{ set +x; }} 2>/dev/null\n{names}set -x\n{commands}"
    ))
}

/// The block of the page with this mark, with the variables.
pub fn block(release: &Release, mark: &str) -> Result<String> {
    let page = page(release)?;
    with_names(release, marked::commands(&page, mark)?)
}

/// The page with the registry and the key of the rehearsal.
fn page(release: &Release) -> Result<String> {
    let identity = r#"--certificate-identity "$identity" --certificate-oidc-issuer "$issuer""#;
    // Without an entry in a transparency log.
    let key = r#"--key "$RUNNER_TEMP/cosign.pub" --private-infrastructure"#;
    let counterparts = [
        ("ghcr.io", release.terminal.registry().to_owned()),
        (identity, key.to_owned()),
        (
            "helm show chart ",
            "helm show chart --plain-http ".to_owned(),
        ),
    ];
    let joined = PAGE.replace("\\\n  ", "");
    Ok(adapted(vec![joined], &counterparts)?.concat())
}

/// Runs commands in the folder of the verification.
pub async fn run(release: &Release, title: &str, commands: &str) -> Result<String> {
    release.terminal.folder(FOLDER)?;
    let script = Script {
        title,
        folder: FOLDER,
        variables: &[],
        commands,
    };
    release.terminal.run(&script).await
}

/// Runs commands that must fail, and returns their output.
pub async fn fail(release: &Release, title: &str, commands: &str) -> Result<String> {
    let script = Script {
        title,
        folder: FOLDER,
        variables: &[],
        commands,
    };
    let (is_success, output) = release.terminal.attempt(&script).await?;
    ensure!(!is_success, "{title}: not refused:\n{output}");
    Ok(output)
}

async fn the_release_is_verified_as_documented(release: Arc<TestCluster>) -> Result<()> {
    marked::are_marked(PAGE, &TRIED, &NOT_TRIED)?;
    for mark in TRIED.into_iter().skip(1) {
        if mark == "bill" {
            bills_are_attested(&release).await?;
            continue;
        }
        let title = format!("docs/verify.md: {mark}");
        let output = run(&release, &title, &block(&release, mark)?).await?;
        if mark == "files" {
            let good = output.lines().filter(|line| line.ends_with(": OK")).count();
            ensure!(
                good == FILES,
                "{good} files have their checksums:\n{output}"
            );
        }
    }
    Ok(())
}

async fn bills_are_attested(release: &Release) -> Result<()> {
    for (platform, built) in &release.built {
        // The page names one architecture.
        let architecture = platform.architecture();
        let commands = block(release, "bill")?.replace("-amd64", &format!("-{architecture}"));
        let title = format!("docs/verify.md: bill, {architecture}");
        run(release, &title, &commands).await?;
        let bill = release.terminal.path(FOLDER).join("bill.json");
        let attested: Value = serde_json::from_slice(&fs::read(bill)?)?;
        let own: Value = serde_json::from_slice(&fs::read(&built.sbom)?)?;
        ensure!(attested == own, "{architecture}: another bill is attested");
    }
    Ok(())
}

/// As far as docs/verify.md compares digests under "The same bytes".
async fn the_index_has_the_image_that_was_built_for_each_platform(
    release: Arc<TestCluster>,
) -> Result<()> {
    let digests = release.built.iter().map(|(platform, _)| {
        let architecture = platform.architecture();
        format!(
            "crane digest \"$image:$version-{architecture}\"\n\
             crane digest --platform linux/{architecture} \"$image@$digest\"\n"
        )
    });
    let commands: String = digests.collect();
    let title = "the digests that `cargo image` prints";
    let output = run(&release, title, &with_names(&release, &commands)?).await?;
    for (platform, built) in &release.built {
        let found = output.lines().filter(|line| *line == built.digest).count();
        ensure!(found == 2, "{platform:?}: not {}:\n{output}", built.digest);
    }
    Ok(())
}

/// Artifact Hub itself is not asked.
async fn artifact_hub_finds_the_publisher_of_the_chart(release: Arc<TestCluster>) -> Result<()> {
    let title = "the publisher of the chart, for Artifact Hub";
    run(&release, title, &with_names(&release, PUBLISHER)?).await?;
    let found = fs::read_to_string(release.terminal.path(FOLDER).join("publisher.yaml"))?;
    let own = include_str!("../../charts/artifacthub-repo.yaml");
    ensure!(found == own, "another file is published:\n{found}");
    Ok(())
}
