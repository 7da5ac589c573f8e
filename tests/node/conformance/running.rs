//! A running pod, and requests to the clients in it.

use std::{
    fmt,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use cluster::moto::KeyPair;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, PostParams},
    runtime::wait::{await_condition, conditions::is_deleted},
};
use serde::Deserialize;
use tokio::time::{sleep, timeout};

use crate::conformance::{
    pairs::{Pairs, USERS},
    pods::{self, Part},
    sdk::Runs,
    test_cluster::{PATIENCE, TestCluster},
    way::Way,
};

/// The answer of a client.
#[derive(Clone, Deserialize)]
pub struct Answer {
    /// The version of the SDK.
    pub sdk: String,
    /// The caller's identity, if STS returned it.
    pub arn: Option<String>,
    /// The bucket that the client listed, if it uses S3 instead.
    pub bucket: Option<String>,
    /// The last four characters of the key ID, if the SDK reports it.
    pub key: Option<String>,
    /// The code of the rejection.
    pub error: Option<String>,
    /// Further details of the rejection.
    pub words: Option<String>,
}

impl Answer {
    /// Whether AWS authenticated the client as the expected user.
    pub fn is_accepted(&self) -> bool {
        let user = self
            .arn
            .as_ref()
            .and_then(|arn| arn.rsplit_once(":user/"))
            .is_some_and(|(_, user)| USERS.both().contains(&&user));
        user || self.bucket.is_some()
    }

    /// Placeholder for a missing answer.
    fn none(why: &anyhow::Error) -> Self {
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

/// A pod whose containers have started.
pub struct Running<'a> {
    pub part: Part<'a>,
    test_cluster: &'a TestCluster,
    namespace: &'a str,
    directory: PathBuf,
}

impl<'a> Running<'a> {
    /// Starts the pod.
    pub async fn start(test_cluster: &'a TestCluster, part: Part<'a>) -> Result<Self> {
        let namespace = match &part.client.runs {
            Runs::OnTheMachine(_) => &test_cluster.open,
            Runs::Alone(binary) => {
                let image = pods::image(part.sdk);
                test_cluster.node.import_image(&image, binary, &[]).await?;
                &test_cluster.restricted
            }
        };
        let pod = pods::pod(
            &part,
            &test_cluster.examples,
            namespace,
            &test_cluster.endpoint(),
        )?;
        let pod: Pod = serde_json::from_value(pod)?;
        let all = Api::<Pod>::namespaced(test_cluster.cluster.client(), namespace);
        let made = all.create(&PostParams::default(), &pod).await?;
        let uid = made.uid().context("the pod has no UID")?;
        if timeout(PATIENCE, await_condition(all, &part.name, all_run))
            .await
            .is_err()
        {
            let describe = ["-n", namespace, "describe", "pod", &part.name];
            bail!(
                "{} does not run:\n{}",
                part.name,
                test_cluster.cluster.kubectl(&describe).await?
            );
        }
        Ok(Self {
            part,
            test_cluster,
            namespace,
            directory: test_cluster.node.pod_directory(&uid),
        })
    }

    /// Restarts the pod like a rollout: under another name.
    pub async fn restart(self) -> Result<Self> {
        let all = Api::<Pod>::namespaced(self.test_cluster.cluster.client(), self.namespace);
        let deleted = all
            .delete(&self.part.name, &DeleteParams::default())
            .await?;
        let uid = deleted.left().and_then(|pod| pod.uid());
        let uid = uid.context("the pod went without a word")?;
        timeout(
            PATIENCE,
            await_condition(all, &self.part.name, is_deleted(&uid)),
        )
        .await??;
        let name = format!("{}-again", self.part.name);
        Self::start(self.test_cluster, Part { name, ..self.part }).await
    }

    /// Waits until the kubelet has written one of the pairs to every Secret volume of this pod.
    pub async fn sees(&self, pairs: &Pairs<KeyPair>) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        let volumes = self.directory.join("volumes/kubernetes.io~secret");
        // The directory is missing if all ways are variables.
        for volume in std::fs::read_dir(&volumes).into_iter().flatten() {
            let data = volume?.path().join("..data");
            while !(holds(&data, &pairs.process.id)? || holds(&data, &pairs.others.id)?) {
                self.test_cluster.node.check()?;
                ensure!(
                    Instant::now() < end,
                    "{} holds the old pair",
                    data.display()
                );
                sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }

    /// Asks one of the pod's clients.
    pub async fn ask(&self, way: Way) -> Answer {
        let answer = self.answer(way).await;
        answer.unwrap_or_else(|why| Answer::none(&why))
    }

    /// Asks a client until AWS accepts it, or until `patience` is over.
    pub async fn ask_for(&self, way: Way, patience: Duration) -> Answer {
        let end = Instant::now() + patience;
        loop {
            let answer = self.ask(way).await;
            if answer.is_accepted() || Instant::now() > end {
                return answer;
            }
            sleep(Duration::from_secs(1)).await;
        }
    }

    async fn answer(&self, way: Way) -> Result<Answer> {
        let container = way.container();
        let known = answers(&self.log(&container)).count();
        let pipe = self
            .directory
            .join("volumes/kubernetes.io~empty-dir/asks")
            .join(&container);
        let end = Instant::now() + PATIENCE;
        let patience = |what: &str| {
            ensure!(Instant::now() < end, "{what}: {}", self.log(&container));
            Ok(())
        };
        // A client that has ended or not yet started has no reader on its pipe.
        while send_request(&pipe).is_err() {
            patience("it does not listen")?;
            sleep(Duration::from_millis(50)).await;
        }
        loop {
            if let Some(answer) = answers(&self.log(&container)).nth(known) {
                return Ok(answer);
            }
            patience("it does not answer")?;
            sleep(Duration::from_millis(50)).await;
        }
    }

    fn log(&self, container: &str) -> String {
        let log = self
            .test_cluster
            .node
            .pod_log(self.namespace, &self.part.name, container);
        log.unwrap_or_default()
    }
}

fn all_run(pod: Option<&Pod>) -> bool {
    let statuses = pod.and_then(|pod| pod.status.as_ref()?.container_statuses.as_ref());
    statuses.is_some_and(|all| all.iter().all(|one| one.started == Some(true)))
}

/// Writes without waiting for a reader, since there may be none.
fn send_request(pipe: &Path) -> std::io::Result<()> {
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).custom_flags(nonblocking).open(pipe);
    opened?.write_all(b"ask\n")
}

fn answers(log: &str) -> impl Iterator<Item = Answer> {
    log.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
}

/// Whether any file in a directory contains a text.
fn holds(directory: &Path, text: &str) -> Result<bool> {
    for file in std::fs::read_dir(directory)? {
        let content = std::fs::read(file?.path())?;
        if String::from_utf8_lossy(&content).contains(text) {
            return Ok(true);
        }
    }
    Ok(false)
}
