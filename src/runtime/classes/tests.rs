#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use serde_json::json;

use super::*;
use crate::api::Reason;

fn object(name: &str, generation: i64, further: &serde_json::Value) -> WatchedClass {
    let mut spec = json!({ "proof": "S3", "endpoint": { "url": "https://s3.example.com" }, "allowedNamespaces": {} });
    for (field, value) in further.as_object().unwrap() {
        spec[field] = value.clone();
    }
    serde_json::from_value(json!({
        "apiVersion": "awscredentials.dev/v1alpha1",
        "kind": "AwsCredentialsClass",
        "metadata": { "name": name, "uid": format!("uid-{name}"), "generation": generation },
        "spec": spec,
    }))
    .unwrap()
}

fn plain(name: &str, generation: i64) -> WatchedClass {
    object(name, generation, &json!({}))
}

fn reason(classes: &Classes, name: &str) -> Option<Reason> {
    let resolved = classes.resolve(name, "orders")?;
    resolved.err().map(|finding| finding.reason)
}

#[test]
fn nothing_is_known_of_a_class_before_the_first_list_ends() {
    let classes = Classes::default();
    assert!(classes.resolve("a", "orders").is_none());
    let _ = classes.on_event(Event::Init);
    assert_eq!(
        classes.on_event(Event::InitApply(plain("a", 1))),
        Some(vec!["a".to_owned()])
    );
    assert!(classes.resolve("a", "orders").unwrap().is_ok());
    assert!(classes.resolve("b", "orders").is_none());
    assert_eq!(classes.on_event(Event::InitDone), None);
    assert_eq!(reason(&classes, "b"), Some(Reason::ClassNotFound));
}

#[test]
fn a_relist_removes_the_classes_that_it_lacks() {
    let classes = Classes::default();
    for name in ["a", "b"] {
        let _ = classes.on_event(Event::Apply(plain(name, 1)));
    }
    let _ = classes.on_event(Event::InitDone);
    for name in ["a", "b"] {
        let _ = classes.on_event(Event::Apply(plain(name, 1)));
    }
    let _ = classes.on_event(Event::Init);
    let unchanged = classes.on_event(Event::InitApply(plain("a", 1)));
    assert_eq!(unchanged, Some(Vec::new()));
    assert_eq!(
        classes.on_event(Event::InitDone),
        Some(vec!["b".to_owned()])
    );
    assert!(classes.resolve("a", "orders").unwrap().is_ok());
    assert_eq!(reason(&classes, "b"), Some(Reason::ClassNotFound));
}

#[test]
fn a_label_of_a_class_wakes_no_resource_and_a_new_generation_does() {
    let classes = Classes::default();
    let _ = classes.on_event(Event::Apply(plain("a", 1)));
    let mut labelled = plain("a", 1);
    labelled.0.as_mut().unwrap().metadata.labels = Some([("a".to_owned(), "b".to_owned())].into());
    assert_eq!(classes.on_event(Event::Apply(labelled)), Some(Vec::new()));
    assert_eq!(
        classes.on_event(Event::Apply(plain("a", 2))),
        Some(vec!["a".to_owned()])
    );
}

#[test]
fn a_ca_bundle_that_is_no_certificate_makes_the_class_invalid() {
    let classes = Classes::default();
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let endpoint = json!({ "endpoint": { "url": "https://s3.example.com", "caBundle": pem } });
    let _ = classes.on_event(Event::Apply(object("a", 1, &endpoint)));
    assert_eq!(reason(&classes, "a"), Some(Reason::ClassInvalid));
}

#[test]
fn a_denied_list_is_reported_once_and_does_not_outlast_a_list() {
    let classes = Classes::default();
    assert!(classes.on_denied() && !classes.on_denied());
    assert_eq!(reason(&classes, "a"), Some(Reason::ClassNotFound));
    let _ = classes.on_event(Event::Init);
    let _ = classes.on_event(Event::InitApply(plain("a", 1)));
    let _ = classes.on_event(Event::InitDone);
    assert!(!classes.on_denied());
    assert!(classes.resolve("a", "orders").unwrap().is_ok());
}

#[test]
fn a_class_that_this_version_cannot_decode_is_invalid_and_does_not_stop_the_others() {
    let classes = Classes::default();
    let future = object("a", 1, &json!({ "proof": "Oracle" }));
    let _ = classes.on_event(Event::Apply(future));
    let _ = classes.on_event(Event::Apply(plain("b", 1)));
    assert_eq!(reason(&classes, "a"), Some(Reason::ClassInvalid));
    assert!(classes.resolve("b", "orders").unwrap().is_ok());
}
