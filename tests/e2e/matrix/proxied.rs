//! STS behind an HTTP proxy, with no other way out.

use std::{net::Ipv4Addr, sync::Arc};

use anyhow::Result;
use cluster::{
    egress::Egress,
    sts::{Certificate, Sts},
};
use serde_json::json;

use crate::{
    harness::{
        steps::TARGET,
        test_env::{ACCOUNT, ARN, PAIR, TestCluster, TestEnv, message},
    },
    suite::tests,
};

tests![a_resource_gets_ready_through_a_proxy_that_asks_for_a_password];

const USER: &str = "operator";
const PASSWORD: &str = "correct-horse-battery";

async fn a_resource_gets_ready_through_a_proxy_that_asks_for_a_password(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    // This address leads to this host too, and is no loopback address, for which no proxy would be used.
    let address = Ipv4Addr::UNSPECIFIED.into();
    let (sts, ca) = Sts::start_tls_on(address, Certificate::Valid).await?;
    sts.accept_pair(PAIR.0, PAIR.1, ACCOUNT, ARN, "AIDAQUAIL");
    let address = sts.url().trim_start_matches("https://").parse()?;
    let egress = Egress::before(address, USER, PASSWORD).await?;
    let files = tempfile::tempdir()?;
    let file = |name: &str, content: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, content)?;
        anyhow::Ok(path.display().to_string())
    };
    env.invariants.secret(PASSWORD.as_bytes());
    env.flag("--sts-endpoint", &format!("https://{}", egress.gate()));
    env.flag("--sts-ca-file", &file("ca.crt", &ca)?);
    env.start_operator().await?;
    env.source("pair", PAIR).await?;
    env.resource("orders", "pair", json!({})).await?;
    let object = env.until_condition("orders", "Ready", "False", "StsUnreachable");
    let text = message(&object.await?, "Ready");
    assert!(text.contains("no proxy is used"), "{text}");
    assert!(egress.refused() > 0);
    env.stop_operator();

    env.flag("--sts-proxy", &egress.proxy_url());
    env.flag("--sts-proxy-username-file", &file("username", USER)?);
    let password = file("password", "not-this-one")?;
    env.flag("--sts-proxy-password-file", &password);
    let refused = egress.refused();
    env.start_operator().await?;
    let through = env.until("the proxy is named", async || {
        let object = env.resources.get("orders").await?;
        let named = message(&object, "Ready").contains("through the proxy of --sts-proxy");
        Ok(named.then_some(()))
    });
    through.await?;
    std::fs::write(&password, format!("{PASSWORD}\n"))?;
    env.until_ready("orders").await?;
    assert_eq!(env.key_id(TARGET).await?, PAIR.0);
    assert_eq!(egress.refused(), refused, "somebody went out directly");
    Ok(())
}
