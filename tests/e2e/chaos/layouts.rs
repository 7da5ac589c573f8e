//! The pairs in a Secret, in any layout.

use k8s_openapi::api::core::v1::Secret;

/// The two keys of each layout.
const NAMES: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    (
        "mx-const-AWSAuthentication.AccessKey",
        "mx-const-AWSAuthentication.SecretAccessKey",
    ),
    ("accesskey", "secretkey"),
];

/// Every pair, once per occurrence.
pub fn pairs_in(secret: &Secret) -> Vec<(String, String)> {
    let text = |key: &str| {
        let value = secret.data.as_ref()?.get(key)?;
        Some(String::from_utf8_lossy(&value.0).into_owned())
    };
    let mut pairs: Vec<_> = NAMES
        .iter()
        .filter_map(|(id, key)| Some((text(id)?, text(key)?)))
        .collect();
    pairs.extend(text("credentials").map(|file| {
        let value = |name: &str| {
            let start = format!("{name} = ");
            let mut lines = file.lines();
            let line = lines.find_map(|line| line.strip_prefix(start.as_str()));
            line.unwrap_or_default().to_owned()
        };
        (value("aws_access_key_id"), value("aws_secret_access_key"))
    }));
    pairs
}
