//! Secrets that the operator's account may create while RBAC grants it everything.

use std::sync::Arc;

use anyhow::Result;
use serde_json::{Value, json};

use crate::{
    policies::{
        attempt::{Things, assert_passes, assert_refused},
        fence::{Fixture, foreign, with},
        test_cluster::TestCluster,
    },
    suite::tests,
};

tests![
    the_operator_creates_targets,
    what_does_not_name_one_resource_is_not_created,
    a19_no_other_kind_of_secret_is_created,
    nothing_but_the_marks_is_set,
];

async fn the_operator_creates_targets(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = Fixture::of(&test_cluster).await?;
    for secret in [fixture.marks().target("a"), fixture.marks().retained("b")] {
        let answer = fixture.operator.create(Things::Secrets, &secret).await;
        assert_passes(&answer, "a target");
        let answer = fixture.operator.apply(Things::Secrets, &secret).await;
        assert_passes(&answer, "a target that is applied");
    }
    Ok(())
}

/// Fails unless the fence rejects the creation of a target with each change, with these words.
async fn refused(fixture: &Fixture, words: &str, changes: &[(&str, Value)]) {
    for (what, change) in changes {
        let secret = with(fixture.marks().target("a"), change.clone());
        let answer = fixture.operator.create(Things::Secrets, &secret).await;
        assert_refused(&answer, "fence", words, what);
        if secret["metadata"].get("name").is_some() {
            let answer = fixture.operator.apply(Things::Secrets, &secret).await;
            assert_refused(&answer, "fence", words, what);
        }
    }
}

async fn what_does_not_name_one_resource_is_not_created(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let fixture = Fixture::of(&test_cluster).await?;
    let words = "name one StaticAwsCredentials";
    let label = json!({ "awscredentials.dev/uid": fixture.other });
    let adopt_by = json!({ "awscredentials.dev/adopt-by": "other" });
    let mut group = fixture.marks().controller();
    group["apiVersion"] = json!("evil.io/v1");
    let mut kind = fixture.marks().controller();
    kind["kind"] = json!("ConfigMap");
    let other = fixture.others().controller();
    let changes = [
        ("no label", json!({ "labels": null })),
        ("no adopt-by", json!({ "annotations": null })),
        ("another's uid in the label", json!({ "labels": label })),
        (
            "another's name in adopt-by",
            json!({ "annotations": adopt_by }),
        ),
        (
            "an owner of another group",
            json!({ "ownerReferences": [group] }),
        ),
        (
            "an owner of another kind",
            json!({ "ownerReferences": [kind] }),
        ),
        ("another owner", json!({ "ownerReferences": [other] })),
    ];
    let changes = changes.map(|(what, metadata)| (what, json!({ "metadata": metadata })));
    refused(&fixture, words, &changes).await;
    let answer = fixture
        .operator
        .create(Things::Secrets, &foreign("a"))
        .await;
    assert_refused(&answer, "fence", words, "no marks");
    Ok(())
}

async fn a19_no_other_kind_of_secret_is_created(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = Fixture::of(&test_cluster).await?;
    let account = json!({ "kubernetes.io/service-account.name": "default" });
    let token = json!({
        "type": "kubernetes.io/service-account-token", "metadata": { "annotations": account },
    });
    let tls = json!({
        "type": "kubernetes.io/tls", "stringData": { "tls.crt": "", "tls.key": "" },
    });
    let typed = [("a token of a service account", token), ("a TLS pair", tls)];
    refused(&fixture, "type Opaque", &typed).await;
    let immutable = [("an immutable one", json!({ "immutable": true }))];
    refused(&fixture, "not immutable", &immutable).await;
    let release = json!({ "metadata": { "name": "sh.helm.release.v1.a.v1" } });
    let made_up = json!({ "metadata": { "name": null, "generateName": "sh.helm.release.v1.a-" } });
    let releases = [
        ("a release of Helm", release),
        ("by a made-up name", made_up),
    ];
    refused(&fixture, "no Secret of a Helm release", &releases).await;
    Ok(())
}

async fn nothing_but_the_marks_is_set(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = Fixture::of(&test_cluster).await?;
    let notes = |name: &str| json!({ "metadata": { "annotations": { name: "x" } } });
    let labels = |name: &str| json!({ "metadata": { "labels": { name: "Helm" } } });
    let owners = |owner: &[Value]| json!({ "metadata": { "ownerReferences": owner } });
    let annotations = [
        (
            "a replicator's",
            notes("replicator.v1.mittwald.de/replicate-to"),
        ),
        ("Argo CD's", notes("argocd.argoproj.io/tracking-id")),
        (
            "of ours without a meaning",
            notes("awscredentials.dev/inject"),
        ),
    ];
    refused(&fixture, "no annotation but its own", &annotations).await;
    let labels = [
        ("Argo CD's", labels("argocd.argoproj.io/instance")),
        ("another manager", labels("app.kubernetes.io/managed-by")),
        (
            "of ours without a meaning",
            labels("awscredentials.dev/policy"),
        ),
    ];
    refused(&fixture, "no label but its own", &labels).await;
    // The chart is installed with these labels in `targets.copyLabels`.
    for key in ["team", "example.com/cost-center"] {
        let labelled = json!({ "metadata": { "labels": { key: "storage" } } });
        let target = with(fixture.marks().target("labelled"), labelled);
        let made = fixture.operator.create(Things::Secrets, &target).await;
        assert_passes(&made, key);
    }
    let second = fixture.second_owner().await?;
    let mut blocking = fixture.marks().controller();
    blocking["blockOwnerDeletion"] = json!(true);
    let owners = [
        (
            "a second owner",
            owners(&[fixture.marks().controller(), second]),
        ),
        ("an owner that cannot go first", owners(&[blocking])),
    ];
    refused(&fixture, "adds no owner", &owners).await;
    let finalizer = json!({ "metadata": { "finalizers": ["evil.io/hold"] } });
    refused(&fixture, "no finalizer", &[("a finalizer", finalizer)]).await;
    Ok(())
}
