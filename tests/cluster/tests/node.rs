//! The node as the other suites use it: a pod that really runs, under the strictest of the standards.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use cluster::{
    binaries::go_binary,
    control_plane::{ControlPlane, Options},
    node::Node,
};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_restricted_pod_runs_and_sees_its_secret_change() -> Result<()> {
    if let Err(reason) = Node::supported() {
        // Continuous integration sets this, so that the suite cannot vanish there unseen.
        ensure!(
            std::env::var_os("CI").is_none(),
            "the node suite was skipped: {reason}"
        );
        eprintln!("SKIPPED: no pod was run, because {reason}");
        return Ok(());
    }
    let start = Instant::now();
    let cluster = ControlPlane::start(Options {
        scheduler: true,
        ..Options::default()
    })
    .await?;
    eprintln!("control plane ready after {:.1?}", start.elapsed());
    let start = Instant::now();
    let node = Node::start(&cluster).await?;
    eprintln!("node ready after {:.1?}", start.elapsed());

    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("pause");
    let binary = tokio::task::spawn_blocking(move || go_binary(&module, "./follow", "follow"));
    node.import_image("cluster.test/follow:1", &binary.await??, &[])
        .await?;
    let namespace = cluster.namespace("pods").await?;
    let level = "pod-security.kubernetes.io/enforce=restricted";
    cluster
        .kubectl(&["label", "namespace", &namespace, level])
        .await?;

    let start = Instant::now();
    cluster.apply(&POD.replace("NAMESPACE", &namespace)).await?;
    until(&node, &namespace, "content: first\n").await?;
    eprintln!("pod runs after {:.1?}", start.elapsed());
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
    cluster
        .kubectl(&[
            "-n",
            &namespace,
            "delete",
            "pod",
            "follower",
            "--timeout=60s",
        ])
        .await?;
    node.check()?;

    let start = Instant::now();
    let (directory, bridge) = (
        cluster.directory().to_owned(),
        node.bridge_address().to_string(),
    );
    drop((node, cluster));
    eprintln!("all gone after {:.1?}", start.elapsed());
    assert!(!directory.exists(), "the directory is gone");
    for file in ["/proc/net/fib_trie", "/proc/self/mounts"] {
        let text = std::fs::read_to_string(file)?;
        let left = text.contains(&bridge) || text.contains(&*directory.to_string_lossy());
        assert!(!left, "nothing is left in {file}");
    }
    Ok(())
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
