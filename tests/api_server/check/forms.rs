//! Forms in which a Secret and its resource are written: by hand, from templates, exports, other editors. The keys are
//! fictional.

mod resources;
mod secrets;

use crate::check::{rule_forms::rules, test_cluster::PAIR};

/// A text that a user applies.
pub struct Form {
    pub name: String,
    pub text: Vec<u8>,
    /// Whether `check` may ask which of several objects to check.
    pub ambiguous: bool,
}

/// Texts, each with its peculiarity.
pub type Texts = Vec<(&'static str, Vec<u8>)>;

const HEAD: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: pair}\n";
const RESOURCE: &str = "apiVersion: awscredentials.dev/v1alpha1\nkind: StaticAwsCredentials\nmetadata: {name: orders}\n";

/// Every form.
pub fn all() -> Vec<Form> {
    let mut forms = Vec::new();
    let lists: [(&str, Texts); 7] = [
        ("encoding", encodings()),
        ("stream", streams()),
        ("list", lists()),
        ("value", secrets::values()),
        ("secret", secrets::secrets()),
        ("resource", resources::resources()),
        ("rule", rules()),
    ];
    for (kind, list) in lists {
        forms.extend(list.into_iter().map(|(name, text)| Form {
            name: format!("{kind}: {name}"),
            text,
            ambiguous: false,
        }));
    }
    forms.extend(several().into_iter().map(|(name, text)| Form {
        name: format!("several: {name}"),
        text: text.into_bytes(),
        ambiguous: true,
    }));
    forms
}

/// A Secret with the pair under `stringData`.
pub fn plain() -> String {
    let (id, secret) = PAIR;
    format!("{HEAD}stringData:\n  AWS_ACCESS_KEY_ID: {id}\n  AWS_SECRET_ACCESS_KEY: {secret}\n")
}

fn json() -> String {
    let (id, secret) = PAIR;
    serde_json::json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "pair" },
        "stringData": { "AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret },
    })
    .to_string()
}

fn resource(spec: &str) -> String {
    format!("{RESOURCE}spec: {{secretRef: {{name: pair}}, region: eu-west-1{spec}}}\n")
}

fn bytes(list: Vec<(&'static str, String)>) -> Texts {
    let list = list.into_iter();
    list.map(|(name, text)| (name, text.into_bytes())).collect()
}

fn encodings() -> Texts {
    let wide = |unit: fn(u16) -> [u8; 2], mark: [u8; 2]| -> Vec<u8> {
        let units = plain();
        let units = units.encode_utf16().flat_map(unit);
        mark.into_iter().chain(units).collect()
    };
    let latin: Vec<u8> = format!("# caf\u{e9}\n{}", plain())
        .chars()
        .map(|sign| sign as u8)
        .collect();
    vec![
        ("UTF-8", plain().into_bytes()),
        (
            "a byte order mark",
            format!("\u{FEFF}{}", plain()).into_bytes(),
        ),
        (
            "a byte order mark before JSON",
            format!("\u{FEFF}{}", json()).into_bytes(),
        ),
        ("CRLF", plain().replace('\n', "\r\n").into_bytes()),
        (
            "UTF-16, little end first",
            wide(u16::to_le_bytes, [0xFF, 0xFE]),
        ),
        (
            "UTF-16, big end first",
            wide(u16::to_be_bytes, [0xFE, 0xFF]),
        ),
        ("Latin 1", latin),
        ("nothing", Vec::new()),
        (
            "a tab as indentation",
            plain().replace("  AWS", "\tAWS").into_bytes(),
        ),
        (
            "no line break at the end",
            plain().trim_end().as_bytes().to_vec(),
        ),
        (
            "a null byte at the end",
            format!("{}\0", plain()).into_bytes(),
        ),
    ]
}

fn streams() -> Texts {
    let (plain, json) = (plain(), json());
    let other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n";
    let many = format!("{other}---\n").repeat(30);
    bytes(vec![
        ("separators around", format!("---\n---\n{plain}---\n")),
        (
            "a comment behind the separator",
            format!("{other}--- # next\n{plain}"),
        ),
        (
            "blanks behind the separator",
            format!("{other}---   \n{plain}"),
        ),
        ("an end mark", format!("{plain}...\n")),
        ("a directive", format!("%YAML 1.2\n---\n{plain}")),
        (
            "comments alone in a document",
            format!("# first\n---\n# second\n---\n{plain}"),
        ),
        ("many others", format!("{many}{plain}")),
        ("JSON", json.clone()),
        ("JSON over lines", json.replace(',', ",\n")),
        (
            "JSON without anything between",
            format!("{json}{}", resource_json()),
        ),
        (
            "JSON line by line",
            format!("{json}\n{}\n", resource_json()),
        ),
        (
            "JSON between separators",
            format!("{json}\n---\n{}\n", resource_json()),
        ),
        ("JSON and then YAML", format!("{json}\n---\n{other}")),
        ("YAML and then JSON", format!("{other}---\n{json}")),
        (
            "YAML in braces",
            "{apiVersion: v1, kind: Secret, metadata: {name: pair}, stringData: {a: b}}".to_owned(),
        ),
        ("with its resource", format!("{plain}---\n{}", resource(""))),
        (
            "its resource first",
            format!("{}---\n{plain}", resource("")),
        ),
        ("twice the same", format!("{plain}---\n{plain}")),
        ("a text", "hello\n".to_owned()),
        ("no kind", format!("metadata: {{name: x}}\n---\n{plain}")),
        ("an empty document behind", format!("{plain}---\n\n")),
    ])
}

fn resource_json() -> String {
    serde_json::json!({
        "apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentials",
        "metadata": { "name": "orders" },
        "spec": { "secretRef": { "name": "pair" }, "region": "eu-west-1" },
    })
    .to_string()
}

fn lists() -> Texts {
    let json = json();
    let list = |kind: &str, items: &str| {
        format!(r#"{{"apiVersion": "v1", "kind": "{kind}", "items": {items}}}"#)
    };
    let bare = json
        .replace(r#""apiVersion":"v1","#, "")
        .replace(r#""kind":"Secret","#, "");
    bytes(vec![
        ("a list", list("List", &format!("[{json}]"))),
        (
            "a list with metadata",
            list("List", &format!("[{json}]")).replacen(
                '{',
                r#"{"metadata": {"resourceVersion": ""}, "#,
                1,
            ),
        ),
        ("a SecretList", list("SecretList", &format!("[{json}]"))),
        (
            "a SecretList of bare items",
            list("SecretList", &format!("[{bare}]")),
        ),
        (
            "a list in a list",
            list("List", &format!("[{}]", list("List", &format!("[{json}]")))),
        ),
        (
            "a list and a Secret",
            format!("{}\n---\n{json}", list("List", "[]")),
        ),
        (
            "a list with its resource",
            list("List", &format!("[{json}, {}]", resource_json())),
        ),
        (
            "a list of resources",
            format!(
                r#"{{"apiVersion": "awscredentials.dev/v1alpha1", "kind": "StaticAwsCredentialsList", "items": [{}]}}{json}"#,
                resource_json()
            ),
        ),
    ])
}

/// Texts for which `check` may ask which object to check.
fn several() -> Vec<(&'static str, String)> {
    let plain = plain();
    let other = plain.replace("name: pair", "name: other");
    vec![
        ("two Secrets", format!("{plain}---\n{other}")),
        (
            "two resources",
            format!(
                "{plain}---\n{}---\n{}",
                resource(""),
                resource("").replace("orders", "billing")
            ),
        ),
        (
            "no Secret",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n".to_owned(),
        ),
        ("a resource without its Secret", resource("")),
    ]
}
