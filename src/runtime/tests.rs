//! State that grows with the number of events, not of objects, is bounded.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use crate::{
    domain::{
        decide::Cause,
        index::{Index, MAX_UNCLAIMED, MAX_UNCLAIMED_PER_NAMESPACE, SecretVersion},
        resource::Undecodable,
    },
    runtime::{
        queue::{Action, Outcome, Queue},
        store::Store,
        watch::{StaleEventFilter, WatchedCredentials, resources::on_event},
    },
};
use kube::{
    api::ObjectMeta,
    runtime::watcher::{Event, Result},
};
use serde_json::json;
use tokio::time::Instant;

const MANY: u64 = 20_000;

/// A resource with this number and version. Each thousand has its own namespace, and every third cannot be decoded.
fn resource(number: u64, version: u64) -> WatchedCredentials {
    let metadata = json!({
        "name": format!("resource-{number}"), "namespace": format!("team-{}", number / 1000),
        "uid": format!("uid-{number}"), "resourceVersion": version.to_string(),
    });
    if number.is_multiple_of(3) {
        let metadata: ObjectMeta = serde_json::from_value(metadata).unwrap();
        let error = "it cannot be decoded".to_owned();
        return WatchedCredentials(Err(Box::new(Undecodable {
            error,
            metadata,
            status: None,
        })));
    }
    let object = json!({
        "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
        "metadata": metadata, "spec": { "secretRef": { "name": format!("pair-{number}") } },
    });
    WatchedCredentials(Ok(serde_json::from_value(object).unwrap()))
}

fn marked(version: u64, by: &str) -> SecretVersion {
    SecretVersion {
        uid: "secret".into(),
        version,
        owner_uid: Some(by.into()),
        only_our_metadata: true,
    }
}

#[test]
fn resources_that_come_and_go_leave_nothing_behind() {
    let (mut index, mut store, mut queue) = (Index::default(), Store::default(), Queue::default());
    let now = Instant::now();
    let empty = format!("{index:?} {queue:?}");
    for number in 0..MANY {
        let (applied, gone) = (
            resource(number, 2 * number),
            resource(number, 2 * number + 1),
        );
        let consequences = on_event(&mut index, &mut store, Event::Apply(applied));
        for key in &consequences.to_enqueue {
            queue.enqueue(key, Cause::Change, now);
        }
        let item = queue.get(now, |_| true).unwrap();
        let (namespace, uid) = (item.key.namespace.to_string(), format!("uid-{number}"));
        for stale_target in 0..3 {
            let name = format!("stray-{number}-{stale_target}");
            index.apply_secret(&namespace, &name, marked(number + 1, &uid));
            index.delete_secret(&namespace, &name, number + 2);
        }
        let later = Outcome {
            credentials: Some(Action::Backoff(Duration::from_secs(30))),
            consumers: None,
        };
        assert!(!queue.done(&item.key, later, now));
        for key in on_event(&mut index, &mut store, Event::Delete(gone)).gone {
            queue.remove(&key);
        }
    }
    assert_eq!(store.keys().count(), 0);
    assert_eq!((index.tracked_secrets(), index.unclaimed_secrets()), (0, 0));
    let remaining = format!("{index:?} {queue:?}");
    let clock = 10;
    assert!(remaining.len() <= empty.len() + clock, "{remaining}");
}

#[test]
fn marks_of_resources_that_never_come_are_kept_up_to_a_bound() {
    let mut index = Index::default();
    for number in 0..MANY {
        let (namespace, uid) = (format!("team-{}", number % 100), format!("nobody-{number}"));
        index.apply_secret(&namespace, &format!("fake-{number}"), marked(1, &uid));
    }
    assert_eq!(index.unclaimed_secrets(), MAX_UNCLAIMED);
    index.start_relist();
    for number in 0..MANY {
        index.list_secret("team", &format!("fake-{number}"), marked(1, "nobody"));
    }
    index.finish_relist();
    assert_eq!(index.unclaimed_secrets(), MAX_UNCLAIMED_PER_NAMESPACE);
}

/// The filter keeps one number, regardless of the number of objects in the watch.
#[test]
fn a_replayed_event_is_filtered_and_takes_no_memory() {
    assert_eq!(size_of::<StaleEventFilter>(), size_of::<u64>());
    let mut filter = StaleEventFilter::default();
    let mut is_new = |event: Event<WatchedCredentials>| filter.accept(&Result::Ok(event));
    assert!(is_new(Event::Init));
    for version in [7, 3, 5] {
        let listed = Event::InitApply(resource(version, version));
        assert!(is_new(listed), "a list has an order of its own");
    }
    assert!(is_new(Event::InitDone));
    assert!(is_new(Event::Apply(resource(1, 8))));
    assert!(is_new(Event::Delete(resource(1, 9))));
    assert!(!is_new(Event::Apply(resource(1, 8))), "it is gone");
    assert!(!is_new(Event::Apply(resource(7, 7))), "it was listed");
    assert!(is_new(Event::Apply(resource(7, 10))));
    assert!(is_new(Event::Init), "the store may have been restored");
    assert!(is_new(Event::InitApply(resource(1, 2))));
    assert!(is_new(Event::Apply(resource(1, 3))));
}
