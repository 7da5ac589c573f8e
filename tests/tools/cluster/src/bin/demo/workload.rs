//! The consumer: AWS's SDK for Go with the published files, in a pod, or on this machine where no
//! pod can run.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use cluster::{
    child_process::ChildProcess,
    moto::KeyPair,
    node::Node,
    s3client::{self, Outcome, Reading},
};
use tokio::time::sleep;

use crate::{
    demo_cluster::{DemoCluster, PATIENCE},
    manifests::{self, CONTAINER, IMAGE, POD},
    mirror::Mirror,
    screen::Screen,
};

/// The reader of the bucket.
pub(crate) enum Workload {
    /// In a pod with the target mounted.
    Pod,
    /// On this machine, with files that follow the target.
    Process {
        client: ChildProcess,
        _files: Mirror,
    },
}

impl Workload {
    /// Runs the client in a pod of the demo's own node, and shows how it mounts the target.
    pub(crate) async fn in_pod(
        demo_cluster: &DemoCluster,
        node: &Node,
        screen: Screen,
        (bucket, endpoint): (&str, &str),
    ) -> Result<Self> {
        let port = endpoint
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok());
        let port = port.with_context(|| format!("{endpoint} has no port"))?;
        node.expose(port)?;
        let binary = tokio::task::spawn_blocking(s3client::binary).await??;
        node.import_image(IMAGE, &binary, &[]).await?;
        let endpoint = format!("http://{}:{port}", node.bridge_address());
        let manifest = manifests::pod(&demo_cluster.namespace, bucket, &endpoint);
        screen.block(manifests::mounts(&manifest));
        screen.doing("starting the pod (usually 3 s)");
        demo_cluster.apply(&manifest).await?;
        Ok(Self::Pod)
    }

    /// Runs the client on this machine.
    pub(crate) async fn on_this_machine(
        demo_cluster: &DemoCluster,
        bucket: &str,
        endpoint: Option<&str>,
    ) -> Result<Self> {
        let directory = demo_cluster.directory().join("mounted");
        let files = Mirror::start(demo_cluster.objects(), &directory).await?;
        let log = demo_cluster.directory().join("s3client.log");
        let binary = tokio::task::spawn_blocking(s3client::binary).await??;
        let client = start(&binary, &directory, bucket, endpoint, &log)?;
        Ok(Self::Process {
            client,
            _files: files,
        })
    }

    /// Its name on the screen.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Pod => "the pod",
            Self::Process { .. } => "the client",
        }
    }

    /// Waits until the client lists the bucket with this key, in a reading that began after the call.
    pub(crate) async fn reads(&self, demo_cluster: &DemoCluster, key: &str) -> Result<Reading> {
        // The next reading may have begun before the call.
        let mark = self.readings(demo_cluster)?.len() + 1;
        let end = Instant::now() + PATIENCE;
        loop {
            let all = self.readings(demo_cluster)?;
            let mut new = all.iter().skip(mark);
            let found = new.find(|reading| {
                matches!(reading.outcome, Outcome::Listed { .. }) && reading.key == key
            });
            if let Some(found) = found {
                return Ok(found.clone());
            }
            if Instant::now() > end {
                bail!(
                    "{} does not list the bucket with the key that ends in {key}; its last reading: {:?}",
                    self.name(),
                    all.last()
                );
            }
            self.check()?;
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// The number of readings; an error if a reading since the first success failed.
    pub(crate) fn without_refusal(&self, demo_cluster: &DemoCluster) -> Result<usize> {
        let all = self.readings(demo_cluster)?;
        let listed = |reading: &&Reading| matches!(reading.outcome, Outcome::Listed { .. });
        let mut since = all.iter().skip_while(|reading| !listed(reading));
        let refused = since.find(|reading| !listed(reading));
        ensure!(
            refused.is_none(),
            "{} could not read in between: {refused:?}",
            self.name()
        );
        Ok(all.len())
    }

    /// Shows the client's last line.
    pub(crate) async fn show_last(&self, demo_cluster: &DemoCluster, screen: Screen) -> Result<()> {
        match self {
            Self::Pod => {
                let written = demo_cluster
                    .shown(screen, &["logs", POD, "--tail=1"])
                    .await?;
                screen.block(&written);
            }
            Self::Process { client, .. } => {
                screen.command(&format!("tail -n 1 {}", client.log().display()));
                let text = std::fs::read_to_string(client.log())?;
                screen.block(text.lines().last().unwrap_or_default());
            }
        }
        Ok(())
    }

    fn readings(&self, demo_cluster: &DemoCluster) -> Result<Vec<Reading>> {
        let text = match self {
            // There is no log before the container has started.
            Self::Pod => { demo_cluster.node().context("no node")? }
                .pod_log(&demo_cluster.namespace, POD, CONTAINER)
                .unwrap_or_default(),
            Self::Process { client, .. } => std::fs::read_to_string(client.log())?,
        };
        Ok(text.lines().filter_map(Reading::parse).collect())
    }

    fn check(&self) -> Result<()> {
        match self {
            Self::Pod => Ok(()),
            Self::Process { client, .. } => client.check(),
        }
    }
}

/// S3's first answer to a client with this pair.
pub(crate) async fn try_once(
    demo_cluster: &DemoCluster,
    pair: &KeyPair,
    bucket: &str,
    endpoint: Option<&str>,
) -> Result<Outcome> {
    let directory = tempfile::tempdir_in(demo_cluster.directory())?;
    let KeyPair { id, secret } = pair;
    let text = format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    std::fs::write(directory.path().join("credentials"), text)?;
    std::fs::write(
        directory.path().join("config"),
        "[default]\nregion = eu-west-1\n",
    )?;
    let log = directory.path().join("log");
    let binary = tokio::task::spawn_blocking(s3client::binary).await??;
    let client = start(&binary, directory.path(), bucket, endpoint, &log)?;
    let end = Instant::now() + PATIENCE;
    loop {
        let text = std::fs::read_to_string(&log)?;
        if let Some(reading) = text.lines().find_map(Reading::parse) {
            return Ok(reading.outcome);
        }
        client.check()?;
        ensure!(Instant::now() < end, "the client read nothing");
        sleep(Duration::from_millis(50)).await;
    }
}

/// Starts the client without the user's environment, where a profile or a key may be set.
fn start(
    binary: &Path,
    files: &Path,
    bucket: &str,
    endpoint: Option<&str>,
    log: &Path,
) -> Result<ChildProcess> {
    let mut args = vec![
        "-i".to_owned(),
        format!("BUCKET={bucket}"),
        format!("AWS_CONFIG_FILE={}", files.join("config").display()),
        format!(
            "AWS_SHARED_CREDENTIALS_FILE={}",
            files.join("credentials").display()
        ),
    ];
    args.extend(endpoint.map(|url| format!("AWS_ENDPOINT_URL={url}")));
    args.push(binary.display().to_string());
    ChildProcess::spawn("the client", Path::new("/usr/bin/env"), &args, &[], log)
}
