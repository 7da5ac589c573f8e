//! Takes the place of the crate `jsonpath-rust`, which takes 1.1 MB of the operator with its regular expressions. Of that
//! crate, kube's client calls one function: for the output of the `auth-provider` named `gcp` of a kubeconfig, which `kubectl`
//! itself has not had since version 1.26. Such a kubeconfig has a path of names, as `{.credential.access_token}`.

use std::fmt;

use serde_json::Value;

/// Finds values by a path.
pub trait JsonPath {
    /// The values at a path.
    ///
    /// # Errors
    /// The path has more than names.
    fn query(&self, path: &str) -> Result<Vec<&Value>, Unsupported>;
}

/// A path with more than names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsupported;

impl JsonPath for Value {
    fn query(&self, path: &str) -> Result<Vec<&Value>, Unsupported> {
        let names = path.strip_prefix("$.").ok_or(Unsupported)?;
        let is_name = |name: &str| {
            let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
            !name.is_empty() && name.bytes().all(is_sign)
        };
        if !names.split('.').all(is_name) {
            return Err(Unsupported);
        }
        let found = names
            .split('.')
            .try_fold(self, |value, name| value.get(name));
        Ok(found.into_iter().collect())
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "only names with dots between them are supported, such as {.credential.access_token}",
        )
    }
}

impl std::error::Error for Unsupported {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_of_names_finds_a_value() {
        let output = json!({ "credential": { "access_token": "t" } });
        assert_eq!(
            output.query("$.credential.access_token"),
            Ok(vec![&json!("t")])
        );
        assert_eq!(output.query("$.credential.expiry"), Ok(Vec::new()));
    }

    #[test]
    fn a_path_with_more_than_names_is_an_error() {
        for path in ["$", "$.", "$..a", "$.a[0]", "$.a[?(@.b)]", "a"] {
            assert_eq!(Value::Null.query(path), Err(Unsupported), "{path}");
        }
    }
}
