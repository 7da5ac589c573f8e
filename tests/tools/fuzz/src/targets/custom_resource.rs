//! A resource as JSON or YAML, whole or its spec alone.

use std::{sync::LazyLock, time::Duration};

use kube::core::cel::{CompiledSchema, Validator, compile_schema};
use regex::Regex;
use serde_json::{Value, json};
use static_aws_credentials::{
    api::{API_VERSION, KIND, Reason, StaticAwsCredentials, ValidationLevel, crd},
    domain::resource::{ValidatedCredentials, key_of, references, target_name},
};

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let definition = serde_json::to_value(crd()).unwrap_or_default();
    let schema = definition.pointer("/spec/versions/0/schema/openAPIV3Schema");
    schema
        .cloned()
        .unwrap_or_else(|| panic!("there is a schema"))
});
static REGION: LazyLock<Regex> = LazyLock::new(|| pattern("^[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}$"));
static INTERVAL: LazyLock<Regex> =
    LazyLock::new(|| pattern("^([0-9]{1,4}h)?([0-9]{1,5}m)?([0-9]{1,6}s)?$"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap_or_else(|error| panic!("{error}"))
}

thread_local! {
    static RULES: (CompiledSchema, Validator) = (compile_schema(&SCHEMA), Validator::new());
}

pub fn custom_resource(input: &[u8]) {
    let Some(object) = decoded(input) else {
        return;
    };
    let again: StaticAwsCredentials = serde_json::to_value(&object)
        .and_then(serde_json::from_value)
        .unwrap_or_else(|error| panic!("what was written is read again: {error}"));
    assert_eq!(again.spec, object.spec);
    let parsed = ValidatedCredentials::parse(&object);
    assert_eq!(
        &*key_of(&object).name,
        object.metadata.name.as_deref().unwrap_or_default()
    );
    assert_eq!(
        &*references(&object, object.status.as_ref()).target,
        target_name(&object)
    );
    match parsed {
        Ok(resource) => keeps_the_bounds(&resource, &object),
        Err(finding) => {
            assert_eq!(finding.reason, Reason::SpecInvalid);
            assert!(finding.message.starts_with("spec."), "{}", finding.message);
            assert!(!schema_takes(&object), "{}", finding.message);
        }
    }
}

fn decoded(input: &[u8]) -> Option<StaticAwsCredentials> {
    let text = std::str::from_utf8(input).ok()?;
    let value: Value = serde_json::from_str(text)
        .ok()
        .or_else(|| serde_saphyr::from_str(text).ok())?;
    let whole = if value.get("spec").is_some() {
        value
    } else {
        json!({"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "orders"}, "spec": value})
    };
    serde_json::from_value(whole).ok()
}

fn keeps_the_bounds(resource: &ValidatedCredentials, object: &StaticAwsCredentials) {
    if let Some(region) = &resource.region {
        assert!(region.as_str().len() <= 32 && REGION.is_match(region.as_str()));
    }
    assert!(INTERVAL.is_match(&object.spec.validation.interval));
    let checks = &resource.checks;
    assert!(checks.level == ValidationLevel::Format || resource.region.is_some());
    let (shortest, longest) = (Duration::from_mins(5), Duration::from_hours(168));
    assert!(checks.interval >= shortest && checks.interval < longest + Duration::from_secs(1));
    assert_eq!(checks.arn.is_some(), object.spec.validation.arn.is_some());
    assert_eq!(checks.account, object.spec.validation.account_id);
    assert_eq!(resource.target, target_name(object));
    assert_eq!(resource.layouts, object.spec.target.layouts);
    assert_eq!(resource.keys, object.spec.target.keys);
}

/// Whether the schema accepts the resource as the API server stores it, with defaults.
fn schema_takes(object: &StaticAwsCredentials) -> bool {
    let Ok(stored) = serde_json::to_value(object) else {
        return false;
    };
    within(&stored["spec"], &SCHEMA["properties"]["spec"])
        && RULES.with(|(compiled, validator)| {
            validator.validate_compiled(compiled, &stored, None).is_ok()
        })
}

/// Whether all sizes are within the schema's bounds.
fn within(value: &Value, schema: &Value) -> bool {
    let at_most = |keyword: &str, size: usize| {
        let bound = schema[keyword].as_u64();
        bound.is_none_or(|bound| size as u64 <= bound)
    };
    match value {
        Value::String(text) => at_most("maxLength", text.chars().count()),
        Value::Array(items) => {
            at_most("maxItems", items.len())
                && items.iter().all(|item| within(item, &schema["items"]))
        }
        Value::Object(fields) => {
            at_most("maxProperties", fields.len())
                && fields.iter().all(|(name, field)| {
                    let properties = &schema["properties"];
                    let below = properties.get(name);
                    below.is_none_or(|below| within(field, below))
                })
        }
        _ => true,
    }
}
