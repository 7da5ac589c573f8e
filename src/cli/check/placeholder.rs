//! Placeholders in the place of a value: ciphertext, the marks of templates, and a value that was not encoded where
//! base64 is read. Pure; no message repeats a value.

use base64::{Engine, engine::general_purpose::STANDARD};

/// The beginnings of encrypted texts, and the tools that write them.
const ENCRYPTED: [(&str, &str); 6] = [
    ("ENC[", "SOPS"),
    ("$ANSIBLE_VAULT;", "ansible-vault"),
    ("\0GITCRYPT\0", "git-crypt"),
    ("age-encryption.org/", "age"),
    ("-----BEGIN AGE ENCRYPTED FILE-----", "age"),
    ("-----BEGIN PGP MESSAGE-----", "PGP"),
];
/// The beginnings and ends of placeholders in templates.
const TEMPLATES: [(&str, &str); 7] = [
    ("${", "}"),
    ("$${", "}"),
    ("$(", ")"),
    ("{{", "}}"),
    ("<path:", ">"),
    ("<no value", ">"),
    ("ref+", ""),
];
/// No key has 6 equal letters in a row.
const EXAMPLES: [&str; 3] = ["XXXXXX", "xxxxxx", "******"];
const WORDS: [&str; 4] = ["changeme", "replace_me", "replaceme", "todo"];

/// What a value is instead of a key, and what to do; `None` if it may be a key.
pub fn of(value: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(value);
    let text = text.trim();
    if let Some((_, by)) = ENCRYPTED.iter().find(|(begin, _)| text.starts_with(begin)) {
        return Some(format!("is encrypted with {by}; decrypt it first"));
    }
    let mut templates = TEMPLATES.iter();
    let is_template = templates.any(|(begin, end)| text.starts_with(begin) && text.ends_with(end));
    if is_template || is_variable(text) || WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
    {
        return Some("looks like a template; render it first".to_owned());
    }
    if EXAMPLES.iter().any(|example| text.contains(example)) {
        return Some("is an example; store a key pair of your own".to_owned());
    }
    let encoded = STANDARD.encode(value);
    if is_value(&encoded) && !value.iter().all(u8::is_ascii_graphic) {
        let problem = "stands under data as AWS shows it, where base64 is read; put it under stringData as it is";
        return Some(problem.to_owned());
    }
    None
}

/// Whether a text is a shell variable that was not expanded.
fn is_variable(text: &str) -> bool {
    let sign = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let name = text.strip_prefix('$').unwrap_or_default();
    name.len() > 1 && name.bytes().all(sign)
}

/// Whether a text is an access key ID or a secret access key as AWS shows it.
pub fn is_value(text: &str) -> bool {
    let id = |prefix: &str| {
        text.strip_prefix(prefix)
            .is_some_and(|rest| rest.len() == 16)
    };
    id("AKIA") || id("ASIA") || is_secret(text)
}

/// Whether a text has the form of a secret access key.
pub fn is_secret(text: &str) -> bool {
    let of_secret = |byte: u8| byte.is_ascii_alphanumeric() || b"/+".contains(&byte);
    text.len() == 40 && text.bytes().all(of_secret)
}
