//! Fields of the spec that are parsed or compared with others.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    api::{LONGEST_KEY, Reason, StaticAwsCredentialsSpec, TargetValue},
    domain::{duration::duration, verdict::Finding},
};

/// What only STS knows is not demanded of a store.
pub(super) fn check_class(spec: &StaticAwsCredentialsSpec) -> Result<(), Finding> {
    if spec.class_ref.is_none() {
        return Ok(());
    }
    let validation = &spec.validation;
    let fields = [
        ("spec.region", spec.region.is_some()),
        ("spec.validation.accountId", validation.account_id.is_some()),
        ("spec.validation.arn", validation.arn.is_some()),
    ];
    match fields.iter().find(|(_, is_set)| *is_set) {
        Some((field, _)) => Err(invalid(field, "it must be absent beside spec.classRef")),
        None => Ok(()),
    }
}

pub(super) fn check_keys(
    keys: &BTreeMap<String, TargetValue>,
    has_region: bool,
) -> Result<(), Finding> {
    if !has_region && keys.values().any(|value| value.needs_region()) {
        let problem = "it is required for a key with Region or ConfigFile";
        return Err(invalid("spec.region", problem));
    }
    if keys.keys().any(|key| key.len() > LONGEST_KEY) {
        let problem = format!("a key has at most {LONGEST_KEY} characters");
        return Err(invalid("spec.target.keys", &problem));
    }
    Ok(())
}

pub(crate) fn interval(text: &str) -> Result<Duration, Finding> {
    let within = |duration: &Duration| (300..=604_800).contains(&duration.as_secs());
    duration(text).filter(within).ok_or_else(|| {
        invalid(
            "spec.validation.interval",
            "it must lie between 5m and 168h",
        )
    })
}

pub(super) fn invalid(field: &str, problem: &str) -> Finding {
    Finding::new(Reason::SpecInvalid, format!("{field}: {problem}"))
}
