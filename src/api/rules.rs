//! The CEL rules that are too long for an attribute, or that several fields share.
//!
//! Each message begins with the full path of the field: `fieldPath` says it only to those who read
//! the causes of a refusal, and many tools print the message alone.

use kube::core::{Message, Reason, Rule};
use strum::VariantArray;

use super::{Layout, messages};

/// Partitions by the prefix of their regions; `aws` has all others.
const PARTITIONS: [(&str, &str); 7] = [
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
    ("eusc-", "aws-eusc"),
];

/// The prefixes of IAM's identifiers, each without the A at its beginning.
pub const ID_PREFIXES: [&str; 12] = [
    "BIA", "CCA", "GPA", "IDA", "IPA", "KIA", "NPA", "NVA", "PKA", "ROA", "SCA", "SIA",
];

const SUBDOMAIN: &str = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// A name that the API server takes for a Secret.
pub fn subdomain(field: &str) -> Rule {
    named(field, messages::SECRET_NAME)
}

fn named(field: &str, demand: &str) -> Rule {
    rule(format!("self.matches('{SUBDOMAIN}')"), field, demand)
}

/// Workloads by names that the API server takes.
pub fn workloads(field: &str) -> Rule {
    rule(
        format!("self.all(w, w.name.matches('{SUBDOMAIN}'))"),
        field,
        messages::WORKLOAD_NAMES,
    )
}

/// A key that the API server takes into the data of a Secret.
pub fn data_key(field: &str) -> Rule {
    rule(is_data_key("self"), field, messages::DATA_KEY)
}

/// A profile that every SDK finds by this name.
pub fn profile(field: &str) -> Rule {
    rule(
        "self.matches('^[A-Za-z0-9._/%@:+-]+$')",
        field,
        messages::PROFILE,
    )
}

/// The keys of a map are bounded by a rule: a structural schema has no length for them.
pub fn short_keys(field: &str) -> Rule {
    rule(
        format!("self.all(k, {})", is_short("k")),
        field,
        messages::SHORT_KEYS,
    )
}

/// As [`data_key`], for the keys of a map.
pub fn data_keys(field: &str) -> Rule {
    rule(
        format!("self.all(k, !({}) || {})", is_short("k"), is_data_key("k")),
        field,
        messages::DATA_KEYS,
    )
}

/// Key material that was pasted beside its Secret would lie open in the resource.
pub fn no_key_material(field: &str) -> Rule {
    forbidden(
        format!("!({})", is_key_material("self")),
        field,
        messages::NO_KEY_MATERIAL,
    )
}

/// As [`no_key_material`], for the keys of a map.
pub fn no_key_material_in_keys(field: &str) -> Rule {
    forbidden(
        format!(
            "!self.exists(k, {} && ({}))",
            is_short("k"),
            is_key_material("k")
        ),
        field,
        messages::NO_KEY_MATERIAL_IN_KEYS,
    )
}

/// The pin must be able to hold for some pair that the region accepts.
pub fn arn_in_partition_of_region() -> Rule {
    let partition =
        PARTITIONS
            .iter()
            .rev()
            .fold("'aws'".to_owned(), |others, (prefix, partition)| {
                format!("self.region.startsWith('{prefix}') ? '{partition}' : {others}")
            });
    rule(
        format!(
            "!has(self.region) || !has(self.validation.arn) || \
             !self.validation.arn.startsWith('arn:') || self.validation.arn.startsWith('arn:' + ({partition}) + ':')"
        ),
        "spec.validation.arn",
        messages::ARN_PARTITION,
    )
    .field_path(".validation.arn")
}

/// `duration()` fails on what the pattern refuses, and takes units and signs that are not for people.
pub fn interval() -> Rule {
    rule(
        "self != '' && self.matches('^([0-9]{1,4}h)?([0-9]{1,5}m)?([0-9]{1,6}s)?$') && \
         duration(self) >= duration('5m') && duration(self) <= duration('168h')",
        "spec.validation.interval",
        messages::INTERVAL,
    )
}

/// Two writers of one key would make the order of the fields matter.
pub fn keys_beside_layouts() -> Rule {
    let row = |layout: &Layout| {
        let keys: Vec<_> = layout.keys(true).collect();
        format!("'{}': ['{}']", layout.as_str(), keys.join("', '"))
    };
    let table = Layout::VARIANTS.iter().map(row).collect::<Vec<_>>();
    let table = table.join(", ");
    forbidden(
        format!(
            "!has(self.keys) || \
             !self.layouts.exists(l, {{{table}}}[l].exists(k, k in self.keys))"
        ),
        "spec.target.keys",
        messages::KEYS_BESIDE_LAYOUTS,
    )
    .field_path(".keys")
}

/// Keys that hold a region need one.
pub fn region_of_keys() -> Rule {
    rule(
        "has(self.region) || has(self.classRef) || !has(self.target.keys) || \
         !self.target.keys.exists(k, self.target.keys[k] in ['Region', 'ConfigFile'])",
        "spec.region",
        messages::REGION_OF_KEYS,
    )
    .field_path(".region")
    .reason(Reason::FieldValueRequired)
}

/// The class describes the store; what only AWS has is absent beside it.
pub fn nothing_beside_class(field: &str, path: &str) -> Rule {
    rule(
        format!("!has(self.classRef) || !has({path})"),
        &format!("spec.{field}"),
        messages::ABSENT_BESIDE_CLASS,
    )
    .field_path(format!(".{field}"))
    .reason(Reason::FieldValueForbidden)
}

/// A name that the API server accepts for a class.
pub fn class_name(field: &str) -> Rule {
    named(field, messages::CLASS_NAME)
}

/// Every target carries the whole pair.
pub fn whole_pair() -> Rule {
    rule(
        "self.layouts.size() > 0 || (has(self.keys) && \
         (self.keys.exists(k, self.keys[k] in ['CredentialsFile', 'ProcessJson']) || \
         (self.keys.exists(k, self.keys[k] == 'AccessKeyId') && \
         self.keys.exists(k, self.keys[k] == 'SecretAccessKey'))))",
        "spec.target.layouts",
        messages::WHOLE_PAIR,
    )
    .field_path(".layouts")
    .reason(Reason::FieldValueRequired)
}

/// What the API server takes for a key of a Secret.
pub const LONGEST_KEY: usize = 253;

/// Long keys are refused for their length alone: each pattern would cost what the length is.
fn is_short(name: &str) -> String {
    format!("{name}.size() <= {LONGEST_KEY}")
}

fn is_data_key(name: &str) -> String {
    format!("{name}.matches('^[-._a-zA-Z0-9]+$') && {name} != '.' && !{name}.startsWith('..')")
}

/// An identifier with one of IAM's prefixes, wherever it stands, or what can only be a secret.
fn is_key_material(name: &str) -> String {
    let prefixes = ID_PREFIXES.join("|");
    format!(
        "{name}.matches('^.*A({prefixes})[A-Z0-9]{{12}}.*$') \
         || {name}.matches('^[A-Za-z0-9/+]{{40}}$')"
    )
}

/// A message of a rule.
pub fn message(field: &str, demand: &str) -> Message {
    Message::Message(format!("{field} {demand}"))
}

fn rule(expression: impl Into<String>, field: &str, demand: &str) -> Rule {
    Rule::new(expression).message(message(field, demand))
}

fn forbidden(expression: String, field: &str, demand: &str) -> Rule {
    rule(expression, field, demand).reason(Reason::FieldValueForbidden)
}
