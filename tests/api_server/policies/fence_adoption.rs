//! Secrets of others that the operator's account may take over.

use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use static_aws_credentials::domain::managers::{MANAGERS, Mark};

use crate::{
    policies::{
        attempt::{Things, assert_passes, assert_refused},
        fence::{Fixture, foreign, with},
        test_cluster::TestCluster,
    },
    suite::tests,
};

tests![a19_what_consents_is_taken_over_and_nothing_else,];

/// An annotation that permits adoption.
fn consent() -> Value {
    json!({ "metadata": { "annotations": { "awscredentials.dev/adopt-by": "orders" } } })
}

/// Metadata by which other tools find their objects, as labels or annotations.
fn marks() -> Vec<(&'static str, Value)> {
    let mut all = Vec::new();
    for manager in &MANAGERS {
        for mark in manager.marks {
            let (key, value) = match mark {
                Mark::Key(key) => ((*key).to_owned(), "x"),
                Mark::Value(key, value) => ((*key).to_owned(), *value),
                Mark::Prefix(prefix) => (format!("{prefix}mark"), "x"),
            };
            for place in ["labels", "annotations"] {
                let marked = json!({ "metadata": { place: { key.as_str(): value } } });
                all.push((manager.name, marked));
            }
        }
    }
    all
}

async fn a19_what_consents_is_taken_over_and_nothing_else(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let fixture = Fixture::of(&test_cluster).await?;
    let consenting = with(foreign("consenting"), consent());
    fixture.admin.create(Things::Secrets, &consenting).await?;
    for after in [
        fixture.marks().target("consenting"),
        fixture.marks().retained("consenting"),
    ] {
        assert_passes(
            &fixture.operator.replace(Things::Secrets, &after).await,
            "adopted",
        );
        assert_passes(
            &fixture.operator.apply(Things::Secrets, &after).await,
            "applied",
        );
    }
    let held = json!({ "metadata": { "finalizers": ["example.com/hold"] } });
    let second = fixture.second_owner().await?;
    let owned = json!({ "metadata": { "ownerReferences": [second] } });
    let updates = "updates only Secrets of the same StaticAwsCredentials";
    let to_another =
        json!({ "metadata": { "annotations": { "awscredentials.dev/adopt-by": "other" } } });
    let typed = json!({ "type": "example.com/x" });
    let managed = marks()
        .into_iter()
        .map(|(what, marked)| (what, with(with(foreign("s"), consent()), marked), updates));
    let cases = [
        ("foreign", foreign("s"), updates),
        (
            "consenting to another",
            with(foreign("s"), to_another),
            updates,
        ),
        (
            "with a finalizer",
            with(with(foreign("s"), consent()), held),
            updates,
        ),
        (
            "with an owner",
            with(with(foreign("s"), consent()), owned),
            updates,
        ),
        (
            "of another type",
            with(with(foreign("s"), consent()), typed),
            "type Opaque",
        ),
    ];
    for (what, before, words) in cases.into_iter().chain(managed) {
        fixture
            .admin
            .create(Things::Secrets, &before)
            .await
            .with_context(|| what)?;
        let target = with(
            fixture.marks().target("s"),
            json!({ "type": before["type"] }),
        );
        for after in [
            target.clone(),
            with(
                fixture.marks().retained("s"),
                json!({ "type": before["type"] }),
            ),
        ] {
            let answer = fixture.operator.replace(Things::Secrets, &after).await;
            assert_refused(&answer, "fence", words, what);
            let answer = fixture.operator.apply(Things::Secrets, &after).await;
            assert_refused(&answer, "fence", words, what);
        }
        let marks = json!({ "metadata": target["metadata"] });
        let answer = fixture.operator.merge(Things::Secrets, "s", &marks).await;
        assert_refused(&answer, "fence", words, what);
        fixture.remove("s").await?;
    }
    Ok(())
}
