//! docs/quickstart.md, command by command, on a node with the operator's image. The page says what stands in the place
//! of kind, of moto's pod and of the public images.

mod moto;
mod page;
mod terminal;

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use cluster::{
    binaries::go_binary,
    control_plane::{ControlPlane, Options},
    leak_check::Canaries,
    node::Node,
    ports,
};

use crate::{TestCluster, conformance::sdk::clients, suite::tests};
use terminal::{ADDRESS, CERTIFIED, IN_CONTAINER, Terminal};

tests![the_commands_of_the_page_lead_to_a_pod_that_uses_a_proven_pair,];

/// The archive of this version.
const ARCHIVE: &str = concat!(
    "target/image/static-aws-credentials-",
    env!("CARGO_PKG_VERSION"),
    "-linux-amd64.oci.tar"
);
/// An apply, and the same without effect.
const APPLY: &str = "kubectl apply -f -";
const DRY: &str = "kubectl apply --dry-run=server -f -";

async fn the_commands_of_the_page_lead_to_a_pod_that_uses_a_proven_pair(
    _: Arc<TestCluster>,
) -> Result<()> {
    if Node::is_lacking("the quickstart was not tried")? {
        return Ok(());
    }
    page::is_as_expected(&[ARCHIVE, CERTIFIED, ADDRESS, IN_CONTAINER])?;
    let cluster = ControlPlane::start(Options::with_node()).await?;
    let node = Node::start(&cluster).await?;
    import_images(&node).await?;
    let port = ports::unused_address()?;
    let port: u16 = port.rsplit(':').next().context("no port")?.parse()?;
    let address = SocketAddr::from((node.bridge_address(), port));
    let mut terminal = Terminal::open(&cluster, address).await?;

    terminal.run(page::commands("certificate")?).await?;
    // The public images cannot be pulled, so the pod would never start.
    let manifests = page::commands("moto")?.replace(APPLY, DRY);
    ensure!(manifests.contains(DRY), "the page has no {APPLY}");
    terminal.run(&manifests).await?;
    let moto = moto::start(&mut terminal, address).await?;
    let mut printed = String::new();
    for mark in ["helm", "pair", "resource", "pod"] {
        let done = terminal.run(page::commands(mark)?).await;
        let output = explained(&cluster, done).await?;
        if ["resource", "pod"].contains(&mark) {
            agrees(page::output(mark)?, &output)?;
        }
        printed.push_str(&output);
    }
    shows_no_secret(&cluster, &printed).await?;
    moto.check()?;
    node.check()
}

/// The operator's image, and a stand-in for the image of the page's pod.
async fn import_images(node: &Node) -> Result<()> {
    let built = tokio::task::spawn_blocking(image::built).await??;
    node.import_archive(&built.archive, &built.name).await?;
    let module = clients().join("go");
    let caller = move || go_binary(&module, "./caller", "caller", 20);
    let caller = tokio::task::spawn_blocking(caller).await??;
    let pods = page::manifests("pod")?;
    let pod = pods.first().context("the page has no pod")?;
    let image = page::image(page::container(&pod["spec"], "aws")?)?;
    let name = format!("docker.io/{image}");
    node.import_image(&name, &caller, &[]).await
}

/// Fails unless the output has the words of the page, except for an age and for an ID that is new in each run.
fn agrees(page: &str, output: &str) -> Result<()> {
    let known = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| {
            let mut words: Vec<&str> = line.split_whitespace().collect();
            if ["orders", "\"UserId\":"].contains(words.first().unwrap_or(&"")) {
                words.pop();
            }
            words.join(" ")
        });
        lines.collect()
    };
    let (expected, found) = (known(page), known(output));
    ensure!(expected == found, "the page has\n{page}not\n{output}");
    Ok(())
}

/// Fails if the commands or objects of the operator show a half of the pair.
async fn shows_no_secret(cluster: &ControlPlane, printed: &str) -> Result<()> {
    let mut values = Vec::new();
    for key in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        let path = format!("jsonpath={{.data.{key}}}");
        let get = [
            "-n",
            "orders",
            "get",
            "secret",
            "orders-key-pair",
            "-o",
            &path,
        ];
        let coded = cluster.kubectl(&get).await?;
        values.push(String::from_utf8(STANDARD.decode(coded)?)?);
    }
    let canaries = Canaries::of(&values)?;
    canaries.unshown("the output of the commands", printed)?;
    canaries.unwritten(cluster).await
}

/// Adds the pods, the events and the operator's log to an error.
async fn explained<T>(cluster: &ControlPlane, result: Result<T>) -> Result<T> {
    const NAMESPACE: &str = "static-aws-credentials";
    let Err(error) = result else { return result };
    let mut found = String::new();
    for args in [
        &["get", "pods", "-A", "-o", "wide"][..],
        &["get", "events", "-A"],
        &["-n", "orders", "get", "awscreds", "-o", "yaml"],
        &["-n", NAMESPACE, "logs", "deployment/static-aws-credentials"],
    ] {
        found += &cluster.kubectl(args).await.unwrap_or_default();
    }
    bail!("{error:#}\n{found}")
}
