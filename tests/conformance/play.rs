//! The play: publish, ask every client, rotate under them, ask again, deactivate the first key, ask again.

use std::{
    collections::BTreeMap,
    fmt,
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use cluster::moto::KeyPair;
use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, ResourceExt, api::PostParams, runtime::wait::await_condition};
use serde::Deserialize;
use static_aws_credentials::api::Layout;
use strum::VariantArray;
use tokio::time::{sleep, timeout};

use crate::{
    examples::{self, Example},
    matrix::{Cell, Matrix},
    pods,
    sdk::{Client, Runs, SDKS, Sdk, clients},
    stage::{PATIENCE, Stage},
};

/// As many pods as start at once: what two processors bear.
const STARTING: usize = 3;

/// For what usually takes a second or two, after which a client counts as failed.
const ANSWER: Duration = Duration::from_mins(1);

/// What a client says.
#[derive(Clone, Deserialize)]
pub struct Answer {
    /// The version of the SDK.
    pub sdk: String,
    /// Who it is, if STS told.
    pub arn: Option<String>,
    /// The bucket that it listed, if it asks S3 instead.
    pub bucket: Option<String>,
    /// The last four characters of the key ID it used, where the SDK tells.
    pub key: Option<String>,
    /// The code of the refusal.
    pub error: Option<String>,
    /// More about it.
    pub words: Option<String>,
}

impl Answer {
    /// In the place of one that did not come.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "it is handed over by unwrap_or_else"
    )]
    fn none(why: anyhow::Error) -> Self {
        Self {
            sdk: "unknown".to_owned(),
            arn: None,
            bucket: None,
            key: None,
            error: Some("NoAnswer".to_owned()),
            words: Some(format!("{why:#}")),
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [&self.arn, &self.bucket, &self.key, &self.error, &self.words];
        f.debug_list().entries(all.into_iter().flatten()).finish()
    }
}

/// A pod that runs.
struct Running<'a> {
    sdk: &'a Sdk,
    layouts: Vec<Layout>,
    name: String,
    namespace: String,
    directory: PathBuf,
}

pub async fn play() -> Result<Matrix> {
    let prepared = tokio::task::spawn_blocking(prepare);
    let (stage, prepared) = tokio::join!(Stage::set(), prepared);
    let (stage, (launch, prepared)) = (stage?, prepared??);
    let launch_image = stage.node.import_image(pods::LAUNCH_IMAGE, &launch, &[]);
    launch_image.await?;
    let layouts = Layout::VARIANTS
        .iter()
        .filter(|layout| SDKS.iter().any(|sdk| sdk.layouts.contains(layout)));
    let examples: BTreeMap<Layout, Example> = layouts
        .map(|layout| Ok((*layout, examples::of(*layout)?)))
        .collect::<Result<_>>()?;

    let first = stage.new_pair().await?;
    stage.write_source(&first).await?;
    for example in examples.values() {
        for namespace in [&stage.open, &stage.restricted] {
            stage.cluster.apply(&example.manifests(namespace)).await?;
        }
        stage
            .dry_run(&example.deployment, &stage.restricted)
            .await?;
    }
    for example in examples.values() {
        stage.published(example, &first).await?;
    }
    let parts: Vec<_> = prepared
        .iter()
        .flat_map(|(sdk, client)| pods::parts(sdk, client))
        .collect();
    let start = Instant::now();
    let pods: Vec<Running> = stream::iter(&parts)
        .map(|(sdk, client, layouts)| run(&stage, sdk, client, layouts, &examples))
        .buffered(STARTING)
        .try_collect()
        .await?;
    eprintln!(
        "conformance: {} pods run after {:.0?}",
        pods.len(),
        start.elapsed()
    );
    let before = ask_all(&stage, &pods).await;

    let second = stage.new_pair().await?;
    stage.write_source(&second).await?;
    for example in examples.values() {
        stage.published(example, &second).await?;
    }
    for pod in &pods {
        pod.sees(&stage, &second).await?;
    }
    let after = ask_all(&stage, &pods).await;
    stage.deactivate(&first).await?;
    let refused = ask_all(&stage, &pods).await;

    let mut matrix = Matrix::new(&first, &second);
    for (at, answer) in before {
        let cell = Cell {
            before: answer,
            after: after.get(&at).cloned(),
            alone: refused.get(&at).cloned(),
        };
        matrix.add(at, cell);
    }
    Ok(matrix)
}

/// Installs everything. Blocks.
fn prepare() -> Result<(PathBuf, Vec<(&'static Sdk, Client)>)> {
    let launch = cluster::binaries::go_binary(&clients().join("launch"), ".", "launch", 10)?;
    let wanted = std::env::var("SDKS").ok();
    let wanted = |sdk: &&Sdk| {
        wanted
            .as_ref()
            .is_none_or(|names| names.split(',').any(|name| name == sdk.pod))
    };
    let prepared = SDKS
        .iter()
        .filter(wanted)
        .map(|sdk| Ok((sdk, sdk.prepare()?)))
        .collect::<Result<_>>()?;
    Ok((launch, prepared))
}

async fn run<'a>(
    stage: &Stage,
    sdk: &'a Sdk,
    client: &Client,
    layouts: &[Layout],
    examples: &BTreeMap<Layout, Example>,
) -> Result<Running<'a>> {
    let (namespace, name) = match &client.runs {
        Runs::OnTheMachine(_) => (&stage.open, sdk.pod.to_owned()),
        Runs::Alone(binary) => {
            stage
                .node
                .import_image(&pods::image(sdk), binary, &[])
                .await?;
            (&stage.restricted, sdk.pod.to_owned())
        }
    };
    let given: Vec<(Layout, &Example)> = layouts
        .iter()
        .map(|layout| (*layout, &examples[layout]))
        .collect();
    let pod = pods::pod(sdk, client, &given, namespace, &stage.endpoint())?;
    let pods = Api::<Pod>::namespaced(stage.cluster.client(), namespace);
    let pod: Pod = serde_json::from_value(pod)?;
    let made = pods.create(&PostParams::default(), &pod).await?;
    let uid = made.uid().context("the pod has no UID")?;
    let running = await_condition(pods, &name, all_run);
    if timeout(PATIENCE, running).await.is_err() {
        let told = ["-n", namespace, "describe", "pod", &name];
        bail!(
            "{name} does not run:\n{}",
            stage.cluster.kubectl(&told).await?
        );
    }
    Ok(Running {
        sdk,
        layouts: layouts.to_vec(),
        name,
        namespace: namespace.clone(),
        directory: stage.node.pod_directory(&uid),
    })
}

fn all_run(pod: Option<&Pod>) -> bool {
    let statuses = pod.and_then(|pod| pod.status.as_ref()?.container_statuses.as_ref());
    statuses.is_some_and(|all| all.iter().all(|one| one.started == Some(true)))
}

impl Running<'_> {
    /// Waits until kubelet has put the pair into every file of a layout that it mounted here.
    async fn sees(&self, stage: &Stage, pair: &KeyPair) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        let volumes = self.directory.join("volumes/kubernetes.io~secret");
        // There is none if all layouts are variables.
        for volume in std::fs::read_dir(&volumes).into_iter().flatten() {
            let data = volume?.path().join("..data");
            while !holds(&data, &pair.id)? {
                stage.node.check()?;
                ensure!(
                    Instant::now() < end,
                    "{} still holds the old pair",
                    data.display()
                );
                sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }

    /// Asks the client of one layout.
    async fn ask(&self, stage: &Stage, layout: Layout) -> Result<Answer> {
        let container = pods::container(layout);
        let read = || {
            let log = stage.node.pod_log(&self.namespace, &self.name, &container);
            log.unwrap_or_default()
        };
        let known = answers(&read()).count();
        let pipe = self
            .directory
            .join("volumes/kubernetes.io~empty-dir/asks")
            .join(&container);
        let end = Instant::now() + ANSWER;
        let patience = |what: &str| {
            ensure!(
                Instant::now() < end,
                "{} {layout:?} {what}:\n{}",
                self.sdk.name,
                read()
            );
            Ok(())
        };
        // A client that ends, or has not begun, has no pipe that anyone reads.
        while tell(&pipe).is_err() {
            patience("does not listen")?;
            sleep(Duration::from_millis(50)).await;
        }
        loop {
            if let Some(answer) = answers(&read()).nth(known) {
                return Ok(answer);
            }
            patience("does not answer")?;
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Where an answer belongs.
pub type At = (&'static str, Layout);

async fn ask_all(stage: &Stage, pods: &[Running<'_>]) -> BTreeMap<At, Answer> {
    let start = Instant::now();
    let all = pods
        .iter()
        .flat_map(|pod| pod.layouts.iter().map(move |layout| (pod, *layout)));
    let asked = stream::iter(all).map(|(pod, layout)| async move {
        let answer = pod.ask(stage, layout).await;
        ((pod.sdk.pod, layout), answer.unwrap_or_else(Answer::none))
    });
    let answers: BTreeMap<At, Answer> = asked.buffer_unordered(8).collect().await;
    eprintln!(
        "conformance: {} answers in {:.0?}",
        answers.len(),
        start.elapsed()
    );
    answers
}

fn tell(pipe: &std::path::Path) -> std::io::Result<()> {
    use std::io::Write;
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let opened = std::fs::OpenOptions::new()
        .write(true)
        .custom_flags(nonblocking)
        .open(pipe);
    opened?.write_all(b"ask\n")
}

fn answers(log: &str) -> impl Iterator<Item = Answer> {
    log.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
}

/// Whether some file in a directory holds a text.
fn holds(directory: &std::path::Path, text: &str) -> Result<bool> {
    for file in std::fs::read_dir(directory)? {
        let content = std::fs::read(file?.path())?;
        if String::from_utf8_lossy(&content).contains(text) {
            return Ok(true);
        }
    }
    Ok(false)
}
