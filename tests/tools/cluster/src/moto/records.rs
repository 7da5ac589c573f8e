//! The records that moto returns.

use std::fmt;

use serde::Deserialize;

/// An access key.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyPair {
    /// The access key ID.
    #[serde(rename = "AccessKeyId")]
    pub id: String,
    /// The secret access key.
    #[serde(rename = "SecretAccessKey")]
    pub secret: String,
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A user.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct User {
    /// The name.
    #[serde(rename = "UserName")]
    pub name: String,
    /// `AIDA…`.
    #[serde(rename = "UserId")]
    pub id: String,
    /// The ARN.
    pub arn: String,
}

/// A request that moto received.
#[derive(Clone, Debug, Deserialize)]
pub struct Entry {
    /// Seconds since 1970.
    pub at: f64,
    /// The access key ID that the request claims, empty if none.
    pub key_id: String,
    /// The service that the request was signed for; if it was not signed, a guess by its content type.
    pub service: String,
    /// The region that the request was signed for.
    pub region: String,
    /// `GetCallerIdentity`, `ListObjectsV2`, or the HTTP method.
    pub action: String,
    /// The path.
    pub path: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The code of an error.
    pub code: Option<String>,
    /// The client's `User-Agent`.
    pub user_agent: String,
}
