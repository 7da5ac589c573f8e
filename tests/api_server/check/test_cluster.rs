//! State that the tests share: pairs, and a control plane with the CRD, started on first use.

use anyhow::Result;
use cluster::{
    control_plane::{ControlPlane, Options},
    shipped::CRD,
    sts::Sts,
};
use tokio::sync::OnceCell;

/// A pair in the format of AWS.
pub const PAIR: (&str, &str) = (
    "AKIARZPUZDIKAUAIL2A3",
    "wSecretOfTheFirstPair+wSecretOf/TheFirst",
);
/// The account that the pair's ID encodes.
pub const ACCOUNT: &str = "123456789012";
/// The user of the pair.
pub const ARN: &str = "arn:aws:iam::123456789012:user/connectors/orders";

/// State shared by all tests.
#[derive(Default)]
pub struct TestCluster {
    cluster: OnceCell<ControlPlane>,
}

impl TestCluster {
    /// A control plane with the CRD installed.
    pub async fn cluster(&self) -> Result<&ControlPlane> {
        self.cluster
            .get_or_try_init(|| async {
                let cluster = ControlPlane::start(Options::default()).await?;
                cluster.define(CRD).await?;
                Ok(cluster)
            })
            .await
    }
}

/// A stand-in for STS that accepts the pair.
pub async fn sts() -> Result<Sts> {
    let sts = Sts::start().await?;
    sts.accept_pair(PAIR.0, PAIR.1, ACCOUNT, ARN, "AIDAQUAIL");
    Ok(sts)
}

/// A Secret `orders-key-pair` with these values, as JSON, which can carry any text.
pub fn secret(id: &str, secret: &str) -> String {
    serde_json::json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": "orders-key-pair" },
        "stringData": { "AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret },
    })
    .to_string()
}
