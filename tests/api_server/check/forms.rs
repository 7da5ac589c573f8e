//! Forms in which a Secret and its resource are written: by hand, from templates, exports, other editors. The keys are
//! fictional.

use base64::{Engine, engine::general_purpose::STANDARD};

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
        ("value", values()),
        ("secret", secrets()),
        ("resource", resources()),
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

fn values() -> Texts {
    let (id, secret) = PAIR;
    let (id64, secret64) = (STANDARD.encode(id), STANDARD.encode(secret));
    let data = |id: &str, secret: &str| {
        format!("{HEAD}data:\n  AWS_ACCESS_KEY_ID: {id}\n  AWS_SECRET_ACCESS_KEY: {secret}\n")
    };
    let string = |id: &str, secret: &str| data(id, secret).replace("data:", "stringData:");
    let (front, back) = secret64.split_at(20);
    let unpadded = secret64.trim_end_matches('=').to_owned();
    bytes(vec![
        ("encoded", data(&id64, &secret64)),
        (
            "encoded in two lines",
            data(&id64, &format!("|\n    {front}\n    {back}")),
        ),
        (
            "encoded and folded",
            data(&id64, &format!(">\n    {front}\n    {back}")),
        ),
        (
            "encoded with a blank",
            data(&id64, &format!("\"{front} {back}\"")),
        ),
        ("encoded without padding", data(&id64, &unpadded)),
        (
            "encoded for URLs",
            data(&id64, &secret64.replace('+', "-").replace('/', "_")),
        ),
        (
            "bits that are left in the last character",
            data(&id64, "QUJ="),
        ),
        (
            "encoded twice",
            data(&STANDARD.encode(&id64), &STANDARD.encode(&secret64)),
        ),
        ("as AWS shows it, under data", data(id, secret)),
        ("a text under data", data("'hello world'", &secret64)),
        ("null under data", data("null", &secret64)),
        ("a number", string("1234567890123456", secret)),
        ("a number in quotes", string("'1234567890123456'", secret)),
        ("yes", string("yes", secret)),
        ("true", string("true", secret)),
        ("no value", string("", secret)),
        ("a tag", string(&format!("!!str {id}"), secret)),
        ("a line break", string(&format!("|\n    {id}"), secret)),
        (
            "a block without one",
            string(&format!("|-\n    {id}"), secret),
        ),
        ("in quotes twice", string(&format!("'\"{id}\"'"), secret)),
        ("an anchor", string(&format!("&id {id}"), "*id")),
        (
            "both maps",
            format!(
                "{}stringData: {{AWS_SECRET_ACCESS_KEY: {secret}}}\n",
                data(&id64, "bm90aGluZw==")
            ),
        ),
        (
            "a key twice",
            string(id, &format!("first\n  AWS_SECRET_ACCESS_KEY: {secret}")),
        ),
        (
            "a map twice",
            format!("{}stringData: {{other: x}}\n", string(id, secret)),
        ),
        (
            "SOPS in one half",
            string(id, "'ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]'"),
        ),
        (
            "a template",
            string("'${AWS_ACCESS_KEY_ID}'", "'${AWS_SECRET_ACCESS_KEY}'"),
        ),
        ("another template", string("'{{ .id }}'", "'{{ .secret }}'")),
        ("a template in braces", string("{{ .id }}", "x")),
        ("no value of Helm", string("'<no value>'", "'<no value>'")),
        ("an example", string("AKIAXXXXXXXXXXXXXXXX", secret)),
        (
            "ansible-vault",
            string(id, "|\n    $ANSIBLE_VAULT;1.1;AES256\n    6162"),
        ),
        ("a list", string("[a]", secret)),
        ("a map", string("{a: b}", secret)),
        ("a date", string("2026-01-01", secret)),
        (
            "white space inside",
            string(&format!("'{} {}'", &id[..10], &id[10..]), secret),
        ),
    ])
}

fn secrets() -> Texts {
    let plain = plain();
    let with = |more: &str| format!("{plain}{more}\n");
    let named = |metadata: &str| plain.replace("metadata: {name: pair}", metadata);
    bytes(vec![
        ("Opaque", with("type: Opaque")),
        ("no type", with("type: ''")),
        ("a type of one's own", with("type: example.com/pair")),
        ("a type that is a number", with("type: 5")),
        ("TLS", with("type: kubernetes.io/tls")),
        ("basic auth", with("type: kubernetes.io/basic-auth")),
        ("docker", with("type: kubernetes.io/dockerconfigjson")),
        ("an ssh key", with("type: kubernetes.io/ssh-auth")),
        (
            "a service account",
            with("type: kubernetes.io/service-account-token"),
        ),
        ("immutable", with("immutable: true")),
        ("immutable in quotes", with("immutable: 'true'")),
        ("immutable null", with("immutable: null")),
        ("an unknown field", with("sops: {mac: x}")),
        ("a field in wrong case", with("StringData: {a: b}")),
        ("a spec", with("spec: {a: b}")),
        ("a null field", with("data: null")),
        ("a status", with("status: {}")),
        ("no metadata", plain.replace("metadata: {name: pair}\n", "")),
        ("metadata null", named("metadata: null")),
        ("a name generated", named("metadata: {generateName: pair-}")),
        ("a name in upper case", named("metadata: {name: Pair}")),
        (
            "a name with an underscore",
            named("metadata: {name: my_pair}"),
        ),
        ("a name with dots", named("metadata: {name: a.b.c}")),
        ("a name that is a number", named("metadata: {name: 5}")),
        (
            "labels",
            named("metadata: {name: pair, labels: {a: b}, annotations: {c: d}}"),
        ),
        (
            "labels null",
            named("metadata: {name: pair, labels: null, creationTimestamp: null}"),
        ),
        (
            "a label that is a number",
            named("metadata: {name: pair, labels: {a: 5}}"),
        ),
        (
            "an unknown field of metadata",
            named("metadata: {name: pair, label: {a: b}}"),
        ),
        (
            "an export",
            named("metadata: {name: pair, resourceVersion: '', uid: '', selfLink: /x}"),
        ),
        (
            "a data key with a slash",
            plain.replace("AWS_ACCESS_KEY_ID", "aws/id"),
        ),
        (
            "a data key with a blank",
            plain.replace("AWS_ACCESS_KEY_ID", "aws id"),
        ),
        (
            "a data key of dots",
            plain.replace("AWS_ACCESS_KEY_ID", ".."),
        ),
        (
            "a value as data key",
            plain.replace("AWS_ACCESS_KEY_ID: ", ""),
        ),
        ("other keys", plain.replace("AWS_ACCESS_KEY_ID", "id")),
        (
            "v1beta1",
            plain.replace("apiVersion: v1", "apiVersion: v1beta1"),
        ),
        (
            "kind in lower case",
            plain.replace("kind: Secret", "kind: secret"),
        ),
        ("no version", plain.replace("apiVersion: v1\n", "")),
        ("no data", HEAD.to_owned()),
        ("a text as data", format!("{HEAD}data: text\n")),
        ("a list as data", format!("{HEAD}stringData: [a]\n")),
    ])
}

fn resources() -> Texts {
    let with = |resource: String| format!("{}---\n{resource}", plain());
    let spec = |more: &str| with(resource(more));
    let long = "a".repeat(300);
    bytes(vec![
        ("pins", spec(", validation: {accountId: '123456789012'}")),
        (
            "an account that is a number",
            spec(", validation: {accountId: 123456789012}"),
        ),
        (
            "an account with dashes",
            spec(", validation: {accountId: 1234-5678-9012}"),
        ),
        (
            "an account too short",
            spec(", validation: {accountId: '12345678901'}"),
        ),
        (
            "another account",
            spec(", validation: {accountId: '999999999999'}"),
        ),
        ("an interval", spec(", validation: {interval: 6h}")),
        (
            "an interval in words",
            spec(", validation: {interval: daily}"),
        ),
        (
            "an interval too short",
            spec(", validation: {interval: 1s}"),
        ),
        ("a level", spec(", validation: {level: Format}")),
        (
            "a level in lower case",
            spec(", validation: {level: format}"),
        ),
        ("validation null", spec(", validation: null")),
        ("suspend null", spec(", suspend: null")),
        ("suspend in quotes", spec(", suspend: 'true'")),
        ("suspend", spec(", suspend: true")),
        ("an unknown field", spec(", regions: [eu-west-1]")),
        (
            "a misspelt pin",
            spec(", validation: {accountID: '123456789012'}"),
        ),
        (
            "a pin beside spec",
            with(format!(
                "{}validation: {{accountId: '123456789012'}}\n",
                resource("")
            )),
        ),
        (
            "another version",
            with(resource("").replace("v1alpha1", "v1")),
        ),
        (
            "another group",
            with(resource("").replace("awscredentials.dev", "awscredential.dev")),
        ),
        (
            "another kind",
            with(resource("").replace("StaticAwsCredentials", "StaticAWSCredentials")),
        ),
        (
            "a region that is none",
            with(resource("").replace("eu-west-1", "Ireland")),
        ),
        (
            "no region",
            with(resource("").replace(", region: eu-west-1", "")),
        ),
        (
            "no source",
            with(resource("").replace("secretRef: {name: pair}, ", "")),
        ),
        (
            "a source without a name",
            with(resource("").replace("name: pair", "name: ''")),
        ),
        (
            "a long source",
            with(resource("").replace("name: pair", &format!("name: {long}"))),
        ),
        ("layouts", spec(", target: {layouts: [Env, Mendix]}")),
        (
            "an unknown layout",
            spec(", target: {layouts: [Environment]}"),
        ),
        ("a layout twice", spec(", target: {layouts: [Env, Env]}")),
        ("no layout", spec(", target: {layouts: []}")),
        (
            "a target of a bad name",
            spec(", target: {name: My_Target}"),
        ),
        ("the source as target", spec(", target: {name: pair}")),
        (
            "a user",
            spec(", validation: {arn: 'arn:aws:iam::123456789012:user/*'}"),
        ),
        ("a user that is none", spec(", validation: {arn: orders}")),
        (
            "a key as name of a key",
            with(resource("").replace(
                "name: pair",
                &format!("name: pair, accessKeyIdKey: {}", PAIR.0),
            )),
        ),
        ("a list as spec", with(format!("{RESOURCE}spec: []\n"))),
        ("no spec", with(RESOURCE.to_owned())),
        (
            "a status",
            with(format!(
                "{}status: {{observedGeneration: 1}}\n",
                resource("")
            )),
        ),
        (
            "a status that is none",
            with(format!(
                "{}status: {{observedGeneration: one}}\n",
                resource("")
            )),
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
