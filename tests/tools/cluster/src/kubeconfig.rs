//! Kubeconfig files, which name their certificates by path.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::certs::Identity;

/// How the user of a kubeconfig authenticates.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// By a client certificate.
    Certificate(&'a Identity),
    /// By a bearer token.
    Token(&'a str),
    /// By the bearer token in a file, whose content may change.
    TokenFile(&'a Path),
}

/// Writes a kubeconfig for `server`, whose certificate is checked against `authority`.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, server: &str, authority: Option<&Path>, proof: Proof) -> Result<PathBuf> {
    let user = match proof {
        Proof::Certificate(identity) => json!({
            "client-certificate": identity.certificate,
            "client-key": identity.key,
        }),
        Proof::TokenFile(path) => json!({ "tokenFile": path }),
        Proof::Token(token) => json!({ "token": token }),
    };
    let mut cluster = json!({ "server": server });
    if let (Some(authority), Some(cluster)) = (authority, cluster.as_object_mut()) {
        cluster.insert("certificate-authority".to_owned(), json!(authority));
    }
    let kubeconfig: Value = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "cluster", "cluster": cluster }],
        "users": [{ "name": "user", "user": user }],
        "contexts": [{ "name": "cluster", "context": { "cluster": "cluster", "user": "user" } }],
        "current-context": "cluster",
    });
    // JSON is YAML, and needs no second serializer.
    std::fs::write(path, serde_json::to_vec_pretty(&kubeconfig)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path.to_owned())
}
