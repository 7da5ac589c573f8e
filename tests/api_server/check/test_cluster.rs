//! State that the tests share: a control plane with the CRD, started on first use, since most tests need none.

use anyhow::Result;
use cluster::{
    control_plane::{ControlPlane, Options},
    shipped::CRD,
};
use tokio::sync::OnceCell;

pub use crate::harness::sts::{ACCOUNT, ARN, PAIR, sts};

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
