//! What a resource says about the pods that hold its superseded pair.

mod assessment;
mod superseded;

use crate::{
    api::{Published, StaticAwsCredentialsStatus},
    domain::rotation::{Assessment, OldKeyHolder, Others, ReloadMode, judge, note},
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{KUBELET, PUBLISHED, time};

/// 12:00:00 plus 90 s, 18 min and 60 s, rounded up to the minute.
const PICKED_UP: &str = "2026-01-01T12:21:00Z";

pub fn published(suffix: &str, revision: i64) -> StaticAwsCredentialsStatus {
    StaticAwsCredentialsStatus {
        published: Some(Published {
            secret_name: "orders-credentials".to_owned(),
            uid: "uid".to_owned(),
            resource_version: "1".to_owned(),
            key_id_suffix: suffix.to_owned(),
            key_digest: Some(format!("{suffix}{suffix}").to_lowercase().repeat(4)),
            former_secret_names: Vec::new(),
            revision,
            time: Time(time(PUBLISHED)),
            content_digest: None,
            labels_digest: None,
            credential_process_ttl_seconds: Some(1080),
        }),
        ..StaticAwsCredentialsStatus::default()
    }
}

/// No other resource has the key.
pub fn alone() -> Others {
    Others::new(true)
}

/// The status after a rotation from a key with the suffix AAAA to one with the suffix BBBB.
fn rotated() -> StaticAwsCredentialsStatus {
    let mut after = published("BBBB", 2);
    note(&published("AAAA", 1), &mut after, KUBELET, time(PUBLISHED));
    after
}

fn holders(all: &[(&str, ReloadMode)]) -> Vec<OldKeyHolder> {
    let holder = |(name, reload_mode): &(&str, ReloadMode)| OldKeyHolder {
        name: (*name).to_owned(),
        reload_mode: *reload_mode,
        former: None,
    };
    all.iter().map(holder).collect()
}

fn assess_at(all: &[(&str, ReloadMode)], now: &str) -> Assessment {
    judge(&rotated(), &holders(all), &alone(), time(now)).unwrap()
}

/// Status, reason and message of `PreviousKeyInUse`.
fn condition(status: &StaticAwsCredentialsStatus) -> (String, String, String) {
    let mut conditions = status.conditions.iter();
    let condition = conditions
        .find(|condition| condition.type_ == "PreviousKeyInUse")
        .unwrap();
    (
        condition.status.clone(),
        condition.reason.clone(),
        condition.message.clone(),
    )
}

pub fn assert_condition(
    status: &StaticAwsCredentialsStatus,
    truth: &str,
    reason: &str,
    words: &[&str],
) {
    let (status, actual_reason, message) = condition(status);
    assert_eq!(
        (status.as_str(), actual_reason.as_str()),
        (truth, reason),
        "{message}"
    );
    for word in words {
        assert!(message.contains(word), "{message} lacks {word}");
    }
}
