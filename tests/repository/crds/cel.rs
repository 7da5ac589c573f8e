//! Each CEL rule of the definition has an example that it accepts and one that it rejects.

use crate::schema::{cases::cases, changed, definition, valid};
use anyhow::{Context, Result};
use kube::core::cel::{CompiledSchema, Validator, compile_schema};
use serde_json::{Value, json};
use static_aws_credentials::{
    api::StaticAwsCredentials,
    domain::{region::Partition, resource::ValidatedCredentials},
};

/// The rules, compiled once for all examples.
struct Rules {
    compiled: CompiledSchema,
    validator: Validator,
}

impl Rules {
    fn new() -> Result<Self> {
        Ok(Self {
            compiled: compile_schema(&definition::schema()?),
            validator: Validator::new(),
        })
    }

    /// The fields and messages of the rules that an object violates.
    fn offences(&self, object: &Value) -> Vec<(String, String)> {
        let outcome = self
            .validator
            .validate_compiled(&self.compiled, object, None);
        let errors = outcome.err().into_iter().flatten();
        errors
            // For a rule at the root, this evaluator starts the path with a dot, unlike the API server.
            .map(|error| {
                (
                    error.field_path.trim_start_matches('.').to_owned(),
                    error.message,
                )
            })
            .collect()
    }
}

#[test]
fn the_base_of_all_examples_offends_nothing() -> Result<()> {
    assert_eq!(Rules::new()?.offences(&valid()), []);
    Ok(())
}

#[test]
fn every_accepted_example_offends_nothing() -> Result<()> {
    let rules = Rules::new()?;
    for case in cases() {
        for patch in &case.accepted {
            assert_eq!(
                rules.offences(&changed(patch)),
                [],
                "{}: {patch}",
                case.message
            );
        }
    }
    Ok(())
}

#[test]
fn a2_a3_a10_every_refused_example_offends_its_rule_alone() -> Result<()> {
    let rules = Rules::new()?;
    for case in cases() {
        for patch in &case.refused {
            let offences = rules.offences(&changed(patch));
            let [(field, message)] = offences.as_slice() else {
                anyhow::bail!("{}: {patch} offends {offences:?}", case.message);
            };
            assert!(message.starts_with(case.message), "{patch}: {message}");
            assert_eq!(field, case.field(), "{patch}: {message}");
        }
    }
    Ok(())
}

#[test]
fn every_rule_has_a_row_and_every_row_a_rule() -> Result<()> {
    let (messages, cases) = (definition::messages()?, cases());
    for message in &messages {
        let rows = cases
            .iter()
            .filter(|case| message.starts_with(case.message));
        assert_eq!(rows.count(), 1, "rows for: {message}");
    }
    for case in &cases {
        let rules = messages
            .iter()
            .filter(|message| message.starts_with(case.message));
        assert_eq!(rules.count(), 1, "rules for: {}", case.message);
        assert!(
            !case.accepted.is_empty() && !case.refused.is_empty(),
            "{}",
            case.message
        );
    }
    Ok(())
}

#[test]
fn every_message_begins_with_a_field_and_says_what_it_must_be() -> Result<()> {
    let nodes = definition::nodes()?;
    for message in definition::messages()? {
        let (field, demand) = message.split_once(' ').context("one word")?;
        assert!(
            nodes.iter().any(|node| node.path == field),
            "no such field: {message}"
        );
        assert!(demand.starts_with("must "), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }
    Ok(())
}

#[test]
fn the_operator_can_use_what_the_rules_accept() -> Result<()> {
    for case in cases() {
        for patch in &case.accepted {
            let object: StaticAwsCredentials = serde_json::from_value(changed(patch))?;
            let resource = ValidatedCredentials::parse(&object);
            assert!(resource.is_ok(), "{}: {patch}: {resource:?}", case.message);
        }
    }
    Ok(())
}

/// An object may be older than a rule, so values that become part of a host name are checked again.
#[test]
fn the_operator_too_refuses_what_it_parses_again() -> Result<()> {
    let mut fields = Vec::new();
    for case in cases().into_iter().filter(|case| case.parsed_again) {
        for patch in &case.refused {
            let object: StaticAwsCredentials = serde_json::from_value(changed(patch))?;
            assert!(ValidatedCredentials::parse(&object).is_err(), "{patch}");
        }
        fields.push(case.field());
    }
    for field in [
        "spec.region",
        "spec.validation.arn",
        "spec.validation.interval",
    ] {
        assert!(fields.contains(&field), "{field} is not among {fields:?}");
    }
    Ok(())
}

/// `check` reads manifests that no schema has validated.
#[test]
fn an_interval_that_no_duration_holds_is_refused_and_never_a_panic() -> Result<()> {
    for digits in [5, 19, 60, 400] {
        let interval = format!("{}h", "9".repeat(digits));
        let patch = json!({"spec": {"validation": {"interval": interval}}});
        let object: StaticAwsCredentials = serde_json::from_value(changed(&patch))?;
        assert!(ValidatedCredentials::parse(&object).is_err(), "{interval}");
    }
    Ok(())
}

#[test]
fn the_rules_know_the_partitions_of_the_operator() -> Result<()> {
    let rules = Rules::new()?;
    for partition in Partition::ALL {
        for other in Partition::ALL {
            let arn = format!("arn:{}:iam::*:root", other.name());
            let region = partition.default_region();
            let object = changed(&json!({"spec": {"region": region, "validation": {"arn": arn}}}));
            let accepted = rules.offences(&object).is_empty();
            assert_eq!(accepted, partition == other, "{region} {arn}");
        }
    }
    Ok(())
}
