//! Rules of the `CustomResourceDefinition` that decoding into the Rust types does not enforce, with the messages of the
//! definition.

use super::{
    placeholder::is_secret,
    secret::{is_data_key, is_subdomain},
};
use crate::{
    api::{
        ID_PREFIXES, LONGEST_KEY, Restart, RestartScope, StaticAwsCredentials,
        StaticAwsCredentialsSpec, Target, TargetValue, ValidationLevel, messages,
    },
    domain::{account::is_account_id, arn::ArnPattern, region::Region, resource},
};

mod source;

const MOST_KEYS: usize = 16;
const MOST_WORKLOADS: usize = 64;
const LONGEST_ARN: usize = 640;
const LONGEST_NAME_WITHOUT_TARGET: usize = 241;
const TOO_LONG: &str = "must have at most 253 characters";

/// Whether a rule holds, the field that it covers, and what it demands of the field.
type Rule = (bool, &'static str, &'static str);

/// Why an API server rejects a resource.
pub fn refused(resource: &StaticAwsCredentials) -> Option<String> {
    let spec = &resource.spec;
    let rotation = spec.rotation.as_ref();
    let restart = rotation.and_then(|rotation| rotation.restart.as_ref());
    let (_, field, demand) = of_names(resource)
        .or_else(|| source::of_source(&spec.secret_ref))
        .or_else(|| of_class(spec))
        .or_else(|| of_validation(spec))
        .or_else(|| of_target(&spec.target))
        .or_else(|| of_restart(restart?))?;
    Some(format!("{field} {demand}"))
}

/// Whether a text has at most the characters of a name. The schema counts characters, and its rules come later.
fn is_short(text: &str) -> bool {
    text.chars().count() <= LONGEST_KEY
}

fn violated(rules: &[Rule]) -> Option<Rule> {
    rules.iter().find(|(holds, ..)| !holds).copied()
}

fn of_names(resource: &StaticAwsCredentials) -> Option<Rule> {
    const TARGET: &str = "spec.target.name";
    let name = resource.metadata.name.as_deref().unwrap_or_default();
    let target = resource.spec.target.name.as_deref();
    let differs = resource::target_name(resource) != resource.spec.secret_ref.name;
    violated(&[
        (
            resource.metadata.name.is_some(),
            "metadata.name",
            "must be set; check does not take generateName",
        ),
        (is_short(name), "metadata.name", TOO_LONG),
        (
            is_subdomain(name),
            "metadata.name",
            "must consist of lower-case letters, digits, '-' and '.'",
        ),
        (target.is_none_or(is_short), TARGET, TOO_LONG),
        (
            target.is_none_or(is_subdomain),
            TARGET,
            messages::SECRET_NAME,
        ),
        (
            target.is_some() || name.len() <= LONGEST_NAME_WITHOUT_TARGET,
            TARGET,
            messages::TARGET_OF_LONG_NAME,
        ),
        (
            target.is_some() || differs,
            TARGET,
            messages::TARGET_OF_SOURCE,
        ),
        (differs, TARGET, messages::TWO_SECRETS),
    ])
}

fn of_class(spec: &StaticAwsCredentialsSpec) -> Option<Rule> {
    const NAME: &str = "spec.classRef.name";
    let class = spec.class_ref.as_ref()?;
    let validation = &spec.validation;
    let is_absent =
        |field: &Option<String>, name| (field.is_none(), name, messages::ABSENT_BESIDE_CLASS);
    violated(&[
        (is_short(&class.name), NAME, TOO_LONG),
        (is_subdomain(&class.name), NAME, messages::CLASS_NAME),
        is_absent(&spec.region, "spec.region"),
        is_absent(&validation.account_id, "spec.validation.accountId"),
        is_absent(&validation.arn, "spec.validation.arn"),
    ])
}

fn of_validation(spec: &StaticAwsCredentialsSpec) -> Option<Rule> {
    const REGION: &str = "spec.region";
    const ARN: &str = "spec.validation.arn";
    let validation = &spec.validation;
    let is_identity = validation.level == ValidationLevel::Identity;
    let has_class = spec.class_ref.is_some();
    let region = spec.region.as_deref().map(Region::parse);
    let account = validation.account_id.as_deref();
    let arn = validation.arn.as_deref();
    let pattern = arn.map(ArnPattern::parse);
    let names_account = arn.zip(account).is_none_or(|(arn, account)| {
        arn.contains("::*:") || arn.contains(&format!("::{account}:"))
    });
    let is_in_partition = is_in_partition(pattern.as_ref(), region.as_ref());
    violated(&[
        (
            !is_identity || region.is_some() || has_class,
            REGION,
            messages::REGION_AT_IDENTITY,
        ),
        (
            region.is_some()
                || has_class
                || !spec.target.keys.values().any(|value| value.needs_region()),
            REGION,
            messages::REGION_OF_KEYS,
        ),
        (!matches!(region, Some(Err(_))), REGION, messages::REGION),
        (
            account.is_none_or(is_account_id),
            "spec.validation.accountId",
            messages::ACCOUNT_ID,
        ),
        (
            arn.is_none_or(|arn| arn.chars().count() <= LONGEST_ARN),
            ARN,
            "must have at most 640 characters",
        ),
        (!matches!(pattern, Some(Err(_))), ARN, messages::ARN),
        (is_identity || arn.is_none(), ARN, messages::ARN_AT_IDENTITY),
        (names_account, ARN, messages::ARN_ACCOUNT),
        (is_in_partition, ARN, messages::ARN_PARTITION),
        (
            resource::interval(&validation.interval).is_ok(),
            "spec.validation.interval",
            messages::INTERVAL,
        ),
    ])
}

fn is_in_partition(
    arn: Option<&Result<ArnPattern, String>>,
    region: Option<&Result<Region, String>>,
) -> bool {
    match (arn, region) {
        (Some(Ok(arn)), Some(Ok(region))) => arn.partition() == region.partition().name(),
        _ => true,
    }
}

fn of_target(target: &Target) -> Option<Rule> {
    const LAYOUTS: &str = "spec.target.layouts";
    const KEYS: &str = "spec.target.keys";
    let (layouts, keys) = (&target.layouts, &target.keys);
    let holds = |half: TargetValue| keys.values().any(|value| *value == half);
    let is_whole = holds(TargetValue::AccessKeyId) && holds(TargetValue::SecretAccessKey)
        || keys.values().any(|value| value.holds_pair());
    let mut written = layouts.iter().flat_map(|layout| layout.keys(true));
    violated(&[
        (are_different(layouts), LAYOUTS, messages::DIFFERENT_LAYOUTS),
        (keys.len() <= MOST_KEYS, KEYS, "must have at most 16 keys"),
        (
            keys.keys().all(|key| is_short(key)),
            KEYS,
            messages::SHORT_KEYS,
        ),
        (
            keys.keys().all(|key| is_data_key(key)),
            KEYS,
            messages::DATA_KEYS,
        ),
        (
            !keys.keys().any(|key| is_key_material(key)),
            KEYS,
            messages::NO_KEY_MATERIAL_IN_KEYS,
        ),
        (
            !layouts.is_empty() || is_whole,
            LAYOUTS,
            messages::WHOLE_PAIR,
        ),
        (
            !written.any(|key| keys.contains_key(key)),
            KEYS,
            messages::KEYS_BESIDE_LAYOUTS,
        ),
    ])
}

fn of_restart(restart: &Restart) -> Option<Rule> {
    const WORKLOADS: &str = "spec.rotation.restart.workloads";
    let named = restart.workloads.as_deref();
    let workloads = named.unwrap_or_default();
    violated(&[
        (
            (restart.scope == RestartScope::Workloads) == named.is_some(),
            WORKLOADS,
            messages::WORKLOADS_OF_SCOPE,
        ),
        (
            named.is_none() || (1..=MOST_WORKLOADS).contains(&workloads.len()),
            WORKLOADS,
            "must have 1 to 64 items",
        ),
        (
            are_different(workloads),
            WORKLOADS,
            "must name each workload once",
        ),
        (
            workloads
                .iter()
                .all(|workload| is_subdomain(&workload.name)),
            WORKLOADS,
            messages::WORKLOAD_NAMES,
        ),
        (
            (1..=50).contains(&restart.max_concurrent),
            "spec.rotation.restart.maxConcurrent",
            messages::MAX_CONCURRENT,
        ),
    ])
}

fn are_different<T: PartialEq>(items: &[T]) -> bool {
    let mut numbered = items.iter().enumerate();
    numbered.all(|(at, item)| !items.iter().take(at).any(|other| other == item))
}

/// An identifier with one of IAM's prefixes, wherever it stands, or what can only be a secret.
fn is_key_material(name: &str) -> bool {
    let is_id = |part: &[u8]| {
        let of_id = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        let has_prefix = part.strip_prefix(b"A").is_some_and(|rest| {
            let mut prefixes = ID_PREFIXES.iter();
            prefixes.any(|prefix| rest.starts_with(prefix.as_bytes()))
        });
        has_prefix && part.iter().all(of_id)
    };
    name.as_bytes().windows(16).any(is_id) || is_secret(name)
}
