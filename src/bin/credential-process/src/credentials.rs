//! The file as the operator writes it, and what SDKs read of it.

use serde_json::{Map, Value};

/// The output for an SDK, without the expiration.
#[derive(Debug)]
pub struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

impl Credentials {
    /// Reads the file. What is wrong is said without anything that the file holds: it may be a key.
    pub fn parse(json: &[u8]) -> Result<Self, &'static str> {
        let parsed: Result<Map<String, Value>, _> = serde_json::from_slice(json);
        let mut fields = parsed.map_err(|_| "it holds no complete JSON object")?;
        if fields.get("Version").and_then(Value::as_u64) != Some(1) {
            return Err("Version must be the number 1");
        }
        let mut text = |name: &str| match fields.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        Ok(Self {
            access_key_id: text("AccessKeyId").ok_or("AccessKeyId must be a non-empty string")?,
            secret_access_key: text("SecretAccessKey")
                .ok_or("SecretAccessKey must be a non-empty string")?,
            session_token: text("SessionToken"),
        })
    }

    /// The object that SDKs read. Some of them send a session token that is empty, so there is none.
    pub fn with_expiration(self, expiration: String) -> Vec<u8> {
        let mut fields = Map::new();
        fields.insert("Version".to_owned(), 1.into());
        fields.insert("AccessKeyId".to_owned(), self.access_key_id.into());
        fields.insert("SecretAccessKey".to_owned(), self.secret_access_key.into());
        if let Some(token) = self.session_token {
            fields.insert("SessionToken".to_owned(), token.into());
        }
        fields.insert("Expiration".to_owned(), expiration.into());
        Value::Object(fields).to_string().into_bytes()
    }
}
