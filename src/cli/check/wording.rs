//! The operator's messages, reworded for a command line. Pure.
//!
//! The texts are replaced in whole messages, since what differs is not only the advice at the end: fields of the spec
//! stand in the middle of sentences. A choice of words in each check of the domain would be longer than these tables,
//! and would bring the flags of a command into the domain. The tests of `check` compare whole messages.

/// The operator's words, and those of `check`. A longer text comes before one that it contains.
const HERE: [(&str, &str); 6] = [
    ("; it is asked again", "; try again"),
    (
        " yet; a new key takes some seconds, and AWS is asked again for a minute",
        " yet; a new key takes some seconds: try again, with --wait 60s",
    ),
    (
        "the clock of the operator's node",
        "the clock of this machine",
    ),
    (
        "between the operator and STS",
        "between this machine and STS",
    ),
    ("; AWS is not asked at level Format", "; AWS was not asked"),
    (
        "at level Format; use level Identity",
        "without asking AWS; leave --offline out",
    ),
];

/// The fields of the spec, and the flags that replace them.
const FLAGS: [(&str, &str); 9] = [
    (
        "set spec.validation.rootUser to Allow",
        "use --root-user allow",
    ),
    ("spec.validation.accountId", "--account-id"),
    ("spec.validation.arn", "--arn"),
    ("spec.secretRef.accessKeyIdKey", "--access-key-id-key"),
    (
        "spec.secretRef.secretAccessKeyKey",
        "--secret-access-key-key",
    ),
    (
        "correct spec.secretRef",
        "name the right ones with --access-key-id-key and --secret-access-key-key",
    ),
    ("spec.secretRef: ", ""),
    ("spec.region", "--region"),
    (
        "remove the layout from spec.target.layouts or create another access key",
        "create another access key, or publish it in layouts that can",
    ),
];

/// A message of the operator in the words of `check`; without a resource, with flags in the place of the fields of
/// its spec. Names of objects are in quotes and stay as they are: a Secret may be called `spec.region`.
#[must_use]
pub fn in_flags(message: &str, of_resource: bool) -> String {
    let parts = message.split('"').enumerate().map(|(at, part)| {
        if at % 2 == 0 {
            reworded(part, of_resource)
        } else {
            part.to_owned()
        }
    });
    parts.collect::<Vec<_>>().join("\"")
}

fn reworded(text: &str, of_resource: bool) -> String {
    let flags = FLAGS.iter().filter(|_| !of_resource);
    HERE.iter()
        .chain(flags)
        .fold(text.to_owned(), |text, (operator, here)| {
            text.split(operator).collect::<Vec<_>>().join(here)
        })
}

#[cfg(test)]
mod tests {
    use super::in_flags;

    #[test]
    fn a_name_in_quotes_stays() {
        let message = r#"Secret "spec.region" is absent; set spec.region"#;
        let flags = r#"Secret "spec.region" is absent; set --region"#;
        assert_eq!(in_flags(message, false), flags);
        assert_eq!(in_flags(message, true), message);
    }
}
