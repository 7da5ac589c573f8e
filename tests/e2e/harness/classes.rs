//! Classes, and the resources that name them. A class is of the cluster, which all tests share: its name is the
//! namespace of its environment, or begins with that.

use std::{pin::pin, time::Duration};

use anyhow::{Context, Result};
use cluster::{moto::KeyPair, stores::stand_in::StandIn};
use futures::StreamExt;
use kube::{
    Api, Client,
    api::{DeleteParams, PostParams},
    runtime::watcher::{self, watcher},
};
use serde_json::{Value, json};
use static_aws_credentials::api::AwsCredentialsClass;

use crate::harness::{
    actions::TARGET,
    test_env::{TestEnv, merge},
};

/// The region of the classes, which no default of the operator or of a store is.
pub const REGION: &str = "quail-1";

/// A pair in no format of AWS, for numbers below 10.
pub fn store_pair(number: usize) -> KeyPair {
    KeyPair {
        id: format!("quail-orders-{number}"),
        secret: format!("secret/of+the-pair-{number}-of-a-store"),
    }
}

/// The same pair with another secret.
pub fn other_secret(pair: &KeyPair) -> KeyPair {
    KeyPair {
        id: pair.id.clone(),
        secret: format!("another-{}", pair.secret),
    }
}

pub fn as_strs(pair: &KeyPair) -> (&str, &str) {
    (&pair.id, &pair.secret)
}

/// Waits until the API server stores classes: the first watch of a new kind fails while its storage is initialized. An
/// operator is ready without the classes, and would watch them again in the middle of a test.
pub async fn until_classes_are_stored(client: &Client) -> Result<()> {
    let classes: Api<AwsCredentialsClass> = Api::all(client.clone());
    let stored = async {
        let mut events = pin!(watcher(
            classes,
            watcher::Config::default().streaming_lists()
        ));
        while let Some(event) = events.next().await {
            if matches!(event, Ok(watcher::Event::InitDone)) {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), stored)
        .await
        .context("the API server does not store classes")
}

impl TestEnv {
    /// Creates or changes the class of the environment. `spec` is merged over one that allows all namespaces and takes
    /// a new pair's first rejection for the last; null removes a field.
    pub async fn class(&self, url: &str, spec: Value) -> Result<()> {
        self.class_named(&self.namespace, url, spec).await
    }

    /// The same for a class with this name.
    pub async fn class_named(&self, name: &str, url: &str, spec: Value) -> Result<()> {
        let mut object = json!({
            "apiVersion": "awscredentials.dev/v1alpha1",
            "kind": "AwsCredentialsClass",
            "metadata": { "name": name },
            "spec": {
                "proof": "S3",
                "endpoint": { "url": url },
                "allowPlainHttp": url.starts_with("http:"),
                "region": REGION,
                "accessKeyIdFormat": "Any",
                "settling": "0s",
                "allowedNamespaces": {},
            },
        });
        merge(&mut object["spec"], spec);
        self.test_cluster
            .cluster()
            .apply(&object.to_string())
            .await
            .map(drop)
    }

    pub fn classes(&self) -> Api<AwsCredentialsClass> {
        Api::all(self.test_cluster.cluster().client())
    }

    pub async fn delete_class(&self) -> Result<()> {
        self.classes()
            .delete(&self.namespace, &DeleteParams::default())
            .await?;
        Ok(())
    }

    /// Creates the class again as it was: another UID.
    pub async fn create_class(&self, class: &AwsCredentialsClass) -> Result<()> {
        let again = AwsCredentialsClass::new(&self.namespace, class.spec.clone());
        self.classes()
            .create(&PostParams::default(), &again)
            .await?;
        Ok(())
    }

    /// The spec of a resource that names the class of the environment.
    pub fn of_class(&self) -> Value {
        of_class(&self.namespace)
    }

    /// Creates `orders` with the class of the environment and a source that holds this pair.
    pub async fn orders_of_class(&self, pair: &KeyPair) -> Result<()> {
        self.source("pair", as_strs(pair)).await?;
        self.resource("orders", "pair", self.of_class()).await?;
        Ok(())
    }

    /// The pair and the region in the target of `orders`.
    pub async fn published_pair(&self) -> Result<(KeyPair, String)> {
        let mut content = self.content(TARGET).await?;
        let mut value = |key: &str| content.remove(key).unwrap_or_default();
        let pair = KeyPair {
            id: value("AWS_ACCESS_KEY_ID"),
            secret: value("AWS_SECRET_ACCESS_KEY"),
        };
        Ok((pair, value("AWS_REGION")))
    }
}

/// The statuses of the answers to requests with this access key ID.
pub fn statuses(store: &StandIn, pair: &KeyPair) -> Vec<u16> {
    let calls = store.calls_for(&pair.id);
    calls.iter().map(|call| call.status).collect()
}

/// The spec of a resource that names a class.
pub fn of_class(name: &str) -> Value {
    json!({ "region": null, "classRef": { "name": name } })
}
