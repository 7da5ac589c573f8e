//! Changes that the operator's account may make to its targets.

use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{
    policies::{
        attempt::{Things, assert_passes, assert_refused},
        fence::{Fixture, with},
        test_cluster::TestCluster,
    },
    suite::tests,
};

tests![
    what_the_operator_does_to_its_targets_passes,
    a_target_is_not_given_to_another_resource,
    nothing_is_added_to_a_target,
];

/// A Secret before and after a PUT of the operator.
struct Case {
    what: &'static str,
    before: Value,
    after: Value,
}

fn case(what: &'static str, before: Value, after: Value) -> Case {
    Case {
        what,
        before,
        after,
    }
}

async fn what_the_operator_does_to_its_targets_passes(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let fixture = Fixture::of(&test_cluster).await?;
    let target = || fixture.marks().target("a");
    let retained = || fixture.marks().retained("a");
    let labels =
        json!({ "metadata": { "labels": { "team": "storage" }, "annotations": { "note": "x" } } });
    let unowned = json!({ "metadata": { "ownerReferences": null } });
    let unlabelled = json!({ "metadata": { "labels": null } });
    let unnamed = json!({ "metadata": { "annotations": null } });
    let relabelled = json!({ "metadata": { "labels": { "awscredentials.dev/uid": "x" } } });
    let renamed = json!({ "metadata": { "annotations": { "awscredentials.dev/adopt-by": "x" } } });
    let second = fixture.second_owner().await?;
    let second =
        json!({ "metadata": { "ownerReferences": [fixture.marks().controller(), second] } });
    let held = json!({ "metadata": { "finalizers": ["example.com/hold"] } });
    let changed = json!({ "stringData": { "AWS_SECRET_ACCESS_KEY": "another" } });
    let cases = [
        case("another pair", target(), with(target(), changed.clone())),
        case(
            "another pair in one that stays",
            retained(),
            with(retained(), changed),
        ),
        case("from Delete to Retain", target(), retained()),
        case("from Retain to Delete", retained(), target()),
        case(
            "foreign labels stay",
            with(target(), labels.clone()),
            with(target(), labels.clone()),
        ),
        case("foreign labels go", with(target(), labels), target()),
        case(
            "a finalizer stays",
            with(target(), held.clone()),
            with(target(), held),
        ),
        case(
            "the owner reference was removed",
            with(target(), unowned),
            target(),
        ),
        case(
            "the label was removed",
            with(target(), unlabelled),
            target(),
        ),
        case(
            "the label was changed",
            with(target(), relabelled.clone()),
            target(),
        ),
        case(
            "the label of one that stays was changed",
            with(retained(), relabelled),
            retained(),
        ),
        case(
            "adopt-by was removed",
            with(target(), unnamed.clone()),
            target(),
        ),
        case(
            "adopt-by of one that stays was removed",
            with(retained(), unnamed),
            retained(),
        ),
        case(
            "adopt-by was changed",
            with(target(), renamed.clone()),
            target(),
        ),
        case(
            "adopt-by of one that stays was changed",
            with(retained(), renamed),
            retained(),
        ),
        case("a second owner was added", with(target(), second), target()),
    ];
    for Case {
        what,
        before,
        after,
    } in cases
    {
        fixture
            .admin
            .create(Things::Secrets, &before)
            .await
            .with_context(|| what)?;
        assert_passes(
            &fixture.operator.replace(Things::Secrets, &after).await,
            what,
        );
        fixture.remove("a").await?;
    }
    Ok(())
}

async fn a_target_is_not_given_to_another_resource(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = Fixture::of(&test_cluster).await?;
    let updates = "updates only Secrets of the same StaticAwsCredentials";
    for before in [fixture.marks().target("s"), fixture.marks().retained("s")] {
        fixture.admin.create(Things::Secrets, &before).await?;
        for after in [fixture.others().target("s"), fixture.others().retained("s")] {
            let answer = fixture.operator.replace(Things::Secrets, &after).await;
            assert_refused(&answer, "fence", updates, "another's");
        }
        fixture.remove("s").await?;
    }
    Ok(())
}

async fn nothing_is_added_to_a_target(test_cluster: Arc<TestCluster>) -> Result<()> {
    let fixture = Fixture::of(&test_cluster).await?;
    fixture
        .admin
        .create(Things::Secrets, &fixture.marks().target("s"))
        .await?;
    let stray = json!({ "apiVersion": "v1", "kind": "Secret", "name": "x", "uid": "x" });
    let cases = [
        (
            "a label",
            json!({ "labels": { "colour": "x" } }),
            "no label but its own",
        ),
        (
            "an annotation",
            json!({ "annotations": { "note": "x" } }),
            "no annotation but its own",
        ),
        (
            "a finalizer",
            json!({ "finalizers": ["evil.io/hold"] }),
            "no finalizer",
        ),
        (
            "an owner",
            json!({ "ownerReferences": [fixture.marks().controller(), stray] }),
            "adds no owner",
        ),
    ];
    for (what, metadata, words) in cases {
        let patch = json!({ "metadata": metadata });
        let answer = fixture.operator.merge(Things::Secrets, "s", &patch).await;
        assert_refused(&answer, "fence", words, what);
    }
    let immutable = json!({ "immutable": true });
    let answer = fixture
        .operator
        .merge(Things::Secrets, "s", &immutable)
        .await;
    assert_refused(&answer, "fence", "not immutable", "immutable");
    Ok(())
}
