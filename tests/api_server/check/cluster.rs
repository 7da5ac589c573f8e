//! A Secret or a resource in a real cluster, by kubeconfig.

use std::{net::SocketAddr, path::Path, sync::Arc};

use anyhow::{Context, Result};
use cluster::egress::Egress;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    check::{
        program::{Program, check},
        test_cluster::{PAIR, TestCluster, secret, sts},
    },
    suite::tests,
};

tests![
    a_secret_in_the_cluster_is_checked,
    a_resource_in_the_cluster_is_checked_with_its_source,
    what_is_missing_or_forbidden_is_reported,
    a_cluster_that_does_not_answer_leaves_it_undetermined,
    a_proxy_of_the_kubeconfig_is_used_and_one_of_the_environment_has_no_say,
];

fn of(program: Program, kubeconfig: &Path) -> Program {
    program.env("KUBECONFIG", &kubeconfig.display().to_string())
}

async fn a_secret_in_the_cluster_is_checked(test_cluster: Arc<TestCluster>) -> Result<()> {
    let cluster = test_cluster.cluster().await?;
    let namespace = cluster.namespace("check").await?;
    let sts = sts().await?;
    let (namespace, url) = (namespace.as_str(), sts.url());
    let here = format!(r#""metadata":{{"namespace":"{namespace}","#);
    let secret = secret(PAIR.0, PAIR.1).replace(r#""metadata":{"#, &here);
    cluster.apply(&secret).await?;
    let flags = [
        "--secret",
        "orders-key-pair",
        "-n",
        namespace,
        "--region",
        "eu-west-1",
    ];
    let asking = flags.iter().copied().chain(["--sts-endpoint", &url]);
    let text = "accepted: IdentityVerified, Secret orders-key-pair
  AWS names arn:aws:iam::123456789012:user/connectors/orders
  account  123456789012
  arn      arn:aws:iam::123456789012:user/connectors/orders
  key ID   …L2A3
  region   eu-west-1
";
    of(check(asking.clone()), cluster.kubeconfig())
        .prints(0, text)
        .await?;
    let context = cluster.kubectl(&["config", "current-context"]).await?;
    let named = asking.chain(["--context", context.trim()]);
    of(check(named), cluster.kubeconfig())
        .prints(0, text)
        .await?;
    let other = flags.iter().copied().chain(["--context", "another"]);
    of(check(other), cluster.kubeconfig())
        .fails_with("--context")
        .await?;
    let offline = [
        "--secret",
        "orders-key-pair",
        "-n",
        namespace,
        "--offline",
        "-o",
        "json",
    ];
    let run = of(check(offline), cluster.kubeconfig()).run().await?;
    assert_eq!(run.json()?["namespace"], json!(namespace));
    Ok(())
}

async fn a_resource_in_the_cluster_is_checked_with_its_source(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let cluster = test_cluster.cluster().await?;
    let namespace = cluster.namespace("check").await?;
    let sts = sts().await?;
    let resource = json!({
        "apiVersion": "awscredentials.dev/v1alpha1",
        "kind": "StaticAwsCredentials",
        "metadata": { "name": "orders", "namespace": namespace },
        "spec": { "secretRef": { "name": "orders-key-pair" }, "region": "eu-west-1" },
    });
    cluster.apply(&resource.to_string()).await?;
    let url = sts.url();
    let flags = [
        "--resource",
        "orders",
        "-n",
        &namespace,
        "--sts-endpoint",
        &url,
    ];
    let text = "undetermined: SourceNotFound, Secret orders-key-pair
  spec.secretRef: Secret \"orders-key-pair\" does not exist; create it with the key pair
";
    of(check(flags), cluster.kubeconfig())
        .prints(2, text)
        .await?;
    let here = format!(r#""metadata":{{"namespace":"{namespace}","#);
    let secret = secret(PAIR.0, PAIR.1).replace(r#""metadata":{"#, &here);
    cluster.apply(&secret).await?;
    let run = of(check(flags), cluster.kubeconfig()).run().await?;
    assert_eq!(run.code, 0, "{}", run.output());
    assert_eq!(sts.calls().len(), 1);
    Ok(())
}

async fn what_is_missing_or_forbidden_is_reported(test_cluster: Arc<TestCluster>) -> Result<()> {
    let cluster = test_cluster.cluster().await?;
    let namespace = cluster.namespace("check").await?;
    let namespace = namespace.as_str();
    let absent = ["--resource", "nobody", "-n", namespace];
    let words = format!("no StaticAwsCredentials \"nobody\" in namespace {namespace}");
    of(check(absent), cluster.kubeconfig())
        .fails_with(&words)
        .await?;
    let absent = ["--secret", "nobody", "-n", namespace, "--offline"];
    let text = "undetermined: SourceNotFound, Secret nobody\n  Secret \"nobody\" does not exist; create it with the key pair\n";
    of(check(absent), cluster.kubeconfig())
        .prints(2, text)
        .await?;
    let kubeconfig = cluster
        .service_account_kubeconfig(namespace, "default", None)
        .await?;
    let run = of(check(absent), &kubeconfig).run().await?;
    assert_eq!(run.code, 2, "{}", run.output());
    let forbidden = "undetermined: SourceUnreadable\n  failed to read Secret nobody: secrets \"nobody\" is forbidden: ";
    assert!(run.out.starts_with(forbidden), "{}", run.output());
    let json = [
        "--secret",
        "nobody",
        "-n",
        namespace,
        "--offline",
        "-o",
        "json",
    ];
    let run = of(check(json), &kubeconfig).run().await?;
    assert_eq!(run.json()?["verdict"], "Undetermined");
    assert_eq!(run.json()?["reason"], "SourceUnreadable");
    Ok(())
}

async fn a_cluster_that_does_not_answer_leaves_it_undetermined(_: Arc<TestCluster>) -> Result<()> {
    // No server listens on this port any more.
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    drop(listener);
    let file = tempfile::NamedTempFile::new()?;
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "gone",
        "clusters": [{ "name": "gone", "cluster": { "server": format!("http://{address}") } }],
        "contexts": [{ "name": "gone", "context": { "cluster": "gone", "user": "" } }],
    });
    std::fs::write(file.path(), kubeconfig.to_string())?;
    let run = of(check(["--secret", "orders", "--offline"]), file.path())
        .run()
        .await?;
    assert_eq!(run.code, 2, "{}", run.output());
    assert!(
        run.out.starts_with("undetermined: SourceUnreadable\n"),
        "{}",
        run.output()
    );
    Ok(())
}

const USER: &str = "operator";
const PASSWORD: &str = "correcthorsebattery";
/// The password as a URL may hold it.
const ESCAPED: &str = "%63orrecthorsebattery";

/// A kubeconfig by which the API server is reached at another address, through a proxy or not.
fn rerouted(kubeconfig: &Path, server: SocketAddr, proxy: Option<&str>) -> Result<TempDir> {
    let text = std::fs::read_to_string(kubeconfig)?;
    let mut kubeconfig: Value = serde_saphyr::from_str(&text)?;
    let cluster = &mut kubeconfig["clusters"][0]["cluster"];
    cluster["server"] = json!(format!("https://{server}"));
    cluster["proxy-url"] = json!(proxy);
    let directory = tempfile::tempdir()?;
    std::fs::write(directory.path().join("kubeconfig"), kubeconfig.to_string())?;
    Ok(directory)
}

/// A proxy in the environment has no effect, the one of the kubeconfig is used with its password, and no output
/// contains that.
async fn a_proxy_of_the_kubeconfig_is_used_and_one_of_the_environment_has_no_say(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let cluster = test_cluster.cluster().await?;
    let namespace = cluster.namespace("proxied").await?;
    let here = format!(r#""metadata":{{"namespace":"{namespace}","#);
    let secret = secret(PAIR.0, PAIR.1).replace(r#""metadata":{"#, &here);
    cluster.apply(&secret).await?;
    let flags = ["--secret", "orders-key-pair", "-n", &namespace, "--offline"];
    let kubeconfig: Value =
        serde_saphyr::from_str(&std::fs::read_to_string(cluster.kubeconfig())?)?;
    let server = kubeconfig["clusters"][0]["cluster"]["server"].as_str();
    let server = server.and_then(|url| url.strip_prefix("https://"));
    let server: SocketAddr = server.context("a server")?.parse()?;
    let run = async |gate: SocketAddr, proxy: Option<&str>| {
        let directory = rerouted(cluster.kubeconfig(), gate, proxy)?;
        let asked = of(check(flags), &directory.path().join("kubeconfig"))
            .env("HTTPS_PROXY", "http://u:p#ss w@nowhere")
            .env("NO_PROXY", "127.0.0.1");
        asked.canary(PASSWORD).canary(ESCAPED).run().await
    };
    let directly = run(server, None).await?;
    assert_eq!(directly.code, 0, "{}", directly.output());
    let http = Egress::before(server, USER, PASSWORD).await?;
    let socks = Egress::socks(server, USER, PASSWORD).await?;
    for (scheme, egress) in [("http", &http), ("socks5", &socks)] {
        let barred = run(egress.gate(), None).await?;
        assert_eq!(barred.code, 2, "{scheme}: {}", barred.output());
        assert!(egress.refused() > 0, "{scheme}: the gate was not asked");
        let url = |login: &str| format!("{scheme}://{login}@{}", egress.proxy());
        let passed = run(egress.gate(), Some(&url(&format!("{USER}:{ESCAPED}")))).await?;
        assert_eq!(passed.code, 0, "{scheme}: {}", passed.output());
        let stranger = run(egress.gate(), Some(&url("operator:not-this-one"))).await?;
        assert_eq!(stranger.code, 2, "{scheme}: {}", stranger.output());
        assert!(
            stranger.output().contains("proxy-url"),
            "{}",
            stranger.output()
        );
    }
    for url in ["ftp://operator:correcthorsebattery@127.0.0.1:1", "http://"] {
        let refused = run(server, Some(url)).await?;
        assert_eq!(refused.code, 3, "{url}: {}", refused.output());
        assert!(refused.err.contains("proxy-url"), "{}", refused.output());
    }
    Ok(())
}
