//! STS behind an HTTP proxy, with no other way out.

use std::sync::Arc;

use anyhow::Result;
use cluster::{egress::Egress, sts::Sts};
use serde_json::json;

use crate::{
    actions::tests,
    scene::{ACCOUNT, ARN, PAIR, Scene, Stage, message},
    steps::TARGET,
};

tests![a_resource_gets_ready_through_a_proxy_that_asks_for_a_password];

const USER: &str = "operator";
const PASSWORD: &str = "correct-horse-battery";

async fn a_resource_gets_ready_through_a_proxy_that_asks_for_a_password(
    stage: Arc<Stage>,
) -> Result<()> {
    let mut scene = Scene::before_start(stage).await?;
    let (sts, ca) = Sts::start_tls().await?;
    sts.accept_pair(PAIR.0, PAIR.1, ACCOUNT, ARN, "AIDAQUAIL");
    let address = sts.url().trim_start_matches("https://").parse()?;
    let egress = Egress::before(address, USER, PASSWORD).await?;
    let files = tempfile::tempdir()?;
    let file = |name: &str, content: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, content)?;
        anyhow::Ok(path.display().to_string())
    };
    scene.witness.secret(PASSWORD.as_bytes());
    scene.flag("--sts-endpoint", &format!("https://{}", egress.gate()));
    scene.flag("--sts-ca-file", &file("ca.crt", &ca)?);
    scene.start_operator().await?;
    scene.source("pair", PAIR).await?;
    scene.resource("orders", "pair", json!({})).await?;
    let object = scene.until_says("orders", "Ready", "False", "StsUnreachable");
    let said = message(&object.await?, "Ready");
    assert!(said.contains("no proxy is used"), "{said}");
    assert!(egress.refused() > 0);
    scene.stop_operator();

    scene.flag("--sts-proxy", &egress.proxy_url());
    scene.flag("--sts-proxy-username-file", &file("username", USER)?);
    let password = file("password", "not-this-one")?;
    scene.flag("--sts-proxy-password-file", &password);
    let refused = egress.refused();
    scene.start_operator().await?;
    let through = scene.until("the proxy is named", async || {
        let object = scene.resources.get("orders").await?;
        let named = message(&object, "Ready").contains("through the proxy of --sts-proxy");
        Ok(named.then_some(()))
    });
    through.await?;
    std::fs::write(&password, format!("{PASSWORD}\n"))?;
    scene.until_ready("orders").await?;
    assert_eq!(scene.key_id(TARGET).await?, PAIR.0);
    assert_eq!(egress.refused(), refused, "somebody went out directly");
    Ok(())
}
