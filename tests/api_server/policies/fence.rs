//! Secrets that the operator's account may delete, and objects that it may write to, while RBAC grants it everything.

use std::sync::Arc;

use anyhow::{Context, Result};
use kube::ResourceExt;
use serde_json::{Value, json};

use crate::{
    policies::{
        attempt::{
            Attempt, Marks, SECRET_VALUE, Things, assert_passes, assert_refused, merge, resource,
        },
        test_cluster::{RELEASE_NAMESPACE, TestCluster},
    },
    suite::tests,
};

tests![
    a19_the_operator_writes_no_secret_in_the_namespaces_of_the_system_and_its_own,
    the_operator_deletes_targets_by_name,
    a19_the_operator_deletes_nothing_but_targets,
];

/// A namespace with the resources `orders` and `other`, without an operator that serves it.
pub struct Fixture {
    namespace: String,
    pub orders: String,
    pub other: String,
    /// The operator's account, with dry runs only.
    pub operator: Attempt,
    pub admin: Attempt,
}

impl Fixture {
    pub async fn of(test_cluster: &TestCluster) -> Result<Self> {
        let namespace = test_cluster.cluster().namespace("fence").await?;
        let admin = Attempt::new(&test_cluster.admin(), &namespace);
        let mut uids = Vec::new();
        for name in ["orders", "other"] {
            let made = admin
                .create(Things::Resources, &resource(name, json!({})))
                .await?;
            uids.push(made.uid().context("no uid")?);
        }
        let other = uids.pop().context("no uid")?;
        let orders = uids.pop().context("no uid")?;
        Ok(Self {
            operator: Attempt::dry(&test_cluster.operator(), &namespace),
            orders,
            other,
            admin,
            namespace,
        })
    }

    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    pub fn marks(&self) -> Marks<'_> {
        Marks {
            name: "orders",
            uid: &self.orders,
        }
    }

    /// Deletes a Secret even if it has a finalizer.
    pub async fn remove(&self, name: &str) -> Result<()> {
        let off = json!({ "metadata": { "finalizers": null } });
        self.admin.merge(Things::Secrets, name, &off).await?;
        Ok(self.admin.delete(Things::Secrets, name).await?)
    }

    /// A further owner that exists, so that the garbage collector keeps the Secret.
    pub async fn second_owner(&self) -> Result<Value> {
        let account = self
            .admin
            .api(Things::ServiceAccounts)
            .get("default")
            .await?;
        Ok(json!({
            "apiVersion": "v1", "kind": "ServiceAccount", "name": "default", "uid": account.uid(),
        }))
    }

    pub fn others(&self) -> Marks<'_> {
        Marks {
            name: "other",
            uid: &self.other,
        }
    }
}

/// A manifest with changes merged over it; null removes a field.
pub fn with(mut manifest: Value, change: Value) -> Value {
    merge(&mut manifest, change);
    manifest
}

/// A Secret that a person created.
pub fn foreign(name: &str) -> Value {
    json!({
        "metadata": { "name": name, "labels": { "team": "storage" } },
        "type": "Opaque",
        "stringData": { "AWS_SECRET_ACCESS_KEY": SECRET_VALUE },
    })
}

async fn a19_the_operator_writes_no_secret_in_the_namespaces_of_the_system_and_its_own(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let fixture = Fixture::of(&test_cluster).await?;
    for namespace in [
        "kube-system",
        "kube-public",
        "kube-node-lease",
        RELEASE_NAMESPACE,
    ] {
        let operator = Attempt::dry(&test_cluster.operator(), namespace);
        for secret in [fixture.marks().target("a"), fixture.marks().retained("a")] {
            let answer = operator.create(Things::Secrets, &secret).await;
            assert_refused(&answer, "fence", "into another namespace", namespace);
        }
    }
    Ok(())
}

async fn the_operator_deletes_targets_by_name(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = Fixture::of(&test_cluster).await?;
    let unlabelled = json!({ "metadata": { "labels": null } });
    for secret in [
        fixture.marks().target("a"),
        fixture.marks().retained("b"),
        with(fixture.marks().target("c"), unlabelled),
    ] {
        let name = secret["metadata"]["name"].as_str().context("no name")?;
        fixture.admin.create(Things::Secrets, &secret).await?;
        assert_passes(&fixture.operator.delete(Things::Secrets, name).await, name);
    }
    let label = format!("awscredentials.dev/uid={}", fixture.orders);
    let answer = fixture.operator.delete_all(Things::Secrets, &label).await;
    assert_refused(
        &answer,
        "fence",
        "deletes Secrets only by name",
        "its own in one request",
    );
    Ok(())
}

async fn a19_the_operator_deletes_nothing_but_targets(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let fixture = Fixture::of(&test_cluster).await?;
    let marked = "only Secrets that belong to a StaticAwsCredentials";
    let adopt_by =
        json!({ "metadata": { "annotations": { "awscredentials.dev/adopt-by": "orders" } } });
    let owner = json!({ "metadata": { "ownerReferences": [{
        "apiVersion": "v1", "kind": "ServiceAccount", "name": "default", "controller": true,
        "uid": fixture.admin.api(Things::ServiceAccounts).get("default").await?.uid(),
    }] } });
    let cases = [
        ("foreign", foreign("foreign"), marked),
        (
            "one that consents",
            with(foreign("consents"), adopt_by),
            marked,
        ),
        (
            "one with our label alone",
            with(
                fixture.marks().retained("label"),
                json!({ "metadata": { "annotations": null } }),
            ),
            marked,
        ),
        (
            "another controller's with our marks",
            with(fixture.marks().retained("controlled"), owner),
            marked,
        ),
        (
            "of another type",
            with(
                fixture.marks().target("typed"),
                json!({ "type": "example.com/x" }),
            ),
            "type Opaque",
        ),
    ];
    for (what, secret, words) in cases {
        let name = secret["metadata"]["name"].as_str().context("no name")?;
        fixture.admin.create(Things::Secrets, &secret).await?;
        let answer = fixture.operator.delete(Things::Secrets, name).await;
        assert_refused(&answer, "fence", words, what);
    }
    let answer = fixture
        .operator
        .delete_all(Things::Secrets, "team=storage")
        .await;
    assert_refused(&answer, "fence", marked, "all of somebody's");
    Ok(())
}
