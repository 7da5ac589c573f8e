//! The node as the other suites use it: a running pod under Pod Security `restricted`.

use std::{
    path::Path,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use cluster::{
    binaries::go_binary,
    control_plane::{ControlPlane, Options},
    host_allocation::HostAllocation,
    node::Node,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

use crate::{TestCluster, suite::tests};

tests![
    a_restricted_pod_runs_and_sees_its_secret_change,
    a_killed_owner_leaves_nothing_to_the_next,
];

const POD: &str = "
apiVersion: v1
kind: Secret
metadata: {name: pair, namespace: NAMESPACE}
stringData: {key: first}
---
apiVersion: v1
kind: Pod
metadata: {name: follower, namespace: NAMESPACE}
spec:
  terminationGracePeriodSeconds: 1
  securityContext:
    runAsNonRoot: true
    seccompProfile: {type: RuntimeDefault}
  containers:
  - name: follow
    image: cluster.test/follow:1
    imagePullPolicy: Never
    args: [/pair/key, /var/run/secrets/kubernetes.io/serviceaccount/ca.crt]
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: {drop: [ALL]}
    volumeMounts: [{name: pair, mountPath: /pair, readOnly: true}]
  volumes:
  - name: pair
    secret: {secretName: pair}
";

/// Set in the process that one of the tests starts and kills.
const OWNER: &str = "NODE_TEST_OWNER";

async fn a_restricted_pod_runs_and_sees_its_secret_change(_: Arc<TestCluster>) -> Result<()> {
    if Node::is_lacking("no pod was run")? {
        return Ok(());
    }
    let (cluster, node, namespace) = follow().await?;
    until(&node, &namespace, "api server: 200 OK\n").await?;

    let start = Instant::now();
    let patch = r#"{"stringData":{"key":"second"}}"#;
    cluster
        .kubectl(&["-n", &namespace, "patch", "secret", "pair", "-p", patch])
        .await?;
    until(&node, &namespace, "content: second\n").await?;
    eprintln!("pod sees the change after {:.1?}", start.elapsed());

    let log = cluster
        .kubectl(&["-n", &namespace, "logs", "follower"])
        .await?;
    assert_eq!(log, node.pod_log(&namespace, "follower", "follow")?);
    let delete = [
        "-n",
        &namespace,
        "delete",
        "pod",
        "follower",
        "--timeout=120s",
    ];
    cluster.kubectl(&delete).await?;
    node.check()?;

    let start = Instant::now();
    let traces = Traces::of(&cluster, &node);
    let found = traces.found()?.join("\n");
    for sign in [
        "kubelet",
        "fib_trie",
        " DNAT ",
        "/sys/fs/cgroup",
        &traces.directory,
    ] {
        assert!(
            found.contains(sign),
            "a running node is seen by its {sign}: {found}"
        );
    }
    drop((node, cluster));
    eprintln!("all gone after {:.1?}", start.elapsed());
    assert_eq!(traces.found()?, Vec::<String>::new());
    Ok(())
}

async fn a_killed_owner_leaves_nothing_to_the_next(_: Arc<TestCluster>) -> Result<()> {
    if Node::is_lacking("no pod was run")? {
        return Ok(());
    }
    if std::env::var_os(OWNER).is_some() {
        let (cluster, node, _) = follow().await?;
        let Traces { directory, bridge } = Traces::of(&cluster, &node);
        eprintln!("\ntraces {directory} {bridge}");
        std::future::pending::<()>().await;
    }
    let mut owner = Command::new(std::env::current_exe()?)
        .args([
            "--exact",
            "machine::a_killed_owner_leaves_nothing_to_the_next",
            "--nocapture",
        ])
        .env(OWNER, "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let mut lines = BufReader::new(owner.stderr.take().context("a pipe")?).lines();
    let traces = loop {
        let line = lines.next_line().await?.context("the owner has ended")?;
        if let Some(fields) = line.strip_prefix("traces ") {
            let (directory, bridge) = fields.split_once(' ').context("two words")?;
            let (directory, bridge) = (directory.to_owned(), bridge.to_owned());
            break Traces { directory, bridge };
        }
    };
    owner.kill().await?;
    let end = Instant::now() + Duration::from_mins(1);
    while let Some(process) = processes(&traces.directory)?.first() {
        ensure!(Instant::now() < end, "it has outlived its owner: {process}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(tokio::task::spawn_blocking(HostAllocation::take).await??);
    assert_eq!(traces.found()?, Vec::<String>::new());
    Ok(())
}

/// What a cluster may leave on the machine.
struct Traces {
    directory: String,
    bridge: String,
}

impl Traces {
    fn of(cluster: &ControlPlane, node: &Node) -> Self {
        Self {
            directory: cluster.directory().display().to_string(),
            bridge: node.bridge_address().to_string(),
        }
    }

    fn found(&self) -> Result<Vec<String>> {
        let mut found = processes(&self.directory)?;
        for file in ["/proc/self/mounts", "/proc/net/fib_trie"] {
            let text = std::fs::read_to_string(file)?;
            let mut names = [&self.directory, &self.bridge].into_iter();
            found.extend(
                names
                    .any(|name| has_word(&text, name))
                    .then(|| file.to_owned()),
            );
        }
        let rules = std::process::Command::new("iptables-save").output()?.stdout;
        let rules = String::from_utf8(rules)?;
        let left = |rule: &&str| has_word(rule, &self.bridge);
        found.extend(rules.lines().filter(left).map(str::to_owned));
        found.extend(
            Path::new(&self.directory)
                .exists()
                .then(|| self.directory.clone()),
        );
        let slot = self.directory.rsplit('/').next().unwrap_or_default();
        for hierarchy in std::fs::read_dir("/sys/fs/cgroup")?.flatten() {
            let group = hierarchy
                .path()
                .join(format!("static-aws-credentials-{slot}"));
            found.extend(group.exists().then(|| group.display().to_string()));
        }
        Ok(found)
    }
}

/// Whether the text contains the name itself, not only a longer number that begins with it.
fn has_word(text: &str, name: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|next: char| next.is_ascii_digit());
    text.match_indices(name)
        .any(|(at, _)| text.get(at + name.len()..).is_some_and(ends))
}

/// The command lines of the processes that have a path in the directory among their arguments.
fn processes(directory: &str) -> Result<Vec<String>> {
    let inside = format!("{directory}/");
    let entries = std::fs::read_dir("/proc")?.flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    Ok(lines.filter(|line| line.contains(&inside)).collect())
}

/// A cluster with a pod that has read its Secret.
async fn follow() -> Result<(ControlPlane, Node, String)> {
    let start = Instant::now();
    let cluster = ControlPlane::start(Options::with_node()).await?;
    eprintln!("control plane ready after {:.1?}", start.elapsed());
    let start = Instant::now();
    let node = Node::start(&cluster).await?;
    eprintln!("node ready after {:.1?}", start.elapsed());

    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/cluster/pause");
    let binary = tokio::task::spawn_blocking(move || go_binary(&module, "./follow", "follow", 10));
    node.import_image("cluster.test/follow:1", &binary.await??, &[])
        .await?;
    let namespace = cluster.restricted_namespace("pods").await?;

    let start = Instant::now();
    cluster.apply(&POD.replace("NAMESPACE", &namespace)).await?;
    until(&node, &namespace, "content: first\n").await?;
    eprintln!("pod runs after {:.1?}", start.elapsed());
    Ok((cluster, node, namespace))
}

async fn until(node: &Node, namespace: &str, expected: &str) -> Result<()> {
    let end = Instant::now() + Duration::from_mins(2);
    loop {
        let log = node.pod_log(namespace, "follower", "follow");
        if log.as_ref().is_ok_and(|log| log.contains(expected)) {
            return Ok(());
        }
        ensure!(
            Instant::now() < end,
            "{expected:?} did not come, but {log:?}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
